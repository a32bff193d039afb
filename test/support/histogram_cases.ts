import type { WrittenHistogram, Side } from './native_histograms.ts';

const INT64_MAX = 2n ** 63n - 1n;
const EVEN: Side = [[[-2, 4]], [1, 1, 1, 1]];

/** Histograms at the edges of what the protocol allows, by name, for what is to agree with Prometheus. */
export const HISTOGRAM_CASES: Readonly<Record<string, WrittenHistogram>> = {
  'even buckets, so that quantiles meet their borders': { schema: 0, positive: EVEN },
  'even buckets on both sides': { schema: 0, positive: EVEN, negative: EVEN },
  'even buckets on both sides of a zero bucket': { schema: 0, zero: [0.01, 2], positive: EVEN, negative: EVEN },
  'even custom buckets': { schema: -53, bounds: [1, 2, 3], positive: [[[0, 4]], [1, 1, 1, 1]] },
  'the finest schema': {
    schema: 8,
    positive: [
      [
        [-700, 3],
        [600, 4],
      ],
      [5, 0, 9, 1, 2, 3, 4],
    ],
  },
  'the coarsest schema': { schema: -4, positive: [[[-3, 6]], [1, 2, 3, 4, 5, 6]] },
  'schema −1': { schema: -1, positive: [[[-1, 4]], [1, 2, 3, 4]], negative: [[[0, 2]], [3, 1]] },
  'schema 5, one bucket': { schema: 5, positive: [[[17, 1]], [11]] },
  'gaps, and a span of no length': {
    schema: 2,
    positive: [
      [
        [-9, 2],
        [3, 0],
        [4, 3],
        [100, 1],
      ],
      [4, 1, 7, 2, 2, 1],
    ],
  },
  'empty buckets at the ends and between': { schema: 1, positive: [[[0, 7]], [0, 0, 3, 0, 2, 0, 0]] },
  'all buckets empty': { schema: 1, positive: [[[0, 2]], [0, 0]] },
  'no observation': { schema: 3 },
  'no observation, custom': { schema: -53, bounds: [1] },
  'negative only': {
    schema: 3,
    negative: [
      [
        [-4, 3],
        [2, 2],
      ],
      [1, 6, 2, 8, 3],
    ],
  },
  'negative only, with a zero bucket': { schema: 3, zero: [0.5, 7], negative: [[[-4, 3]], [1, 6, 2]] },
  'positive only, with a zero bucket': { schema: 3, zero: [0.5, 7], positive: [[[-4, 3]], [1, 6, 2]] },
  'positive only, with an empty zero bucket': { schema: 3, zero: [0.5, 0], positive: [[[2, 3]], [1, 6, 2]] },
  'a zero bucket and empty positive ones': { schema: 3, zero: [0.5, 7], positive: [[[2, 2]], [0, 0]] },
  'only the zero bucket': { schema: 3, zero: [0.001, 9] },
  'only the zero bucket, without width': { schema: 3, zero: [0, 9] },
  'a zero bucket over parts of its neighbours': {
    schema: 0,
    zero: [3, 4],
    positive: [[[2, 2]], [5, 1]],
    negative: [[[2, 2]], [2, 3]],
  },
  'the last regular buckets and those of the infinities': {
    schema: 0,
    positive: [[[1023, 3]], [3, 2, 1]],
    negative: [[[1023, 3]], [2, 2, 2]],
  },
  'the same in the coarsest schema': { schema: -4, positive: [[[63, 3]], [3, 2, 1]], negative: [[[64, 2]], [2, 2]] },
  'the same in the finest schema': { schema: 8, positive: [[[2 ** 18 - 1, 3]], [3, 2, 1]] },
  'the smallest doubles': { schema: 0, positive: [[[-1073, 3]], [3, 2, 1]], negative: [[[-1073, 2]], [1, 1]] },
  'custom, from −infinity to a negative bound': {
    schema: -53,
    bounds: [-4, -1, 2.5],
    positive: [[[0, 4]], [3, 1, 2, 5]],
  },
  'custom, from −infinity to 0': { schema: -53, bounds: [0, 1], positive: [[[0, 2]], [3, 1]] },
  'custom, from −infinity to a positive bound': { schema: -53, bounds: [0.5, 1, 2.5], positive: [[[0, 3]], [3, 1, 2]] },
  'custom, with the overflow bucket': { schema: -53, bounds: [0.1, 10], positive: [[[1, 2]], [3, 4]] },
  'custom, only the overflow bucket': { schema: -53, bounds: [0.1, 10], positive: [[[2, 1]], [4]] },
  'custom, with gaps': {
    schema: -53,
    bounds: [1, 2, 4, 8, 16, 32],
    positive: [
      [
        [1, 1],
        [1, 2],
        [1, 1],
      ],
      [3, 1, 2, 6],
    ],
  },
  'custom, without bounds': { schema: -53, positive: [[[0, 1]], [3]] },
  'custom, float': { schema: -53, float: true, bounds: [-1, 0.25, 7], positive: [[[0, 4]], [0.5, 1.25, 3, 0.1]] },
  'custom, observations of NaN': { schema: -53, bounds: [1, 2], positive: [[[0, 2]], [3, 1]], count: 9, sum: NaN },
  'observations of NaN': { schema: 1, positive: [[[0, 3]], [3, 1, 2]], count: 12, sum: NaN },
  'observations of NaN, the last bucket empty': { schema: 1, positive: [[[0, 4]], [3, 1, 2, 0]], count: 12, sum: NaN },
  'observations of NaN, negative and zero': {
    schema: 1,
    zero: [0.25, 2],
    negative: [[[1, 2]], [3, 1]],
    count: 12,
    sum: NaN,
  },
  'observations of NaN only': { schema: 1, count: 5, sum: NaN },
  'a sum of NaN without observations of it': { schema: 1, positive: [[[0, 3]], [3, 1, 2]], sum: NaN },
  'an infinite sum': { schema: 1, positive: [[[0, 3]], [3, 1, 2]], sum: -Infinity },
  'counts up to those of uint64': { schema: 2, zero: [1e-9, 1], positive: [[[5, 2]], [INT64_MAX, INT64_MAX]] },
  'counts beyond 2^53': { schema: 4, positive: [[[5, 3]], [2n ** 53n + 1n, 1, 2n ** 55n + 3n]] },
  float: {
    schema: 3,
    float: true,
    zero: [0.001, 0.5],
    positive: [
      [
        [-2, 3],
        [4, 1],
      ],
      [0.1, 0.2, 7.75, 1e-3],
    ],
  },
  'float, both sides': {
    schema: 2,
    float: true,
    zero: [0.1, 0.7],
    positive: [[[3, 2]], [1.5, 2.5]],
    negative: [[[1, 2]], [0.3, 0.9]],
  },
  'float, a count below that of its buckets': { schema: 0, float: true, positive: [[[0, 2]], [0.1, 0.2]], count: 0.3 },
  'float, a count above that of its buckets': { schema: 0, float: true, positive: [[[0, 2]], [0.1, 0.2]], count: 0.4 },
  'float, tiny counts': { schema: 0, float: true, positive: [[[0, 3]], [1e-300, 3e-300, 5e-324]] },
  'float, huge counts': { schema: 0, float: true, positive: [[[0, 3]], [1e300, 3e300, 5e299]] },
  'float, counts of infinity': { schema: 0, float: true, positive: [[[0, 3]], [1, Infinity, 1]] },
  'float, a count of NaN': { schema: 0, float: true, positive: [[[0, 3]], [1, NaN, 1]], count: 3 },
  'float, a zero count of NaN': { schema: 0, float: true, zero: [0.5, NaN], positive: [[[0, 2]], [1, 2]], count: 3 },
  'float, the count NaN': { schema: 0, float: true, positive: [[[0, 3]], [1, 2, 1]], count: NaN },
  ...Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`made from the number ${index}`, madeFrom(index)])),
};

export const QUANTILES = [-1, 0, 1e-9, 0.01, 0.1, 0.25, 1 / 3, 0.49999999999999994, 0.5, 0.75, 0.9, 0.99].concat([
  0.999999,
  1,
  1.0000000000000002,
  NaN,
]);

/** Bounds of histogram_fraction. */
export const FRACTIONS: readonly (readonly [lower: number, upper: number])[] = [
  [-Infinity, Infinity],
  [-Infinity, 0],
  [0, 1],
  [-1, 1.5],
  [-0.0005, 0.0007],
  [1.7, 3.7],
  [-3.7, -0.3],
  [2, 1],
  [1, 1],
  [0.3, Infinity],
  [NaN, 1],
  [0, NaN],
];

/** A histogram as real ones are, of any schema, with gaps, and either type. The same number gives the same one. */
function madeFrom(number: number): WrittenHistogram {
  let state = number * 2_654_435_761 + 12_345;
  // The generator of POSIX's rand, for its few lines.
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
  const schema = below(13) - 4;
  const float = below(3) === 0;
  const side = (): Side => {
    const spans = Array.from({ length: 1 + below(5) }, (_, index): [number, number] => [
      index === 0 ? below(2 ** Math.max(1, schema + 3)) - 2 ** Math.max(0, schema + 1) : 1 + below(9),
      1 + below(12),
    ]);
    const length = spans.reduce((sum, [, span]) => sum + span, 0);
    return [spans, Array.from({ length }, () => (float ? below(10_000) / 64 : below(1_000)))];
  };
  return {
    schema,
    float,
    ...(below(2) === 0 && { zero: [2 ** -below(12), below(500)] }),
    ...(below(4) > 0 && { positive: side() }),
    ...(below(3) === 0 && { negative: side() }),
    sum: below(1_000) / 7,
  };
}
