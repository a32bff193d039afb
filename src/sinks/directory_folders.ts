import { constants } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseHourFolder } from '../archive.ts';
import type { Log } from '../log.ts';
import { codeOf } from './directory_errors.ts';

/**
 * Makes a folder of the archive, and what is missing above it, so that a power failure leaves it there: a new folder is safe once the
 * folder that names it is synced. All of the chain is synced each time, because what is found there may have been made, and not synced, by
 * a process that was killed.
 */
export async function makeFolder(dir: string, path: string): Promise<void> {
  const highest = await makeMissing(path);
  const top = highest === undefined || highest.length > dir.length ? dir : dirname(highest);
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      await syncFolder(folder);
    } catch (error) {
      // A folder above the archive need not be ours to read.
      if (folder.length >= dir.length || codeOf(error) !== 'EACCES') throw error;
    }
    if (folder === top) return;
  }
}

/** As `mkdir -p`, returning the highest folder that was made. Node's own turns ENOSPC and EROFS into ENOENT (seen with Node 20.20). */
async function makeMissing(path: string): Promise<string | undefined> {
  try {
    return (await makeOne(path)) ? path : undefined;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const highest = await makeMissing(dirname(path));
  return (await makeOne(path)) ? (highest ?? path) : highest;
}

/** @returns false where there is something already; if that is no folder, the next step says so */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Some network and user-space file systems do not sync folders; there is nothing better to do on them. */
const CANNOT_SYNC_FOLDERS = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Makes the names in a folder safe: new, changed and removed ones. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!CANNOT_SYNC_FOLDERS.has(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

/** Completes the path of a year, month or day to its first hour. */
const FIRST_HOUR = '0000/01/01/00';

/**
 * The hour folders that stand in the archive and begin before a time, oldest first, as `2026/11/20/10`. Links are not followed, and what
 * cannot be read is logged and left out.
 */
export async function* hourFolders(dir: string, beforeMs: number, log: Log, above = ''): AsyncGenerator<string> {
  for (const name of await subfolders(join(dir, above), log)) {
    const folder = above === '' ? name : `${above}/${name}`;
    const startMs = parseHourFolder(folder + FIRST_HOUR.slice(folder.length));
    if (startMs === undefined || startMs >= beforeMs) continue;
    if (folder.length === FIRST_HOUR.length) yield folder;
    else yield* hourFolders(dir, beforeMs, log, folder);
  }
}

async function subfolders(path: string, log: Log): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') log.warn({ folder: path, error }, 'cannot read a folder of the archive');
    return [];
  }
}
