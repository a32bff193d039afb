import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPACTED_FOLDER, DAY_MS, OTHER_DAY, runFolder, sampleDay } from '../archive.ts';
import { CommandError } from '../errors.ts';
import { makeFolder, syncFolder } from '../folders.ts';
import type { ArrivalDay } from './arrival_days.ts';
import { mustBeIntact, sha256Of } from './compacted_files.ts';
import { nameFile } from './damage.ts';
import { Engine } from './duckdb.ts';
import { LINE_STORES } from './line_stores.ts';
import { filesOf, writeManifest, type CompactedDay, type Manifest } from './manifest.ts';
import { writePartition } from './partition.ts';
import { stagedDays, stageFiles, tryIncoming, type StagedFile } from './staging.ts';

export interface CompactionOptions {
  readonly archiveDir: string;
  /** For what is staged and what spills; emptied after each day. */
  readonly workDir: string;
  readonly memoryLimitBytes: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Told what is being done, and how far it is, in percent. */
  readonly onProgress: (doing: string, percent: number) => void;
}

export interface CompactedLines {
  /** Lines of the JSON files, and rows that they made more. */
  readonly lines: bigint;
  readonly rows: bigint;
  readonly jsonBytes: number;
  /** By how much the Parquet files grew. */
  readonly parquetBytes: number;
  readonly partitions: number;
}

/** Measured on two cores with 1 GiB and a day of 10,000 series; more threads have not been. */
const MEMORY_PER_THREAD_BYTES = 512 * 1024 ** 2;

/**
 * Compacts the files of an arrival day that are not compacted yet: each partition of sample days that they touch is written anew, old lines and
 * new ones together, into a folder of its own; then the manifest is replaced, which is the commit. Killed at any moment it leaves the archive as
 * it was, and folders that the next run removes, because the manifest names them before they are there.
 *
 * @returns the manifest as it is now, and what was done
 * @throws CommandError for a damaged file, too little memory, and when not every line is in what was written
 */
export async function compactDay(
  { day, fresh }: Pick<ArrivalDay, 'day' | 'fresh'>,
  manifest: Manifest,
  options: CompactionOptions,
): Promise<{ readonly manifest: Manifest; readonly compacted: CompactedLines }> {
  const { archiveDir, workDir, memoryLimitBytes, signal, onProgress } = options;
  const dayDir = join(workDir, day.replaceAll('/', '-'));
  await mkdir(dayDir);
  const files = await Promise.all(fresh.map(async (file) => ({ ...file, bytes: (await stat(file.path)).size })));
  const engine = await Engine.open({
    memoryLimitBytes,
    spillDir: join(dayDir, 'spill'),
    databasePath: join(dayDir, 'staged.duckdb'),
    memoryPerThreadBytes: MEMORY_PER_THREAD_BYTES,
    readLess: '',
    signal,
  });
  try {
    // Freed memory goes back to the system, some 200 MiB of it, measured: each file of Parquet needs other pieces than the one before it.
    await engine.run('SET allocator_background_threads = true');
    const jsonBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    await stage(engine, files, (readBytes) => onProgress(`${day}: reading`, (100 * readBytes) / jsonBytes));
    const touched = await stagedDays(engine);
    const run = runId(options.now());
    const names = touched.map(partitionName);
    const begun = {
      ...manifest,
      garbage: union(
        manifest.garbage,
        names.map((name) => runFolder(name, run)),
      ),
    };
    if (touched.length > 0) await writeManifest(archiveDir, begun);
    const written = await writePartitions(engine, { day, run, touched, manifest, options });
    const next = withDay(manifest, files, written);
    await writeManifest(archiveDir, next);
    const compacted = { ...totalOf(written), jsonBytes, partitions: touched.length };
    return { manifest: next, compacted };
  } finally {
    engine.close();
    await rm(dayDir, { recursive: true, force: true });
  }
}

async function stage(engine: Engine, files: readonly StagedFile[], onRead: (bytes: number) => void): Promise<void> {
  let readBytes = 0;
  onRead(0);
  try {
    await stageFiles(engine, files, (bytes) => {
      onRead((readBytes += bytes));
    });
  } catch (error) {
    throw error instanceof CommandError ? await nameFile(error, files, engine, tryIncoming) : error;
  }
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

interface Writing {
  readonly day: string;
  readonly run: string;
  readonly touched: readonly (bigint | null)[];
  readonly manifest: Manifest;
  readonly options: CompactionOptions;
}

interface WrittenPartition {
  readonly name: string;
  readonly partition: CompactedDay;
  readonly lines: bigint;
  readonly rows: bigint;
  readonly bytes: number;
}

async function writePartitions(engine: Engine, writing: Writing): Promise<WrittenPartition[]> {
  const { run, touched, options } = writing;
  const written: WrittenPartition[] = [];
  try {
    for (const sampledOn of touched) written.push(await writeOne(engine, writing, sampledOn));
    return written;
  } catch (error) {
    for (const name of touched.map(partitionName)) {
      await rm(join(options.archiveDir, COMPACTED_FOLDER, runFolder(name, run)), { recursive: true, force: true });
    }
    throw error;
  }
}

async function writeOne(engine: Engine, writing: Writing, sampledOn: bigint | null): Promise<WrittenPartition> {
  const { day, run, touched, manifest, options } = writing;
  const { archiveDir, onProgress } = options;
  const name = partitionName(sampledOn);
  const folder = join(archiveDir, COMPACTED_FOLDER, runFolder(name, run));
  await makeFolder(archiveDir, folder);
  const old = manifest.days.get(name);
  const oldNames = old === undefined ? [] : filesOf(old);
  const oldPath = (file: string) => join(archiveDir, COMPACTED_FOLDER, runFolder(name, old!.run), file);
  for (const file of oldNames) await mustBeIntact(oldPath(file), old!.sha256[file]);
  const partition = { run, samples: [], minusZeros: [], others: [], sha256: {} } as Mutable<CompactedDay>;
  let [lines, rows, firstFile] = [0n, 0n, 0];
  for (const store of LINE_STORES) {
    const doing = `${day}: writing ${name} (${touched.indexOf(sampledOn) + 1} of ${touched.length})`;
    onProgress(doing, 0);
    const oldFiles = (old?.[store.name] ?? []).map(oldPath);
    const onWritten = (share: number) => onProgress(doing, 100 * share);
    const { files, incoming, before, after } = await naming(oldFiles, engine, () =>
      writePartition(engine, { store, day: sampledOn, oldFiles, folder, firstFile, onWritten }),
    );
    partition[store.name] = files;
    firstFile += files.length;
    lines += incoming;
    rows += after - before;
  }
  await syncFolder(folder);
  const names = filesOf(partition);
  const sums = await Promise.all(names.map(async (file) => [file, await sha256Of(join(folder, file))] as const));
  partition.sha256 = Object.fromEntries(sums);
  const newBytes = await bytesOf(names.map((file) => join(folder, file)));
  const oldBytes = await bytesOf(oldNames.map(oldPath));
  return { name, partition, lines, rows, bytes: newBytes - oldBytes };
}

/** Names the Parquet file that an error is about. */
async function naming<Value>(paths: readonly string[], engine: Engine, task: () => Promise<Value>): Promise<Value> {
  try {
    return await task();
  } catch (error) {
    const files = paths.map((path) => ({ path, source: path }));
    throw error instanceof CommandError ? await nameFile(error, files, engine) : error;
  }
}

type CompactedFile = ArrivalDay['fresh'][number] & { readonly bytes: number };

/** The manifest with a day's files in it, and its partitions in the place of those that they replace. */
function withDay(manifest: Manifest, files: readonly CompactedFile[], written: readonly WrittenPartition[]): Manifest {
  const hours = new Map(manifest.hours);
  for (const { folder, name, bytes } of files)
    hours.set(folder, new Map([...(hours.get(folder) ?? []), [name, bytes]]));
  const replaced = written.flatMap(({ name }) => {
    const old = manifest.days.get(name);
    return old === undefined ? [] : [runFolder(name, old.run)];
  });
  const days = new Map([...manifest.days, ...written.map(({ name, partition }) => [name, partition] as const)]);
  return { hours, days, garbage: union(manifest.garbage, replaced) };
}

function totalOf(written: readonly WrittenPartition[]): Pick<CompactedLines, 'lines' | 'rows' | 'parquetBytes'> {
  return {
    lines: written.reduce((sum, { lines }) => sum + lines, 0n),
    rows: written.reduce((sum, { rows }) => sum + rows, 0n),
    parquetBytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function partitionName(sampledOn: bigint | null): string {
  return sampledOn === null ? OTHER_DAY : sampleDay(Number(sampledOn) * DAY_MS);
}

/** Unique, and in the order of time for people who look at it. */
function runId(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z-${randomUUID().slice(0, 8)}`;
}

function union<Value>(set: ReadonlySet<Value>, more: readonly Value[]): ReadonlySet<Value> {
  return new Set([...set, ...more]);
}

async function bytesOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
