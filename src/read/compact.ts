import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPACTED_FOLDER } from '../archive.ts';
import { CommandError, messageOf } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { tryLock, type SocketLock } from '../socket_lock.ts';
import { findArchive, type ArchiveFile } from './archive_files.ts';
import { listArrivalDays, type ArrivalDay } from './arrival_days.ts';
import { dropExpired, mustBeAsCompacted, mustHaveFiles, removeGarbage, removeJson } from './compacted_files.ts';
import { compactDay, type CompactedLines } from './compaction.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { createOutput, type Output } from './output.ts';
import { showProgress } from './progress.ts';
import type { QueryIo } from './print.ts';
import { makeWorkDir } from './work_dir.ts';

/** The values of COMPACT_OPTIONS, and the archive. */
export interface CompactOptions {
  readonly archiveDir: string;
  readonly removeJson?: boolean | undefined;
  readonly memoryLimitBytes: number;
  readonly retentionMs?: number | undefined;
  /** Aborted by Ctrl-C: the compaction ends with the CommandError "interrupted"; the days before it stay compacted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compacts the days of a local archive that have ended, and says of each what became of it. A server may be writing meanwhile, and queries
 * may be running.
 *
 * @throws CommandError for what the user can mend
 */
export async function compact(options: CompactOptions, io: QueryIo): Promise<void> {
  const signal = options.signal ?? new AbortController().signal;
  const archiveDir = await findArchive(options.archiveDir);
  // The engine takes paths for patterns: what it reads of a neighbour would stay in the archive.
  if (/[*?]/.test(archiveDir)) {
    throw new CommandError(`${archiveDir} has a * or ? in its path: give the directory another name`);
  }
  let lock: SocketLock | undefined;
  let workDir: string | undefined;
  try {
    lock = await lockOrExplain(archiveDir, io);
    if (lock === undefined && options.removeJson === true) {
      throw new CommandError(
        '--remove-json needs the lock, so that no other process compacts meanwhile; leave it out here',
      );
    }
    workDir = await makeWorkDir('compact');
    await compactAll({ ...options, archiveDir, workDir, signal }, io);
  } catch (error) {
    throw signal.aborted ? new CommandError('interrupted') : explain(error);
  } finally {
    if (workDir !== undefined) await rm(workDir, { recursive: true, force: true });
    await lock?.release();
  }
}

interface Run extends CompactOptions {
  readonly workDir: string;
  readonly signal: AbortSignal;
}

async function compactAll(run: Run, io: QueryIo): Promise<void> {
  const { archiveDir, retentionMs, signal } = run;
  const output = createOutput(io.stdout, signal);
  let manifest = await readManifest(archiveDir);
  mustHaveFiles(archiveDir, manifest);
  manifest = await removeGarbage(archiveDir, manifest);
  let [compactedDays, leftDays, removedFiles] = [0, 0, 0];
  const problems: string[] = [];
  for (const day of await listArrivalDays(archiveDir, manifest, io.now())) {
    if (!day.hasEnded) continue;
    if (day.open.length > 0) {
      await output.write(`${leftLine(day)}\n`);
      leftDays++;
      continue;
    }
    try {
      await mustBeAsCompacted(manifest, day.compacted);
      if (day.fresh.length > 0) {
        manifest = await compactOne(day, manifest, { run, io, output });
        compactedDays++;
      }
      if (run.removeJson === true) {
        const files = [...day.compacted, ...day.fresh];
        await removeSafely(archiveDir, manifest, files);
        removedFiles += files.length;
      }
    } catch (error) {
      // One day's damaged file must not keep all others from being compacted.
      if (signal.aborted || !(error instanceof CommandError)) throw error;
      problems.push(`${day.day}: ${error.message}`);
    }
  }
  if (retentionMs !== undefined) {
    const dropped = await dropExpired(archiveDir, manifest, io.now() - retentionMs);
    if (dropped.length > 0) await output.write(`dropped ${count(dropped.length, 'expired day')} of samples\n`);
  }
  if (removedFiles > 0) await output.write(`removed ${count(removedFiles, 'JSON file')}\n`);
  await output.write(`${closingLine(compactedDays, leftDays + problems.length)}\n`);
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
}

/** Parquet is looked for once more, and JSON looked at: what is removed here is nowhere else but there. */
async function removeSafely(archiveDir: string, manifest: Manifest, files: readonly ArchiveFile[]): Promise<void> {
  mustHaveFiles(archiveDir, manifest);
  await mustBeAsCompacted(manifest, files);
  await removeJson(archiveDir, files);
}

async function compactOne(
  day: ArrivalDay,
  manifest: Manifest,
  { run, io, output }: { readonly run: Run; readonly io: QueryIo; readonly output: Output },
): Promise<Manifest> {
  const startedMs = io.now();
  let status = day.day;
  const progress = io.isTerminal ? showProgress(io.stderr, () => status) : undefined;
  try {
    const { manifest: next, compacted } = await compactDay(day, manifest, {
      ...run,
      now: io.now,
      onProgress: (doing, percent) => {
        status = `${doing} ${Math.floor(percent)}%`;
      },
    });
    progress?.erase();
    await output.write(`${compactedLine(day, compacted, io.now() - startedMs)}\n`);
    return next;
  } finally {
    progress?.stop();
  }
}

function compactedLine({ day }: ArrivalDay, compacted: CompactedLines, tookMs: number): string {
  const { lines, rows, jsonBytes, parquetBytes, partitions } = compacted;
  return (
    `${day}: ${number(lines)} lines, ${number(rows)} rows, ${number(lines - rows)} duplicates dropped, ` +
    `${megabytes(jsonBytes)} → ${megabytes(parquetBytes)}, ${count(partitions, 'day')} of samples, ${Math.round(tookMs / 1_000)} s`
  );
}

function leftLine({ day, open }: ArrivalDay): string {
  return `${day}: left, because ${open[0]!} is being written; if no server is running, start it once, which finishes the file`;
}

function closingLine(compactedDays: number, leftDays: number): string {
  if (compactedDays + leftDays === 0) return 'nothing to compact: every day that has ended, by UTC, is';
  return `compacted ${count(compactedDays, 'day')}${leftDays === 0 ? '' : `, left ${leftDays}`}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function number(value: bigint): string {
  return value.toLocaleString('en-US');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function lockOrExplain(archiveDir: string, io: QueryIo): Promise<SocketLock | undefined> {
  const folder = join(archiveDir, COMPACTED_FOLDER);
  await makeFolder(archiveDir, folder);
  const attempt = await tryLock(folder, 'compaction');
  switch (attempt.outcome) {
    case 'locked':
      return attempt.lock;
    case 'held':
      throw new CommandError(`another process is compacting ${archiveDir} already`);
    case 'impossible':
      io.stderr.write(
        `warning: cannot lock ${folder} (${messageOf(attempt.error)}); make sure that no other process compacts it\n`,
      );
      return undefined;
  }
}

/** What the file system refuses is for the user to mend. */
function explain(error: unknown): unknown {
  return error instanceof Error && 'syscall' in error ? new CommandError(`cannot compact: ${error.message}`) : error;
}
