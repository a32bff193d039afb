import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { endOfHour, FILE_SUFFIX, parseHourFolder } from '../archive.ts';
import { removeEmptyFolders } from '../folders.ts';
import type { Log } from '../log.ts';
import { hourFolders } from './directory_folders.ts';
import { DAMAGED_SUFFIX } from './directory_recovery.ts';

export interface RetentionOptions {
  readonly dir: string;
  /** Hours that ended at this time or earlier go. */
  readonly beforeMs: number;
  readonly log: Log;
  /** Ends the work early. */
  readonly signal: AbortSignal;
}

/** Removes the archive's files of whole hours, and the folders that are left empty. Never throws: what cannot be removed is logged. */
export async function removeExpired({ dir, beforeMs, log, signal }: RetentionOptions): Promise<void> {
  let removedFiles = 0;
  for await (const folder of hourFolders(dir, beforeMs, log)) {
    if (signal.aborted) break;
    if (endOfHour(parseHourFolder(folder)!) > beforeMs) continue;
    try {
      removedFiles += await removeFiles(join(dir, folder));
      await removeEmptyFolders(dir, join(dir, folder));
    } catch (error) {
      log.error({ folder, error }, 'cannot remove an expired hour from the archive');
    }
  }
  if (removedFiles > 0)
    log.info(
      { files: removedFiles, before: new Date(beforeMs).toISOString() },
      'removed expired hours from the archive',
    );
}

async function removeFiles(path: string): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const isOurs = entry.name.endsWith(FILE_SUFFIX) || entry.name.endsWith(FILE_SUFFIX + DAMAGED_SUFFIX);
    if (!isOurs || !entry.isFile()) continue;
    await unlink(join(path, entry.name));
    removed++;
  }
  return removed;
}
