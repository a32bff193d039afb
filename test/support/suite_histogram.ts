import { bitsOf, type NativeHistogram } from '../../src/record.ts';
import { EMPTY_HISTOGRAM } from './native_histograms.ts';

/** The parts that a histogram of the official suite is put together from. */
export type HistogramPart = 'positive' | 'negative' | 'zero' | 'custom' | 'bad count';

/** The histograms that the official suite sends, by the numbers that it has in request.go. */
export function suiteHistogram(sum: number, ...parts: readonly HistogramPart[]): NativeHistogram {
  const has = (part: HistogramPart) => parts.includes(part);
  const positive = {
    positiveSpans: [
      [0, 3],
      [2, 2],
    ],
    positiveBuckets: [1n, 2n, 1n, 3n, 1n], // 1, 3, 4, 7, 8
  } as const;
  const negative = { negativeSpans: [[0, 2]], negativeBuckets: [1n, 1n] } as const; // 1, 2
  const custom = {
    schema: -53,
    customValues: [0.1, 0.5, 1, 2.5, 5, 10].map(bitsOf),
    positiveSpans: [[0, 6]],
    positiveBuckets: [2n, 1n, 2n, 3n, -1n, -2n], // 2, 3, 5, 8, 7, 5
  } as const;
  const count = has('custom')
    ? 30n
    : (has('positive') ? 23n : 0n) + (has('negative') ? 3n : 0n) + (has('zero') ? 1n : 0n);
  return {
    ...EMPTY_HISTOGRAM,
    sum: bitsOf(sum),
    count: has('bad count') ? 99n : count,
    ...(has('positive') && positive),
    ...(has('negative') && negative),
    ...(has('zero') && { zeroCount: 1n }),
    ...(has('custom') && custom),
  };
}
