import { join } from 'node:path';
import { endOfHour, parseHourFolder } from '../archive.ts';
import { closedFile, listHourFolders, listHourNames, type ArchiveFile } from './archive_files.ts';
import type { Manifest } from './manifest.ts';

/** The hour folders of a UTC day, which lines arrived in. */
export interface ArrivalDay {
  /** As its folder, `2026/11/20`. */
  readonly day: string;
  /** Whether it has ended. */
  readonly hasEnded: boolean;
  /** Files that are being written, or that a killed server left, as paths in the archive. */
  readonly open: readonly string[];
  /** Finished files that are not compacted yet, and those that are. */
  readonly fresh: readonly ArchiveFile[];
  readonly compacted: readonly ArchiveFile[];
}

const DAY_FOLDER_LENGTH = 'YYYY/MM/DD'.length;
const LAST_HOUR = '/23';

/** The days of an archive that have files, in order. */
export async function listArrivalDays(archiveDir: string, manifest: Manifest, nowMs: number): Promise<ArrivalDay[]> {
  const days = new Map<string, { open: string[]; fresh: ArchiveFile[]; compacted: ArchiveFile[] }>();
  for (const folder of await listHourFolders(archiveDir, '')) {
    const { closed, open } = await listHourNames(join(archiveDir, folder));
    const day = folder.slice(0, DAY_FOLDER_LENGTH);
    const files = days.get(day) ?? { open: [], fresh: [], compacted: [] };
    days.set(day, files);
    files.open.push(...Array.from(open, (name) => `${folder}/${name}`));
    for (const name of [...closed].sort()) {
      const isCompacted = manifest.hours.get(folder)?.has(name) === true;
      files[isCompacted ? 'compacted' : 'fresh'].push(closedFile(archiveDir, folder, name));
    }
  }
  return Array.from(days, ([day, files]) => ({ day, hasEnded: dayEnd(day) <= nowMs, ...files }));
}

function dayEnd(day: string): number {
  return endOfHour(parseHourFolder(day + LAST_HOUR)!);
}
