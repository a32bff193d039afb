import { constants } from 'node:fs';
import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

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

/**
 * Removes a folder of the archive if it is empty, and those above it that are empty then, as far as `dir`, which stays.
 *
 * @returns the lowest that is still there
 */
export async function removeEmptyFolders(dir: string, path: string): Promise<string> {
  let folder = path;
  while (folder !== dir && (await removeIfEmpty(folder))) folder = dirname(folder);
  return folder;
}

/** @returns whether it is gone, whoever removed it */
async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT':
        return true;
      case 'ENOTEMPTY': // POSIX lets rmdir say either about a folder that is not empty.
      case 'EEXIST':
      case 'ENOTDIR': // A link to a folder.
        return false;
      default:
        throw error;
    }
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
