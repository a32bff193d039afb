import {
  bitsOf,
  nameOf,
  sortLabels,
  type ArchiveRecord,
  type DoubleBits,
  type HistogramRecord,
  type Label,
  type MetadataRecord,
} from '../../src/record.ts';

/**
 * A series as a test describes it, once for both versions of remote write (described_request.ts encodes it) and for the archive
 * (`archivedRecords`).
 */
export interface DescribedSeries {
  readonly labels: Texts;
  readonly samples?: readonly DescribedSample[];
  readonly histograms?: readonly DescribedHistogram[];
  readonly exemplars?: readonly DescribedExemplar[];
  readonly metadata?: MetadataRecord['metadata'];
  /** Why all of it is rejected; absent where it is archived. */
  readonly rejected?: string;
}

export type Texts = Readonly<Record<string, string>>;

interface Point {
  /** Milliseconds since the epoch. */
  readonly time: bigint;
  /** Start timestamp; remote write 1.0 has no field for it. */
  readonly start?: bigint;
}

export interface DescribedSample extends Point {
  readonly value: DoubleBits;
}

export interface DescribedHistogram extends Point {
  readonly histogram: HistogramRecord['histogram'];
  /** Why it alone is rejected; absent where it is archived. */
  readonly rejected?: string;
}

export interface DescribedExemplar {
  readonly labels: Texts;
  readonly value: DoubleBits;
  readonly time: bigint;
}

/** The time of what is described, unless told. */
const NOW = 1_790_000_000_000n;
/** The time of metadata, which the adapter's clock gives. */
export const ARRIVAL = 0n;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface Times {
  readonly agoMs?: number;
  readonly startedAgoMs?: number;
}

function pointOf({ agoMs = 0, startedAgoMs }: Times): Point {
  return { time: NOW - BigInt(agoMs), ...(startedAgoMs !== undefined && { start: NOW - BigInt(startedAgoMs) }) };
}

/** @param value a bigint stands for the bits of a double */
export function sample(value: number | DoubleBits, times: Times = {}): DescribedSample {
  return { value: toBits(value), ...pointOf(times) };
}

export function histogram(value: HistogramRecord['histogram'], times: Times = {}): DescribedHistogram {
  return { histogram: value, ...pointOf(times) };
}

/** @param value a bigint stands for the bits of a double */
export function exemplar(labels: Texts, value: number | DoubleBits, { agoMs = 0 }: Times = {}): DescribedExemplar {
  return { labels, value: toBits(value), time: NOW - BigInt(agoMs) };
}

function toBits(value: number | DoubleBits): DoubleBits {
  return typeof value === 'bigint' ? value : bitsOf(value);
}

/** What the archive holds of a request, in the order of its lines. Metadata has the time ARRIVAL. */
export function archivedRecords(series: readonly DescribedSeries[], version: '1.0' | '2.0'): ArchiveRecord[] {
  const valid = series.filter(({ rejected }) => rejected === undefined);
  const records =
    version === '2.0'
      ? valid.flatMap((one) => [...recordsOf(one, 'with start'), ...metadataOf(one)])
      : // A field of the request, behind its series.
        [...valid.flatMap((one) => recordsOf(one, 'without start')), ...valid.flatMap(metadataOf)];
  const written = new Set<string>();
  return records.filter((record) => {
    if (record.kind !== 'metadata') return true;
    const { type, help, unit } = record.metadata;
    const key = JSON.stringify([record.name, type, help, unit]);
    const isFirst = !written.has(key);
    written.add(key);
    return isFirst;
  });
}

function recordsOf(
  { labels, samples = [], histograms = [], exemplars = [] }: DescribedSeries,
  starts: 'with start' | 'without start',
): ArchiveRecord[] {
  const series = { labels: archivedLabels(labels) };
  const point = ({ time, start }: Point) =>
    start === undefined || starts === 'without start' ? { time, ...series } : { time, start, ...series };
  return [
    ...samples.map((one) => ({ kind: 'sample' as const, ...point(one), value: one.value })),
    ...histograms
      .filter(({ rejected }) => rejected === undefined)
      .map((one) => ({ kind: 'histogram' as const, ...point(one), histogram: one.histogram })),
    ...exemplars.map((one) => {
      const own = { value: one.value, labels: archivedLabels(one.labels) };
      return { kind: 'exemplar' as const, ...point(one), exemplar: own };
    }),
  ];
}

function metadataOf({ labels, metadata }: DescribedSeries): MetadataRecord[] {
  return metadata ? [{ kind: 'metadata', name: nameOf(archivedLabels(labels)), time: ARRIVAL, metadata }] : [];
}

/** Sorted, because the sender's order is its own business; without empty values, which mean no label. */
function archivedLabels(labels: Texts): Label[] {
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value }));
  return sortLabels(pairs.filter(({ value }) => value !== ''));
}
