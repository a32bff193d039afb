import { doubleOf, RESET_HINTS, STALE_NAN, type BucketSpan, type HistogramRecord } from '../../src/record.ts';
import type { PlainHistogram, PlainSpan } from './oracle_messages.ts';

/** The schema of custom buckets. */
const CUSTOM_BUCKETS = -53;
const MAX_INT64 = 2n ** 63n - 1n;

/** A histogram as the archive has it; undefined when it is none. */
export function readHistogram(message: PlainHistogram): HistogramRecord['histogram'] | undefined {
  const histogram = toHistogram(message);
  if ('stale' in histogram) return histogram;
  const isValid =
    isOfOneType(message) &&
    (message.schema === CUSTOM_BUCKETS ? areCustomBucketsValid(message) : areExponentialBucketsValid(message)) &&
    doSpansFit(message.positiveSpans, histogram.positiveBuckets.length) &&
    doSpansFit(message.negativeSpans, histogram.negativeBuckets.length) &&
    (histogram.type === 'float' ? areFloatCountsValid(message) : areIntegerCountsValid(message));
  return isValid ? histogram : undefined;
}

/** The fields of a histogram by the names of the archive, whether or not it is valid. */
export function toHistogram(message: PlainHistogram): HistogramRecord['histogram'] {
  const isFloat = message.countFloat !== undefined;
  const type = isFloat ? 'float' : 'integer';
  if (message.sum === STALE_NAN) return { type, stale: true };
  return {
    type,
    count: message.countFloat ?? message.countInt ?? 0n,
    sum: message.sum,
    schema: message.schema,
    zeroThreshold: message.zeroThreshold,
    zeroCount: message.zeroCountFloat ?? message.zeroCountInt ?? 0n,
    positiveSpans: message.positiveSpans.map(spanOf),
    positiveBuckets: isFloat ? message.positiveCounts : message.positiveDeltas,
    negativeSpans: message.negativeSpans.map(spanOf),
    negativeBuckets: isFloat ? message.negativeCounts : message.negativeDeltas,
    customValues: message.customValues,
    resetHint: RESET_HINTS[message.resetHint] ?? 'unknown',
  };
}

function spanOf({ offset, length }: PlainSpan): BucketSpan {
  return [offset, length];
}

/** Whether nothing is set that is of the other type. */
function isOfOneType(message: PlainHistogram): boolean {
  const { positiveDeltas, negativeDeltas, positiveCounts, negativeCounts } = message;
  return message.countFloat !== undefined
    ? message.zeroCountInt === undefined && positiveDeltas.length + negativeDeltas.length === 0
    : message.zeroCountFloat === undefined && positiveCounts.length + negativeCounts.length === 0;
}

function areExponentialBucketsValid({ schema, customValues }: PlainHistogram): boolean {
  return schema >= -4 && schema <= 8 && customValues.length === 0;
}

function areCustomBucketsValid(message: PlainHistogram): boolean {
  const bounds = message.customValues.map(doubleOf);
  const { positiveSpans, negativeSpans, negativeDeltas, negativeCounts } = message;
  // An upper bound is between two buckets, so there is one more bucket than bounds. All bounds may be missing.
  const bucketsSpanned = positiveSpans.reduce((sum, { offset, length }) => sum + offset + length, 0);
  return (
    bounds.every((bound, index) => Number.isFinite(bound) && (index === 0 || bounds[index - 1]! < bound)) &&
    negativeSpans.length + negativeDeltas.length + negativeCounts.length === 0 &&
    doubleOf(message.zeroThreshold) === 0 &&
    (message.zeroCountInt ?? 0n) === 0n &&
    doubleOf(message.zeroCountFloat ?? 0n) === 0 &&
    (positiveSpans[0]?.offset ?? 0) >= 0 &&
    (bounds.length === 0 || bucketsSpanned <= bounds.length + 1)
  );
}

function doSpansFit(spans: readonly PlainSpan[], bucketCount: number): boolean {
  return (
    spans.reduce((sum, { length }) => sum + length, 0) === bucketCount &&
    spans.every(({ offset }, index) => index === 0 || offset >= 0)
  );
}

function areIntegerCountsValid(message: PlainHistogram): boolean {
  const buckets = [...countsOf(message.positiveDeltas), ...countsOf(message.negativeDeltas)];
  if (buckets.some((count) => count < 0n || count > MAX_INT64)) return false;
  const observations = buckets.reduce((sum, count) => sum + count, message.zeroCountInt ?? 0n);
  const count = message.countInt ?? 0n;
  // Observations of NaN are in no bucket, and make the sum NaN.
  return Number.isNaN(doubleOf(message.sum)) ? observations <= count : observations === count;
}

/** Each delta is the difference to the bucket before it. */
function countsOf(deltas: readonly bigint[]): bigint[] {
  let count = 0n;
  return deltas.map((delta) => (count += delta));
}

function areFloatCountsValid(message: PlainHistogram): boolean {
  const { countFloat = 0n, zeroCountFloat = 0n, positiveCounts, negativeCounts } = message;
  return [countFloat, zeroCountFloat, ...positiveCounts, ...negativeCounts].every((bits) => !(doubleOf(bits) < 0));
}
