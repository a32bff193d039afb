import type { Count, HistogramReader, Side } from './histogram_reader.ts';
import { DELTA_SLOTS, SPAN_SLOTS } from './histogram_reader.ts';

const MIN_SCHEMA = -4;
const MAX_SCHEMA = 8;
const CUSTOM_BUCKETS_SCHEMA = -53;

/**
 * What makes a native histogram invalid, by the rules of Prometheus's own receiver (model/histogram, Validate), for people; undefined when it is
 * valid. A stale histogram is always valid: its other fields mean nothing.
 *
 * @param view of the bytes that the histogram was read from
 */
export function histogramProblem(histogram: HistogramReader, view: DataView): string | undefined {
  return (
    problemOfTypes(histogram) ??
    problemOfSchema(histogram, view) ??
    problemOfSpans(histogram) ??
    problemOfCounts(histogram, view)
  );
}

/** The last member of the oneof `count` on the wire tells whether it is a float histogram. */
function problemOfTypes({ count, zeroCount, negative, positive }: HistogramReader): string | undefined {
  if (zeroCount.isGiven && zeroCount.isFloat !== count.isFloat)
    return 'whose zero count is of another type than its count';
  const isMixed = ({ deltas, counts }: Side) => (count.isFloat ? deltas : counts).length > 0;
  if (isMixed(negative) || isMixed(positive)) return 'whose buckets are of another type than its count';
  return undefined;
}

function problemOfSchema(histogram: HistogramReader, view: DataView): string | undefined {
  const { schema, customValues, negative, positive, zeroCount, zeroThresholdAt } = histogram;
  if (schema >= MIN_SCHEMA && schema <= MAX_SCHEMA) {
    return customValues.length > 0 ? `of schema ${schema} with custom bucket bounds` : undefined;
  }
  if (schema !== CUSTOM_BUCKETS_SCHEMA) return `of schema ${schema}, which is none of −4 to 8 and −53`;

  let previous = -Infinity;
  for (let slot = 0; slot < customValues.length; slot++) {
    const bound = view.getFloat64(customValues.slots[slot]!, true);
    if (!Number.isFinite(bound)) return 'whose custom bucket bounds are not all finite';
    if (bound <= previous) return 'whose custom bucket bounds do not increase';
    previous = bound;
  }
  const hasNegativeSide = negative.spans.length + negative.deltas.length + negative.counts.length > 0;
  if (hasNegativeSide) return 'of custom buckets with a negative side';
  if (valueOf(zeroCount, view) !== 0 || doubleAt(view, zeroThresholdAt) !== 0)
    return 'of custom buckets with a zero bucket';
  // Prometheus 3.5 leaves the bounds out of remote write 1.0. Count and sum are worth keeping without them.
  if (customValues.length > 0 && reachOf(positive) > customValues.length + 1)
    return 'with more custom buckets than bounds';
  return undefined;
}

function problemOfSpans({ count, negative, positive, schema }: HistogramReader): string | undefined {
  for (const { spans, deltas, counts } of [negative, positive]) {
    let length = 0;
    for (let slot = 0; slot < spans.length; slot += SPAN_SLOTS) {
      const mayBeNegative = slot === 0 && schema !== CUSTOM_BUCKETS_SCHEMA;
      if (spans.slots[slot]! < 0 && !mayBeNegative) return 'with a negative offset of a span';
      length += spans.slots[slot + 1]! >>> 0;
    }
    const buckets = count.isFloat ? counts.length : deltas.length / DELTA_SLOTS;
    if (length !== buckets) return `whose spans have ${length} buckets where ${buckets} are given`;
  }
  return undefined;
}

function problemOfCounts(
  { count, zeroCount, sumAt, negative, positive }: HistogramReader,
  view: DataView,
): string | undefined {
  if (count.isFloat) {
    const isNegative = [count, zeroCount].some((number) => valueOf(number, view) < 0);
    return isNegative || [negative, positive].some((side) => hasNegativeCount(side, view)) ? NEGATIVE : undefined;
  }
  const sums = [negative, positive].map(sumOf);
  if (sums.includes(undefined)) return NEGATIVE;
  const sum = sums.reduce((total: bigint, part) => total + (part ?? 0n), uint64(zeroCount));
  const declared = uint64(count);
  // Observations of NaN are in the count and in no bucket.
  const hasNaN = Number.isNaN(doubleAt(view, sumAt));
  if (hasNaN ? sum > declared : sum !== declared) return `whose count is ${declared} and whose buckets hold ${sum}`;
  return undefined;
}

const NEGATIVE = 'with a negative count';

/** Where the last bucket ends, counted from the first bound. */
function reachOf({ spans }: Side): number {
  let reach = 0;
  for (let slot = 0; slot < spans.length; slot += SPAN_SLOTS)
    reach += spans.slots[slot]! + (spans.slots[slot + 1]! >>> 0);
  return reach;
}

function hasNegativeCount({ counts }: Side, view: DataView): boolean {
  for (let slot = 0; slot < counts.length; slot++) if (view.getFloat64(counts.slots[slot]!, true) < 0) return true;
  return false;
}

/** The sum of the counts of one side; undefined when a count is negative or over int64. */
function sumOf({ deltas: { slots, length } }: Side): bigint | undefined {
  let count = 0;
  let sum = 0;
  for (let slot = 0; slot < length; slot += DELTA_SLOTS) {
    count += slots[slot + 1]! * 2 ** 32 + (slots[slot]! >>> 0);
    if (count < 0) return undefined;
    sum += count;
    // Until here all of it was exact.
    if (sum > Number.MAX_SAFE_INTEGER) return exactSumOf(slots, length);
  }
  return BigInt(sum);
}

/** The same by halves, each of which a double holds: with a BigInt for every bucket a large histogram would take seconds. */
function exactSumOf(slots: Int32Array, length: number): bigint | undefined {
  let low = 0;
  let high = 0;
  let sumLow = 0;
  let sumHigh = 0;
  for (let slot = 0; slot < length; slot += DELTA_SLOTS) {
    low += slots[slot]! >>> 0;
    high += slots[slot + 1]!;
    if (low >= 2 ** 32) {
      low -= 2 ** 32;
      high++;
    }
    if (high < 0 || high >= 2 ** 31) return undefined;
    sumLow += low;
    sumHigh += high;
    if (sumLow >= 2 ** 32) {
      sumLow -= 2 ** 32;
      sumHigh++;
    }
  }
  return BigInt(sumHigh) * 2n ** 32n + BigInt(sumLow);
}

function valueOf(count: Count, view: DataView): number {
  if (!count.isGiven) return 0;
  return count.isFloat ? view.getFloat64(count.at, true) : Number(uint64(count));
}

function uint64({ low, high }: Count): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function doubleAt(view: DataView, at: number): number {
  return at < 0 ? 0 : view.getFloat64(at, true);
}
