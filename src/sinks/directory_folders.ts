import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHourFolder } from '../archive.ts';
import { codeOf } from '../errors.ts';
import type { Log } from '../log.ts';

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
