import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FILE_SUFFIX, OPEN_SUFFIX, parseHourFolder } from '../archive.ts';
import { codeOf, CommandError } from '../errors.ts';
import { firstFolder } from './query_options.ts';
import { snapshot, type SnapshotOutcome } from './snapshot.ts';

export interface ArchiveFilesOptions {
  readonly archiveDir: string;
  /** Where copies of open files go, in the archive's own layout. */
  readonly snapshotDir: string;
  /** The earliest sample time asked for; folders that cannot hold it are left out. */
  readonly fromMs: number | undefined;
  /** Aborting stops the walk with the signal's reason. */
  readonly signal: AbortSignal;
}

/** A file to read: `path` is what the engine opens, `source` what users know it by. They differ for a snapshot. */
export interface EngineFile {
  readonly path: string;
  readonly source: string;
}

/** A file of lines as they came, by its hour folder and its final name, which a snapshot does not have yet. */
export interface ArchiveFile extends EngineFile {
  readonly folder: string;
  readonly name: string;
}

/** Every `.gz` counts, so that a bucket that Firehose filled reads as well. */
const CLOSED_SUFFIX = '.gz';
const FOLDER_LEVELS = [/^\d{4}$/, /^\d{2}$/, /^\d{2}$/, /^\d{2}$/];

/**
 * Finds the archive's files, each once, and snapshots those that a server may be writing.
 *
 * @throws CommandError when there is no such directory
 */
export async function listArchiveFiles(options: ArchiveFilesOptions): Promise<ArchiveFile[]> {
  const archiveDir = await findArchive(options.archiveDir);
  const files: ArchiveFile[] = [];
  for (const folder of await listHourFolders(archiveDir, firstFolder(options.fromMs))) {
    options.signal.throwIfAborted();
    files.push(...(await listHour(folder, archiveDir, options.snapshotDir)));
  }
  return files;
}

/**
 * The absolute path of an archive, as `--archive-dir` names it.
 *
 * @throws CommandError when there is no such directory
 */
export async function findArchive(given: string): Promise<string> {
  if (given === 'none') {
    throw new CommandError('--archive-dir (ARCHIVE_DIR) is "none": give the directory that holds a local archive');
  }
  const archiveDir = resolve(given);
  const mend = 'give the directory that the server writes with --archive-dir (ARCHIVE_DIR)';
  let isDirectory;
  try {
    isDirectory = (await stat(archiveDir)).isDirectory();
  } catch (error) {
    throw new CommandError(`no archive at ${archiveDir} (${codeOf(error)}): ${mend}`);
  }
  if (!isDirectory) throw new CommandError(`${archiveDir} is not a directory: ${mend}`);
  return archiveDir;
}

/** The archive's hour folders in order of time, from `earliest` on. */
export async function listHourFolders(archiveDir: string, earliest: string): Promise<string[]> {
  let folders = [''];
  for (const level of FOLDER_LEVELS) {
    const deeper: string[] = [];
    for (const folder of folders) {
      const names = (await namesIn(join(archiveDir, folder))).filter((name) => level.test(name)).sort();
      deeper.push(...names.map((name) => (folder === '' ? name : `${folder}/${name}`)));
    }
    // Folders of equal depth are in the order of their hours as text.
    folders = deeper.filter((folder) => folder >= earliest.slice(0, folder.length));
  }
  return folders.filter((folder) => parseHourFolder(folder) !== undefined);
}

/** The names in an hour folder that matter. */
export interface HourNames {
  /** Finished files. */
  readonly closed: ReadonlySet<string>;
  /** What is being written, or was left by a killed process, by its name with OPEN_SUFFIX. */
  readonly open: ReadonlySet<string>;
}

export async function listHourNames(hourDir: string): Promise<HourNames> {
  // A listing is not one moment: a file that is renamed meanwhile may show neither of its names, or both. It is renamed only once,
  // though, so of two listings the first holds its open name or the second its final one.
  const openBefore = (await namesIn(hourDir)).filter(isOpen);
  const names = await namesIn(hourDir);
  const closed = new Set(names.filter((name) => name.endsWith(CLOSED_SUFFIX) && !name.startsWith('.')));
  const open = [...openBefore, ...names.filter(isOpen)].filter((name) => !closed.has(finalName(name)));
  return { closed, open: new Set(open) };
}

/** One hour's files, each once, by its final name. */
async function listHour(folder: string, archiveDir: string, snapshotDir: string): Promise<ArchiveFile[]> {
  const hourDir = join(archiveDir, folder);
  const { closed, open } = await listHourNames(hourDir);
  const names = [...closed];
  const snapshots: ArchiveFile[] = [];
  for (const openName of open) {
    const name = finalName(openName);
    const file = { folder, name, path: join(snapshotDir, folder, name), source: join(hourDir, openName) };
    const outcome = await snapshotOrExplain(file);
    if (outcome === 'copied') snapshots.push(file);
    // A server closed it after the listing, or took it away because it was empty.
    if (outcome === 'gone' && existsSync(join(hourDir, name))) names.push(name);
  }
  return [...names.map((name) => closedFile(archiveDir, folder, name)), ...snapshots];
}

/** A finished file of an hour. */
export function closedFile(archiveDir: string, folder: string, name: string): ArchiveFile {
  const path = join(archiveDir, folder, name);
  return { folder, name, path, source: path };
}

async function snapshotOrExplain({ path, source }: EngineFile): Promise<SnapshotOutcome> {
  try {
    return await snapshot(source, path);
  } catch (error) {
    throw new CommandError(`cannot copy ${source} to the temporary file ${path}: ${(error as Error).message}`);
  }
}

function isOpen(name: string): boolean {
  return name.endsWith(FILE_SUFFIX + OPEN_SUFFIX);
}

function finalName(openName: string): string {
  return openName.slice(0, -OPEN_SUFFIX.length);
}

/** Names in a folder; none when it went away (retention removes whole hours) or is no folder. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new CommandError(`cannot read ${dir} (${code})`);
  }
}
