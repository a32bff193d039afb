import { bitsOf, type BucketSpan, type DoubleBits, type NativeHistogram } from '../../src/record.ts';

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

/** Buckets of a side: where they lie, and their absolute counts. */
export type Side = readonly [spans: readonly BucketSpan[], counts: readonly (number | bigint)[]];

/** A native histogram as a test writes it down. */
export interface WrittenHistogram {
  /** Otherwise it is an integer one. */
  readonly float?: boolean;
  readonly schema: number;
  readonly zero?: readonly [threshold: number, count: number | bigint];
  readonly positive?: Side;
  readonly negative?: Side;
  /** Upper bounds, of schema −53. */
  readonly bounds?: readonly number[];
  /** Otherwise that of the buckets. */
  readonly count?: number | bigint;
  /** Otherwise 1. */
  readonly sum?: number;
}

const NONE: Side = [[], []];

export function nativeHistogram(plain: WrittenHistogram): NativeHistogram {
  const { float = false, schema, zero = [0, 0], positive = NONE, negative = NONE, bounds = [], sum = 1 } = plain;
  const counts = [zero[1], ...positive[1], ...negative[1]];
  const total = float
    ? counts.reduce<number>((all, count) => all + Number(count), 0)
    : counts.reduce<bigint>((all, count) => all + BigInt(count), 0n);
  const { count = total } = plain;
  const one = (value: number | bigint) => (float ? bitsOf(Number(value)) : BigInt(value));
  const buckets = (values: readonly (number | bigint)[]) => (float ? values.map(one) : deltas(values.map(BigInt)));
  return {
    type: float ? 'float' : 'integer',
    count: one(count),
    sum: bitsOf(sum),
    schema,
    zeroThreshold: bitsOf(zero[0]),
    zeroCount: one(zero[1]),
    positiveSpans: positive[0],
    positiveBuckets: buckets(positive[1]),
    negativeSpans: negative[0],
    negativeBuckets: buckets(negative[1]),
    customValues: bounds.map(bitsOf),
    resetHint: 'unknown',
  };
}

/** The differences that an integer histogram keeps. */
function deltas(counts: readonly bigint[]): DoubleBits[] {
  return counts.map((count, index) => count - (counts[index - 1] ?? 0n));
}
