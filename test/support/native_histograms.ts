import { bitsOf, type NativeHistogram } from '../../src/record.ts';

/** An integer histogram without any buckets. 0 is all bits zero, so that its counts are right for a float one, too. */
export const EMPTY_HISTOGRAM: NativeHistogram = {
  type: 'integer',
  count: 0n,
  sum: bitsOf(0),
  schema: 0,
  zeroThreshold: bitsOf(0),
  zeroCount: 0n,
  positiveSpans: [],
  positiveBuckets: [],
  negativeSpans: [],
  negativeBuckets: [],
  customValues: [],
  resetHint: 'unknown',
};
