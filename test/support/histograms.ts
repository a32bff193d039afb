import type { ArchiveRecord, BucketSpan, HistogramRecord } from '../../src/record.ts';
import { sampleKey } from './samples.ts';

export type Histogram = HistogramRecord['histogram'];

/** Native histograms by (labels, time), as a SampleSet has samples. */
export type HistogramSet = Map<string, Histogram>;

/** The schema of histograms with custom buckets. */
const CUSTOM_BUCKETS_SCHEMA = -53;

/**
 * A histogram as text, equal where two histograms are the same but for what Prometheus (seen with 3.5) does not keep as it wrote it:
 * its TSDB gives a histogram the empty buckets of its neighbours, so only buckets that are not empty are in here, by their index; it
 * computes reset hints anew, all but "gauge"; its remote read leaves the bounds of custom buckets out.
 */
export function comparable(histogram: Histogram): string {
  if ('stale' in histogram) return `${histogram.type}, stale`;
  const { type, count, sum, schema, zeroThreshold, zeroCount, resetHint } = histogram;
  const isInteger = type === 'integer';
  const positive = bucketsOf(histogram.positiveSpans, histogram.positiveBuckets, isInteger);
  const negative = bucketsOf(histogram.negativeSpans, histogram.negativeBuckets, isInteger);
  return (
    `${type}${resetHint === 'gauge' ? ' gauge' : ''}, count ${count}, sum ${sum}, schema ${schema}, ` +
    `${zeroCount} up to ${zeroThreshold}, positive ${positive}, negative ${negative}`
  );
}

/** `index:count` of the buckets that are not empty; counts are integers, or doubles by their bits. */
function bucketsOf(spans: readonly BucketSpan[], buckets: readonly bigint[], areDeltas: boolean): string {
  const filled: string[] = [];
  let next = 0;
  let index = 0;
  let count = 0n;
  for (const [offset, length] of spans) {
    index += offset;
    for (let end = index + length; index < end; index++) {
      const bucket = buckets[next++]!;
      count = areDeltas ? count + bucket : bucket;
      if (count !== 0n) filled.push(`${index}:${count}`);
    }
  }
  return filled.join(' ');
}

/** The histograms of an archive, as {@link comparable} has them, by (labels, time). */
export function histogramEntries(records: readonly ArchiveRecord[]): (readonly [key: string, text: string])[] {
  return records.flatMap((record) =>
    record.kind === 'histogram' ? [[sampleKey(record.labels, record.time), comparable(record.histogram)] as const] : [],
  );
}

/** What a table of histograms counts them by. */
export function kindOf(histogram: Histogram): string {
  if ('stale' in histogram) return `${histogram.type} stale`;
  return `${histogram.type} ${hasCustomBuckets(histogram) ? 'custom' : 'exponential'}`;
}

export function hasCustomBuckets(histogram: Histogram): boolean {
  return 'schema' in histogram && histogram.schema === CUSTOM_BUCKETS_SCHEMA;
}

/** How many histograms there are of each kind, in words. */
export function countKinds(records: readonly ArchiveRecord[]): string {
  const counts = new Map<string, number>();
  for (const record of records) {
    if (record.kind !== 'histogram') continue;
    const kind = kindOf(record.histogram);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts]
    .sort()
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}
