import { join, resolve } from 'node:path';
import {
  COMPACTED_FOLDER,
  DAY_MS,
  DAYS_END_MS,
  OTHER_DAY,
  parseHourFolder,
  parseSampleDay,
  runFolder,
} from '../archive.ts';
import { listArchiveFiles, type ArchiveFilesOptions, type EngineFile } from './archive_files.ts';
import { mustBeThere } from './compacted_files.ts';
import { filesOf, readManifest, type CompactedDay, type Manifest } from './manifest.ts';
import { firstFolder, type TimeRange } from './query_options.ts';
import type { ArchivePaths } from './views.ts';

export interface QueryFilesOptions extends Omit<ArchiveFilesOptions, 'fromMs'> {
  readonly range: TimeRange;
}

/** What a query reads. */
export interface QueryFiles {
  readonly paths: ArchivePaths & Required<Pick<ArchivePaths, 'metadata'>>;
  /** All of these files, as users know them. */
  readonly files: readonly EngineFile[];
}

/**
 * Finds what of an archive can hold the times asked for: the JSON files that are not compacted, and the Parquet files of the partitions.
 *
 * JSON is listed first, and the manifest read after it: what is compacted between the two is left out of the JSON and read from Parquet.
 * The other way round it could be read twice, or, when its JSON files are removed, not at all.
 *
 * @throws CommandError when there is no such directory, or the manifest is broken, or names a file that is not there
 */
export async function listQueryFiles({ range, ...options }: QueryFilesOptions): Promise<QueryFiles> {
  const archiveDir = resolve(options.archiveDir);
  const listed = await listArchiveFiles({ ...options, fromMs: range.fromMs });
  const manifest = await readManifest(archiveDir);
  const json = listed.filter(({ folder, name }) => !manifest.hours.get(folder)?.has(name));
  const parquet = choosePartitions(manifest, range);
  const metadata = chooseMetadata(manifest, range.fromMs);
  const pathOf = (file: string) => join(archiveDir, COMPACTED_FOLDER, file);
  const compacted = [...new Set([...parquet, ...metadata])].map(pathOf);
  for (const path of compacted) mustBeThere(archiveDir, path);
  return {
    paths: {
      json: json.map(({ path }) => path),
      parquet: parquet.map(pathOf),
      metadata: { parquet: metadata.map(pathOf), fromHour: firstFolder(range.fromMs) },
    },
    files: [...json, ...compacted.map((path) => ({ path, source: path }))],
  };
}

/** The files, below COMPACTED_FOLDER, of the partitions that can hold a time of the range. */
export function choosePartitions({ days }: Pick<Manifest, 'days'>, range: TimeRange): string[] {
  return [...days]
    .filter(([day]) => canHold(day, range))
    .flatMap(([day, partition]) => pathsOf(day, partition, filesOf(partition)));
}

/**
 * The same of those that can hold metadata that arrived in the hour from which on folders are read. Its time is its arrival by the clock
 * of the adapter, which may be another than that of who named the folder: hence a day more.
 */
export function chooseMetadata({ days }: Pick<Manifest, 'days'>, fromMs: number | undefined): string[] {
  const earliestMs = parseHourFolder(firstFolder(fromMs));
  const range = { fromMs: earliestMs === undefined ? undefined : earliestMs - DAY_MS, toMs: undefined };
  return [...days]
    .filter(([day]) => canHold(day, range))
    .flatMap(([day, partition]) => pathsOf(day, partition, partition.others));
}

function canHold(day: string, { fromMs = -Infinity, toMs = Infinity }: TimeRange): boolean {
  if (day === OTHER_DAY) return fromMs < 0 || toMs > DAYS_END_MS;
  const startMs = parseSampleDay(day)!;
  return startMs < toMs && startMs + DAY_MS > fromMs;
}

function pathsOf(day: string, { run }: CompactedDay, names: readonly string[]): string[] {
  return names.map((name) => `${runFolder(day, run)}/${name}`);
}
