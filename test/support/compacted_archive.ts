import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { DAYS_END_MS, parseHourFolder } from '../../src/archive.ts';
import { encodeRecord, type ArchiveRecord } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { compact, type CompactOptions } from '../../src/read/compact.ts';
import type { QueryIo } from '../../src/read/print.ts';
import { Flattener } from '../../src/write/flatten.ts';
import { textsOf } from './lines.ts';
import { collector, writeArchiveFile } from './query_archive.ts';
import { NO_LIMITS } from './same_as_oracle.ts';
import { seeded } from './seeded.ts';
import { encodeSeries, seriesMessages } from './series_message.ts';

const MIB = 1024 ** 2;
/** All hours of the tests have ended by then. */
const NOW_MS = Date.UTC(2026, 10, 28, 4);

/** Compacts an archive as the command does, and answers what it says. */
export async function runCompact(
  options: Partial<CompactOptions> & { readonly archiveDir: string },
  io: Partial<QueryIo> = {},
): Promise<string> {
  const { stdout, text } = collector();
  const stderr = new PassThrough();
  await compact(
    { memoryLimitBytes: 512 * MIB, ...options },
    { stdout, stderr, isTerminal: false, now: () => NOW_MS, ...io },
  );
  return text();
}

const DAY = Date.UTC(2026, 10, 20);
/** Days that lines of two days of arrival can be of, and times that no clock shows. */
const TIMES = [
  ...[-1, 0, 1, 86_399_999, 86_400_000, DAYS_END_MS - 1, DAYS_END_MS].map(BigInt),
  ...[-(2n ** 63n), 2n ** 63n - 1n, -62_135_596_800_001n, 253_402_300_800_000n],
];

/** Lines of every kind but metadata, no two of one series, kind and time. Those of one seed are always the same. */
export function mixedLines(seed: number, count: number): string[] {
  const random = seeded(seed);
  const flattener = new Flattener();
  const lines = new Map<string, string>();
  const messages = fc.sample(seriesMessages, { seed, numRuns: count });
  for (const message of messages) {
    const flattened = flattener.flatten(encodeSeries(message, 2), { ...NO_LIMITS, version: 2 });
    for (const text of textsOf(flattened.lines.bytes)) {
      const time = random() < 0.2 ? TIMES[Math.floor(random() * TIMES.length)]! : timeOfDay(random);
      const record: ArchiveRecord = { ...decodeRecord(text), time };
      const { kind, labels } = record as Exclude<ArchiveRecord, { kind: 'metadata' }>;
      lines.set(JSON.stringify([kind, labels, String(time)]), encodeRecord(record));
    }
  }
  return [...lines.values()];
}

function timeOfDay(random: () => number): bigint {
  return BigInt(DAY + Math.floor((random() * 3 - 1) * 86_400_000));
}

export interface Copies {
  /** Where each line is, by files; some lines are in several, of the same hour and of others. */
  readonly all: ReadonlyMap<string, readonly string[]>;
  /** Each line once, in the first of its hours. */
  readonly first: ReadonlyMap<string, readonly string[]>;
}

/** Spreads lines over hours, with copies, and adds metadata, whose time is its arrival. */
export function spread(lines: readonly string[], hours: readonly string[], seed: number): Copies {
  const random = seeded(seed);
  const pick = () => hours[Math.floor(random() * hours.length)]!;
  const all = new Map<string, string[]>();
  const first = new Map<string, string[]>();
  const put = (files: Map<string, string[]>, file: string, line: string) => {
    files.set(file, [...(files.get(file) ?? []), line]);
  };
  for (const line of lines) {
    const own = [pick(), ...(random() < 0.2 ? [pick()] : [])];
    for (const hour of own) put(all, `${hour}/a.json.gz`, line);
    if (random() < 0.2) put(all, `${own[0]!}/b.json.gz`, line);
    if (random() < 0.1) put(all, `${own[0]!}/a.json.gz`, line);
    put(first, `${own.toSorted()[0]!}/a.json.gz`, line);
  }
  for (const [index, hour] of hours.entries()) {
    const copies = metadataOf(hour);
    put(first, `${hour}/a.json.gz`, copies[0]!);
    put(first, `${hour}/a.json.gz`, copies[1]!);
    for (const line of copies) put(all, `${hour}/b.json.gz`, line);
    // A retry across the hour.
    if (index > 0) put(all, `${hour}/a.json.gz`, metadataOf(hours[index - 1]!)[0]!);
  }
  return { all, first };
}

/** What an hour has of metadata: two texts of one name, and a copy. */
function metadataOf(hour: string): string[] {
  const time = BigInt(parseHourFolder(hour)!);
  const line = (help: string, at: bigint) =>
    encodeRecord({ kind: 'metadata', name: 'x', time: at, metadata: { type: 'gauge', help, unit: '' } });
  return [line('Says x.', time), line('Says y.', time + 59n), line('Says x.', time)];
}

export function writeFiles(archiveDir: string, files: Copies['all']): void {
  for (const [path, lines] of files) writeArchiveFile(archiveDir, path, [lines]);
}
