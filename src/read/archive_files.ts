import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FILE_SUFFIX, OPEN_SUFFIX, parseHourFolder } from '../archive.ts';
import { CommandError } from '../errors.ts';
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
export interface ArchiveFile {
  readonly path: string;
  readonly source: string;
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
  const archiveDir = resolve(options.archiveDir);
  await mustBeDirectory(archiveDir);
  const earliest = options.fromMs === undefined ? '' : firstFolder(options.fromMs);
  const files: ArchiveFile[] = [];
  for (const folder of await listHourFolders(archiveDir, earliest)) {
    options.signal.throwIfAborted();
    files.push(...(await listHour(join(archiveDir, folder), join(options.snapshotDir, folder))));
  }
  return files;
}

async function mustBeDirectory(archiveDir: string): Promise<void> {
  const mend = 'give the directory that the server writes with --archive-dir (ARCHIVE_DIR)';
  let isDirectory;
  try {
    isDirectory = (await stat(archiveDir)).isDirectory();
  } catch (error) {
    throw new CommandError(`no archive at ${archiveDir} (${errorCode(error)}): ${mend}`);
  }
  if (!isDirectory) throw new CommandError(`${archiveDir} is not a directory: ${mend}`);
}

/** The archive's hour folders in order of time, from `earliest` on. */
async function listHourFolders(archiveDir: string, earliest: string): Promise<string[]> {
  let folders = [''];
  for (const level of FOLDER_LEVELS) {
    const deeper: string[] = [];
    for (const folder of folders) {
      const names = (await list(join(archiveDir, folder))).filter((name) => level.test(name)).sort();
      deeper.push(...names.map((name) => (folder === '' ? name : `${folder}/${name}`)));
    }
    // Folders of equal depth are in the order of their hours as text.
    folders = deeper.filter((folder) => folder >= earliest.slice(0, folder.length));
  }
  return folders.filter((folder) => parseHourFolder(folder) !== undefined);
}

/** One hour's files, each once, by its final name. */
async function listHour(hourDir: string, snapshotDir: string): Promise<ArchiveFile[]> {
  // A listing is not one moment: a file that is renamed meanwhile may show neither of its names, or both. It is renamed only once,
  // though, so of two listings the first holds its open name or the second its final one.
  const openBefore = (await list(hourDir)).filter(isOpen);
  const names = await list(hourDir);
  const closed = new Set(names.filter((name) => name.endsWith(CLOSED_SUFFIX) && !name.startsWith('.')));
  const snapshots: ArchiveFile[] = [];
  for (const name of new Set([...openBefore, ...names.filter(isOpen)])) {
    const finalName = name.slice(0, -OPEN_SUFFIX.length);
    if (closed.has(finalName)) continue;
    const file = { path: join(snapshotDir, finalName), source: join(hourDir, name) };
    const outcome = await snapshotOrExplain(file);
    if (outcome === 'copied') snapshots.push(file);
    // A server closed it after the listing, or took it away because it was empty.
    if (outcome === 'gone' && existsSync(join(hourDir, finalName))) closed.add(finalName);
  }
  const paths = Array.from(closed, (name) => join(hourDir, name));
  return [...paths.map((path) => ({ path, source: path })), ...snapshots];
}

async function snapshotOrExplain({ path, source }: ArchiveFile): Promise<SnapshotOutcome> {
  try {
    return await snapshot(source, path);
  } catch (error) {
    throw new CommandError(`cannot copy ${source} to the temporary file ${path}: ${(error as Error).message}`);
  }
}

function isOpen(name: string): boolean {
  return name.endsWith(FILE_SUFFIX + OPEN_SUFFIX);
}

/** Names in a folder; none when it went away (retention removes whole hours) or is no folder. */
async function list(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new CommandError(`cannot read ${dir} (${code})`);
  }
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
