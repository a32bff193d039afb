import fc from 'fast-check';
import { bitsOf, doubleOf, ORDINARY_NAN } from '../../src/record.ts';
import { bucketsSpanned, VALID, type Histograms } from './arbitrary_histograms.ts';
import type { PlainHistogram, PlainSpan } from './oracle_messages.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
const ONE = bitsOf(1);
const LEAST = bitsOf(5e-324);
const NEGATIVE = fc.constantFrom(bitsOf(-1), bitsOf(-5e-324), bitsOf(-Infinity));
const NO_SPAN = { offset: 0, length: 0 };
const ONE_BUCKET = { offset: 0, length: 1 };

const { integerExponential, integerCustom, floatExponential, floatCustom } = VALID;
const exponential: Histograms = fc.oneof(integerExponential, floatExponential);
const custom: Histograms = fc.oneof(integerCustom, floatCustom);

const counted = integerExponential.filter((histogram) => countOf(histogram) > 0n);
const hasSum = ({ sum }: PlainHistogram) => !Number.isNaN(doubleOf(sum));
const unknownSchema = fc
  .oneof(fc.constantFrom(-5, 9, -52, -54, 53), fc.integer())
  .filter((schema) => schema !== -53 && (schema < -4 || schema > 8));

/** Valid histograms, each changed so that it breaks one rule and keeps all the others. */
const BROKEN: Record<string, Histograms> = {
  'a zero count that is a float, in an integer histogram': changed(integerExponential, (histogram) => ({
    countInt: countOf(histogram) - (histogram.zeroCountInt ?? 0n),
    zeroCountInt: undefined,
    zeroCountFloat: 0n,
  })),
  'a zero count that is an integer, in a float histogram': changed(floatExponential, () => ({
    zeroCountInt: 0n,
    zeroCountFloat: undefined,
  })),
  'positive counts in an integer histogram': changed(integerExponential, () => ({ positiveCounts: [0n] })),
  'negative counts in an integer histogram': changed(integerExponential, () => ({ negativeCounts: [0n] })),
  'positive deltas in a float histogram': changed(floatExponential, () => ({ positiveDeltas: [0n] })),
  'negative deltas in a float histogram': changed(floatExponential, () => ({ negativeDeltas: [0n] })),

  'an unknown schema': changedBy(exponential, unknownSchema, (_, schema) => ({ schema })),
  'bounds in an exponential histogram': changed(exponential, () => ({ customValues: [ONE] })),

  'a bound twice': changed(custom, ({ customValues }) => ({
    customValues: customValues.length === 0 ? [ONE, ONE] : [...customValues, customValues.at(-1)!],
  })),
  'bounds −0 and 0': changed(integerCustom, () => ({ ...EMPTY, customValues: [bitsOf(-0), 0n] })),
  'bounds that fall': changed(custom, ({ customValues }) => ({
    customValues: [...customValues, bitsOf(Number.MAX_VALUE), bitsOf(-Number.MAX_VALUE)],
  })),
  'a bound that is infinity': changed(custom, ({ customValues }) => ({
    customValues: [...customValues, bitsOf(Infinity)],
  })),
  'a bound that is minus infinity': changed(custom, ({ customValues }) => ({
    customValues: [bitsOf(-Infinity), ...customValues],
  })),
  'a bound that is NaN': changed(custom, ({ customValues }) => ({ customValues: [...customValues, ORDINARY_NAN] })),
  'one bound too few': changed(
    custom.filter((histogram) => bucketsSpanned(histogram) > 2),
    (histogram) => ({ customValues: histogram.customValues.slice(0, bucketsSpanned(histogram) - 2) }),
  ),
  'a custom bucket below the first': changed(custom, ({ positiveSpans: [first = NO_SPAN, ...rest] }) => ({
    positiveSpans: [{ ...first, offset: -1 }, ...rest],
  })),
  'a negative span in a custom histogram': changed(custom, () => ({ negativeSpans: [NO_SPAN] })),
  'a negative side of an integer custom histogram': changed(integerCustom, () => ({
    negativeSpans: [ONE_BUCKET],
    negativeDeltas: [0n],
  })),
  'a negative side of a float custom histogram': changed(floatCustom, () => ({
    negativeSpans: [ONE_BUCKET],
    negativeCounts: [0n],
  })),
  'a zero count in an integer custom histogram': changed(
    integerCustom.filter((histogram) => countOf(histogram) < MAX_UINT64),
    (histogram) => ({ zeroCountInt: 1n, countInt: countOf(histogram) + 1n }),
  ),
  'a zero count in a float custom histogram': changedBy(
    floatCustom,
    fc.constantFrom(ONE, LEAST, ORDINARY_NAN),
    (_, zeroCountFloat) => ({ zeroCountFloat }),
  ),
  'a zero threshold in a custom histogram': changedBy(
    custom,
    fc.constantFrom(ONE, LEAST, bitsOf(-1), ORDINARY_NAN),
    (_, zeroThreshold) => ({ zeroThreshold }),
  ),

  'a positive span without its bucket': changed(exponential, ({ positiveSpans }) => ({
    positiveSpans: [...positiveSpans, ONE_BUCKET],
  })),
  'a negative span without its buckets': changed(exponential, ({ negativeSpans }) => ({
    negativeSpans: [...negativeSpans, { offset: 0, length: 2 ** 32 - 1 }],
  })),
  'a positive bucket without its span': changed(integerExponential, ({ positiveDeltas }) => ({
    positiveDeltas: [...positiveDeltas, -lastOf(positiveDeltas)],
  })),
  'a negative bucket without its span': changed(floatExponential, ({ negativeCounts }) => ({
    negativeCounts: [...negativeCounts, 0n],
  })),
  'a positive span that goes back': changed(exponential, ({ positiveSpans }) => ({
    positiveSpans: [NO_SPAN, ...positiveSpans.map(notFirst), { offset: -1, length: 0 }],
  })),
  'a negative span that goes back': changed(exponential, ({ negativeSpans }) => ({
    negativeSpans: [NO_SPAN, { offset: -(2 ** 31), length: 0 }, ...negativeSpans.map(notFirst)],
  })),

  'a bucket below 0': changed(counted, (histogram) => ({
    countInt: countOf(histogram) - 1n,
    negativeSpans: [...histogram.negativeSpans, ONE_BUCKET],
    negativeDeltas: [...histogram.negativeDeltas, -lastOf(histogram.negativeDeltas) - 1n],
  })),
  'a bucket past int64': changed(integerExponential, () => ({
    ...EMPTY,
    countInt: MAX_UINT64,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveDeltas: [MAX_INT64, 1n],
  })),
  'a sum of buckets past uint64': changed(integerExponential, () => ({
    ...EMPTY,
    countInt: (3n * MAX_INT64) % (MAX_UINT64 + 1n),
    positiveSpans: [{ offset: 0, length: 3 }],
    positiveDeltas: [MAX_INT64, 0n, 0n],
  })),
  'a count that is one too large': changed(
    integerExponential.filter((histogram) => hasSum(histogram) && countOf(histogram) < MAX_UINT64),
    (histogram) => ({ countInt: countOf(histogram) + 1n }),
  ),
  'a count that is one too small': changed(counted.filter(hasSum), (histogram) => ({
    countInt: countOf(histogram) - 1n,
  })),
  'a count that is one too small, with observations of NaN': changed(counted.filter(hasSum), (histogram) => ({
    countInt: countOf(histogram) - 1n,
    sum: ORDINARY_NAN,
  })),
  'no count where there are observations': changed(counted.filter(hasSum), () => ({ countInt: undefined })),

  'a float count below 0': changedBy(floatExponential, NEGATIVE, (_, countFloat) => ({ countFloat })),
  'a float zero count below 0': changedBy(floatExponential, NEGATIVE, (_, zeroCountFloat) => ({ zeroCountFloat })),
  'a float bucket below 0': changedBy(
    fc.oneof(floatExponential, floatCustom).filter(({ positiveCounts }) => positiveCounts.length > 0),
    fc.record({ count: NEGATIVE, at: fc.nat() }),
    ({ positiveCounts }, { count, at }) => ({ positiveCounts: positiveCounts.with(at % positiveCounts.length, count) }),
  ),
  'a float bucket below 0 on the negative side': changedBy(floatExponential, NEGATIVE, (histogram, count) => ({
    negativeSpans: [...histogram.negativeSpans, ONE_BUCKET],
    negativeCounts: [...histogram.negativeCounts, count],
  })),
};

export const BROKEN_HISTOGRAMS: readonly (readonly [rule: string, Histograms])[] = Object.entries(BROKEN);

/** What an integer histogram without an observation has. */
const EMPTY: Partial<PlainHistogram> = {
  countInt: 0n,
  sum: 0n,
  zeroCountInt: 0n,
  positiveSpans: [],
  positiveDeltas: [],
  negativeSpans: [],
  negativeDeltas: [],
};

function changed(histograms: Histograms, change: (histogram: PlainHistogram) => Partial<PlainHistogram>): Histograms {
  return histograms.map((histogram) => ({ ...histogram, ...change(histogram) }));
}

function changedBy<Value>(
  histograms: Histograms,
  values: fc.Arbitrary<Value>,
  change: (histogram: PlainHistogram, value: Value) => Partial<PlainHistogram>,
): Histograms {
  return fc.tuple(histograms, values).map(([histogram, value]) => ({ ...histogram, ...change(histogram, value) }));
}

function countOf({ countInt = 0n }: PlainHistogram): bigint {
  return countInt;
}

/** What is in the last bucket. */
function lastOf(deltas: readonly bigint[]): bigint {
  return deltas.reduce((sum, delta) => sum + delta, 0n);
}

/** A span behind another, which can't have an offset below 0. */
function notFirst({ offset, length }: PlainSpan): PlainSpan {
  return { offset: Math.max(0, offset), length };
}
