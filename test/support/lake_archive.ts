import { bitsOf, doubleOf, encodeRecord, STALE_NAN, type ArchiveRecord } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { HISTOGRAM_CASES } from './histogram_cases.ts';
import { nativeHistogram } from './native_histograms.ts';
import { writeArchiveFile } from './query_archive.ts';
import { seeded } from './seeded.ts';

/** Lines by the hour in which they arrived, `2026/11/20/10`. */
export type Arrivals = ReadonlyMap<string, readonly string[]>;

const DAY_MS = 86_400_000;
const VALUES = [0, -0, 1, -1.5, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 0.1].map(bitsOf);
const NANS = [0xfff8000000000000n, 0x7ff8000000000000n, STALE_NAN];
const ABSURD_TIMES = [-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 7_258_118_399_999n, 7_258_118_400_000n];
const NAMES = ['up', 'x', '日本', 'with "quotes" and \\'];

/**
 * Lines of every kind, as a sender in trouble leaves them: late by minutes and by a day, at absurd times, once, twice in an
 * hour, again in another hour or on another day, and the same sample with another start, sign of zero or NaN.
 */
export function arrivals(seed: number, hours: readonly string[], linesPerHour: number): Arrivals {
  const random = seeded(seed);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;
  const all: string[] = [];
  return new Map(
    hours.map((hour) => {
      const [year, month, day, at] = hour.split('/').map(Number);
      const hourMs = Date.UTC(year!, month! - 1, day, at);
      const lines = Array.from({ length: linesPerHour }, () => {
        const chance = random();
        if (chance < 0.3 && all.length > 0) return pick(all);
        if (chance < 0.4 && all.length > 0) return variant(pick(all), pick);
        const late = pick([0, 0, 60_000, 3 * 3_600_000, DAY_MS]);
        const time = random() < 0.1 ? pick(ABSURD_TIMES) : BigInt(hourMs + Math.floor(random() * 20) * 15_000 - late);
        return encodeRecord(newRecord(time, pick, random));
      });
      all.push(...lines);
      return [hour, lines];
    }),
  );
}

type Pick = <Item>(items: readonly Item[]) => Item;

function newRecord(time: bigint, pick: Pick, random: () => number): ArchiveRecord {
  const name = pick(NAMES);
  const labels = [
    { name: '__name__', value: name },
    { name: 'job', value: pick(['a', 'b\u0000\n', '日本🦆']) },
  ];
  const start = random() < 0.2 ? { start: time - 1000n } : {};
  const chance = random();
  if (chance < 0.7) return { kind: 'sample', time, ...start, value: pick([...VALUES, ...NANS]), labels };
  if (chance < 0.8) {
    const histogram = nativeHistogram(pick(Object.values(HISTOGRAM_CASES)));
    return { kind: 'histogram', time, ...start, labels, histogram };
  }
  if (chance < 0.85) return { kind: 'histogram', time, labels, histogram: { type: 'float', stale: true } };
  if (chance < 0.95)
    return { kind: 'exemplar', time, labels, exemplar: { value: pick([...VALUES, NANS[0]!]), labels } };
  const metadata = { type: 'counter', help: pick(['', 'h']), unit: 's' } as const;
  return { kind: 'metadata', name, time, metadata };
}

/** A line that `samples` cannot tell from this one, or the same line where it is no sample. */
function variant(line: string, pick: Pick): string {
  const record = decodeRecord(line);
  if (record.kind !== 'sample' || record.value === STALE_NAN) return line;
  const value = doubleOf(record.value);
  const other = Number.isNaN(value) ? pick(NANS.slice(0, 2)) : value === 0 ? bitsOf(pick([0, -0])) : record.value;
  return encodeRecord({ ...record, value: other, start: record.time - BigInt(pick([1, 2000])) });
}

/** Writes arrivals as Firehose does, more than one object an hour. */
export function writeArrivals(dir: string, lines: Arrivals): void {
  for (const [hour, all] of lines) {
    const half = Math.ceil(all.length / 2);
    for (const [index, part] of [all.slice(0, half), all.slice(half)].entries()) {
      if (part.length > 0) writeArchiveFile(dir, `${hour}/${firehoseName(hour, index)}`, [part]);
    }
  }
}

/** The name that Firehose gives an object of an hour. */
export function firehoseName(hour: string, index: number): string {
  const id = `4d0e9d4b-6f0b-8a7c-2e19-${String(index).padStart(12, '0')}`;
  return `prometheus-DeliveryStream-Xk3vQ0b1f6a5-1-${hour.replaceAll('/', '-')}-15-00-${id}.json.gz`;
}

/**
 * What is to be read of arrivals once those before an hour are compacted: of their copies only the one that came first. Copies are lines
 * that the view `samples` cannot tell apart, or that are the same.
 */
export function afterCompaction(lines: Arrivals, hour: string): Arrivals {
  const kept = new Map<string, { hour: string; line: string }>();
  const result = new Map<string, string[]>();
  for (const [arrival, all] of [...lines].sort(([a], [b]) => (a < b ? -1 : 1))) {
    result.set(arrival, arrival < hour ? [] : [...all]);
    if (arrival >= hour) continue;
    for (const line of all) {
      const key = copyKey(line);
      const known = kept.get(key);
      kept.set(key, known ? { ...known, line: merged(known.line, line) } : { hour: arrival, line });
    }
  }
  for (const { hour: arrival, line } of kept.values()) result.get(arrival)!.push(line);
  return result;
}

function copyKey(line: string): string {
  const record = decodeRecord(line);
  if (record.kind !== 'sample') return line;
  const { labels, time, value } = record;
  const what = value === STALE_NAN ? 'stale' : String(doubleOf(value));
  return JSON.stringify([labels, String(time), what]);
}

/** One sample of two copies: of starts the later one stays, of NaNs the one with the lesser bits, and one with bits before one without. */
function merged(a: string, b: string): string {
  const [left, right] = [decodeRecord(a), decodeRecord(b)];
  if (left.kind !== 'sample' || right.kind !== 'sample') return a;
  const starts = [left.start, right.start].filter((start) => start !== undefined).sort((x, y) => (x < y ? -1 : 1));
  const start = starts.at(-1);
  const withBits = [left.value, right.value].filter((bits) =>
    encodeRecord({ ...left, value: bits }).includes('"bits"'),
  );
  const [value = left.value] = withBits.sort((x, y) => (x < y ? -1 : 1));
  return encodeRecord({ ...left, value, ...(start !== undefined && { start }) });
}
