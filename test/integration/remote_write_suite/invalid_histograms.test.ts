import { bitsOf, type NativeHistogram } from '../../../src/record.ts';
import { exemplar, histogram } from '../../support/described_series.ts';
import { testArchived } from '../../support/remote_write.ts';
import { EMPTY_HISTOGRAM } from '../../support/native_histograms.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

/**
 * Native histograms on either side of what is valid. Prometheus 3.5.3 draws the same line but in six cases, which it stores: schemas of no
 * kind, custom bounds that are NaN, and float counts and zero counts below 0.
 */

const EXPONENTIAL = suiteHistogram(1, 'positive', 'negative', 'zero');
const CUSTOM = suiteHistogram(1, 'custom');
const FLOAT: NativeHistogram = {
  ...EXPONENTIAL,
  type: 'float',
  count: bitsOf(27),
  zeroCount: bitsOf(1),
  positiveBuckets: [1, 3, 4, 7, 8].map(bitsOf),
  negativeBuckets: [1, 2].map(bitsOf),
};
const NAN = bitsOf(NaN);

const INVALID: Readonly<Record<string, NativeHistogram>> = {
  'fewer observations than its buckets have': { ...EXPONENTIAL, count: 26n },
  'more observations than its buckets have': { ...EXPONENTIAL, count: 28n },
  'a sum that is NaN, and fewer observations than its buckets have': { ...EXPONENTIAL, sum: NAN, count: 26n },
  'more buckets than its spans have': { ...EXPONENTIAL, positiveSpans: [[0, 4]] },
  'fewer buckets than its spans have': { ...EXPONENTIAL, negativeSpans: [[0, 3]] },
  'spans that go back': {
    ...EXPONENTIAL,
    positiveSpans: [
      [0, 3],
      [-1, 2],
    ],
  },
  'a bucket below 0': { ...EXPONENTIAL, count: 2n, negativeBuckets: [1n, -2n] },
  'a bucket beyond int64': { ...EXPONENTIAL, negativeBuckets: [2n ** 63n - 1n, 1n] },
  'a schema that is too fine': { ...EXPONENTIAL, schema: 9 },
  'a schema that is too coarse': { ...EXPONENTIAL, schema: -5 },
  'a schema of no kind': { ...EXPONENTIAL, schema: -52 },
  'custom bounds without their schema': { ...EXPONENTIAL, customValues: [bitsOf(1)] },
  'custom bounds that stand still': { ...CUSTOM, customValues: [0.1, 0.5, 0.5, 2.5, 5, 10].map(bitsOf) },
  'custom bounds that fall': { ...CUSTOM, customValues: [0.1, 0.5, 1, 2.5, 10, 5].map(bitsOf) },
  'a custom bound that is infinite': { ...CUSTOM, customValues: [0.1, 0.5, 1, 2.5, 5, Infinity].map(bitsOf) },
  'a custom bound that is NaN': { ...CUSTOM, customValues: [0.1, 0.5, NaN, 2.5, 5, 10].map(bitsOf) },
  'custom buckets and a negative side': { ...CUSTOM, count: 33n, negativeSpans: [[0, 2]], negativeBuckets: [1n, 1n] },
  'custom buckets and a zero bucket': { ...CUSTOM, count: 31n, zeroCount: 1n },
  'custom buckets and a zero threshold': { ...CUSTOM, zeroThreshold: bitsOf(0.1) },
  'custom buckets past the last bound': { ...CUSTOM, customValues: [0.1, 0.5, 1, 2.5].map(bitsOf) },
  'custom buckets before the first bound': { ...CUSTOM, positiveSpans: [[-1, 6]] },
  'a float count below 0': { ...FLOAT, count: bitsOf(-1) },
  'a float zero count below 0': { ...FLOAT, zeroCount: bitsOf(-1) },
  'a float bucket below 0': { ...FLOAT, positiveBuckets: [1, 3, 4, 7, -8].map(bitsOf) },
};

const VALID: Readonly<Record<string, NativeHistogram>> = {
  'a sum that is NaN, and as many observations as its buckets have': { ...EXPONENTIAL, sum: NAN },
  'a sum that is infinite': { ...EXPONENTIAL, sum: bitsOf(-Infinity) },
  'spans of no length': {
    ...EXPONENTIAL,
    positiveSpans: [
      [5, 0],
      [0, 3],
      [0, 0],
      [2, 2],
    ],
  },
  'a bucket that falls to 0': { ...EMPTY_HISTOGRAM, count: 5n, positiveSpans: [[0, 2]], positiveBuckets: [5n, -5n] },
  'the finest schema': { ...EXPONENTIAL, schema: 8 },
  'as many custom buckets as bounds, and the one above': { ...CUSTOM, customValues: [0.1, 0.5, 1, 2.5, 5].map(bitsOf) },
  'custom buckets without a bound': {
    ...EMPTY_HISTOGRAM,
    count: 3n,
    schema: -53,
    positiveSpans: [[0, 1]],
    positiveBuckets: [3n],
  },
  'custom buckets with a zero threshold of -0': { ...CUSTOM, zeroThreshold: bitsOf(-0) },
  'a custom bound below 0': { ...CUSTOM, customValues: [-0.1, 0.5, 1, 2.5, 5, 10].map(bitsOf) },
  'float counts of -0': { ...FLOAT, zeroCount: bitsOf(-0), negativeBuckets: [-0, 2].map(bitsOf) },
  'a float count that is not the sum of its buckets': { ...FLOAT, count: bitsOf(1) },
};

testArchived([
  ...Object.entries(INVALID).map(([name, invalid]) => ({
    name: `rejects ${name}, and nothing beside it`,
    series: [
      {
        labels: { __name__: 'hist' },
        histograms: [
          histogram(EXPONENTIAL, { agoMs: 3 }),
          { ...histogram(invalid, { agoMs: 2 }), rejected: 'invalid_histogram' },
          histogram(FLOAT, { agoMs: 1 }),
        ],
        exemplars: [exemplar({ trace_id: 'x' }, 1)],
        metadata: { type: 'histogram' as const, help: 'Of the series', unit: '' },
      },
      { labels: { __name__: 'custom' }, histograms: [histogram(CUSTOM)] },
    ],
  })),
  ...Object.entries(VALID).map(([name, valid]) => ({
    name: `takes ${name}`,
    series: [{ labels: { __name__: 'hist' }, histograms: [histogram(valid)] }],
  })),
]);
