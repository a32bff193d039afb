import fc from 'fast-check';
import { bitsOf, doubleOf, STALE_NAN } from '../../src/record.ts';
import { doubleBits, int64, nanBits } from './arbitrary_values.ts';
import type { PlainHistogram, PlainSpan } from './oracle_messages.ts';

/*
 * Native histograms as objects: such as are valid, such as are stale, such as break exactly one rule, and any at all.
 */

export type Histograms = fc.Arbitrary<PlainHistogram>;

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_INT64 = 2n ** 63n - 1n;
const MINUS_ZERO = bitsOf(-0);

/** None of it is on the wire. */
export const EMPTY_HISTOGRAM: PlainHistogram = {
  time: 0n,
  start: 0n,
  sum: 0n,
  schema: 0,
  zeroThreshold: 0n,
  negativeSpans: [],
  negativeDeltas: [],
  negativeCounts: [],
  positiveSpans: [],
  positiveDeltas: [],
  positiveCounts: [],
  resetHint: 0,
  customValues: [],
};

/** What is in a bucket of an integer histogram. */
const integerCount = fc.oneof(
  { arbitrary: fc.bigInt({ min: 0n, max: 1000n }), weight: 6 },
  fc.constantFrom(0n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 62n, MAX_INT64),
  fc.bigInt({ min: 0n, max: MAX_INT64 }),
);

/** A count of a float histogram: no number below 0, but −0 and any NaN. */
const floatCount = doubleBits.map((bits) => (doubleOf(bits) < 0 ? bits - MINUS_ZERO : bits));

const sum = doubleBits.filter((bits) => bits !== STALE_NAN);
const zero = fc.constantFrom(0n, 0n, MINUS_ZERO);

const head = fc.record({
  time: int64,
  start: fc.oneof(fc.constant(0n), int64),
  resetHint: fc.nat(3),
  sum: fc.oneof({ arbitrary: sum, weight: 5 }, nanBits),
});

const length = fc.oneof({ arbitrary: fc.integer({ min: 1, max: 4 }), weight: 6 }, fc.constantFrom(0, 20));

/** What the schemas do not have in common. */
interface Shape {
  readonly firstOffset: fc.Arbitrary<number>;
  readonly gap: fc.Arbitrary<number>;
  /** Whether there are a negative side and a zero bucket. */
  readonly isExponential: boolean;
}

const EXPONENTIAL: Shape = {
  firstOffset: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer()),
  gap: fc.oneof({ arbitrary: fc.nat(5), weight: 8 }, fc.nat()),
  isExponential: true,
};
const CUSTOM: Shape = { firstOffset: fc.nat(5), gap: fc.nat(5), isExponential: false };

interface Side<Bucket> {
  readonly spans: readonly PlainSpan[];
  readonly buckets: readonly Bucket[];
}

const NO_SIDE = { spans: [], buckets: [] };

/** Spans of one side, with the buckets that they need. */
function side<Bucket>({ firstOffset, gap }: Shape, bucket: fc.Arbitrary<Bucket>): fc.Arbitrary<Side<Bucket>> {
  return fc.oneof({ arbitrary: fc.array(length, { maxLength: 3 }), weight: 3 }, fc.constant([])).chain((lengths) => {
    const bucketCount = lengths.reduce((sum, length) => sum + length, 0);
    return fc.record({
      spans: fc.tuple(
        ...lengths.map((length, index) =>
          fc.record({ offset: index === 0 ? firstOffset : gap, length: fc.constant(length) }),
        ),
      ),
      buckets: fc.array(bucket, { minLength: bucketCount, maxLength: bucketCount }),
    });
  });
}

function integers(shape: Shape): Histograms {
  const any = side(shape, integerCount);
  const parts = fc.record({
    head,
    positive: any,
    negative: shape.isExponential ? any : fc.constant(NO_SIDE),
    zeroCount: shape.isExponential ? integerCount : fc.constant(0n),
    // Observations of NaN, which are in no bucket.
    more: fc.oneof(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: MAX_UINT64 })),
  });
  return parts.map(({ head, positive, negative, zeroCount, more }) => {
    let left = MAX_UINT64;
    const fitting = (count: bigint) => {
      const taken = count < left ? count : left;
      left -= taken;
      return taken;
    };
    const zeroCountInt = fitting(zeroCount);
    const positiveDeltas = deltasOf(positive.buckets.map(fitting));
    const negativeDeltas = deltasOf(negative.buckets.map(fitting));
    if (Number.isNaN(doubleOf(head.sum))) fitting(more);
    return {
      ...EMPTY_HISTOGRAM,
      ...head,
      countInt: MAX_UINT64 - left,
      zeroCountInt,
      positiveSpans: positive.spans,
      positiveDeltas,
      negativeSpans: negative.spans,
      negativeDeltas,
    };
  });
}

function deltasOf(counts: readonly bigint[]): bigint[] {
  return counts.map((count, index) => count - (counts[index - 1] ?? 0n));
}

function floats(shape: Shape): Histograms {
  const any = side(shape, floatCount);
  const parts = fc.record({
    head,
    positive: any,
    negative: shape.isExponential ? any : fc.constant(NO_SIDE),
    countFloat: floatCount,
    zeroCountFloat: shape.isExponential ? fc.oneof({ arbitrary: floatCount, weight: 3 }, zero) : zero,
  });
  return parts.map(({ head, positive, negative, countFloat, zeroCountFloat }) => ({
    ...EMPTY_HISTOGRAM,
    ...head,
    countFloat,
    zeroCountFloat,
    positiveSpans: positive.spans,
    positiveCounts: positive.buckets,
    negativeSpans: negative.spans,
    negativeCounts: negative.buckets,
  }));
}

function exponential(histograms: Histograms): Histograms {
  return fc
    .record({ histogram: histograms, schema: fc.integer({ min: -4, max: 8 }), zeroThreshold: doubleBits })
    .map(({ histogram, schema, zeroThreshold }) => ({ ...histogram, schema, zeroThreshold }));
}

/** Adds bounds, as many as the buckets need, or a few more. */
function custom(histograms: Histograms): Histograms {
  const bound = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  return histograms.chain((histogram) => {
    const needed = Math.max(0, bucketsSpanned(histogram) - 1);
    const bounds = fc.uniqueArray(bound, { minLength: needed, maxLength: needed + 3, selector: (value) => value + 0 });
    return fc.record({ bounds, zeroThreshold: zero }).map(({ bounds, zeroThreshold }) => {
      const customValues = bounds.toSorted((a, b) => a - b).map(bitsOf);
      return { ...histogram, schema: -53, customValues, zeroThreshold };
    });
  });
}

export function bucketsSpanned({ positiveSpans }: PlainHistogram): number {
  return positiveSpans.reduce((sum, { offset, length }) => sum + offset + length, 0);
}

/** Now and then leaves out the members of a oneof that are 0, which none means too; but not the one that tells a float histogram. */
function sparse(histograms: Histograms): Histograms {
  return fc.tuple(histograms, fc.boolean()).map(([histogram, isSparse]) => {
    const { countInt, zeroCountInt, zeroCountFloat } = histogram;
    if (!isSparse) return histogram;
    return {
      ...histogram,
      countInt: countInt === 0n ? undefined : countInt,
      zeroCountInt: zeroCountInt === 0n ? undefined : zeroCountInt,
      zeroCountFloat: zeroCountFloat === 0n ? undefined : zeroCountFloat,
    };
  });
}

/** One of each type and schema, valid and not stale. */
export const VALID = {
  integerExponential: sparse(exponential(integers(EXPONENTIAL))),
  integerCustom: sparse(custom(integers(CUSTOM))),
  floatExponential: sparse(exponential(floats(EXPONENTIAL))),
  floatCustom: sparse(custom(floats(CUSTOM))),
} as const satisfies Record<string, Histograms>;

export const validHistograms: Histograms = fc.oneof(...Object.values(VALID));

const anySpan = fc.record({ offset: fc.integer(), length: fc.nat(2 ** 32 - 1) });
const uint64 = fc.bigInt({ min: 0n, max: MAX_UINT64 });
const few = <Element>(element: fc.Arbitrary<Element>) => fc.array(element, { maxLength: 3 });

/** Any at all; nearly none of them valid. */
export const anyHistograms: Histograms = fc.record(
  {
    time: int64,
    start: int64,
    countInt: uint64,
    countFloat: doubleBits,
    sum: doubleBits,
    schema: fc.oneof(fc.constantFrom(-53, -5, 9), fc.integer({ min: -4, max: 8 }), fc.integer()),
    zeroThreshold: doubleBits,
    zeroCountInt: uint64,
    zeroCountFloat: doubleBits,
    negativeSpans: few(anySpan),
    negativeDeltas: few(int64),
    negativeCounts: few(doubleBits),
    positiveSpans: few(anySpan),
    positiveDeltas: few(int64),
    positiveCounts: few(doubleBits),
    resetHint: fc.oneof(fc.nat(5), fc.integer()),
    customValues: few(doubleBits),
  },
  {
    requiredKeys: [
      'time',
      'start',
      'sum',
      'schema',
      'zeroThreshold',
      'negativeSpans',
      'negativeDeltas',
      'negativeCounts',
      'positiveSpans',
      'positiveDeltas',
      'positiveCounts',
      'resetHint',
      'customValues',
    ],
  },
);

/** Stale, whatever else they say. */
export const staleHistograms: Histograms = fc
  .oneof(anyHistograms, validHistograms)
  .map((histogram) => ({ ...histogram, sum: STALE_NAN }));
