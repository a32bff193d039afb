import { bitsOf, type BucketSpan, type NativeHistogram } from '../../src/record.ts';
import { EMPTY_HISTOGRAM } from './native_histograms.ts';

/** What JavaScript writes for NaN: other bits than Prometheus's own. */
const NAN_BITS = 0x7ff8000000000000n;
/** What client libraries take for the width of the zero bucket unless told. */
const ZERO_THRESHOLD = 2 ** -128;

/** A series that is a native histogram, as one scrape shows it. */
export interface HistogramSeries {
  readonly name: string;
  /** The value of its label `case`; empty where it has none. */
  readonly case: string;
  /** As it is written and archived: Prometheus tells resets to nobody, only that a histogram is a gauge. */
  readonly histogram: NativeHistogram;
}

/** What a native histogram can be, anew for each scrape. */
export function histogramSeries(scrape: number): HistogramSeries[] {
  const seriesOf = (name: string, histograms: Readonly<Record<string, NativeHistogram>>) =>
    Object.entries(histograms).map(([text, histogram]) => ({ name, case: text, histogram }));
  return [
    ...seriesOf('native_requests_seconds', integerHistograms(scrape)),
    ...seriesOf('native_weight', floatHistograms(scrape)),
    ...seriesOf('native_temperature_celsius', {
      '': { ...oneBucket(1_000n - BigInt((scrape * 37) % 100)), resetHint: 'gauge' },
    }),
  ];
}

/** Growing, reset, coming and going, and at the limits of what they can hold. */
function integerHistograms(scrape: number): Record<string, NativeHistogram> {
  // Falls back to 1 every 7 scrapes: a counter reset.
  const count = BigInt(1 + (scrape % 7));
  const hasGrown = scrape % 10 >= 5;
  return {
    // Of five scrapes in ten, a bucket more.
    'both sides': integer({
      count: 11n * count + 2n + (hasGrown ? count : 0n),
      sum: bitsOf(scrape * 0.1),
      schema: 3,
      zeroThreshold: bitsOf(ZERO_THRESHOLD),
      zeroCount: 2n,
      positiveSpans: [
        [-2, 2],
        [3, hasGrown ? 2 : 1],
      ],
      positiveBuckets: [count, count, -count, ...(hasGrown ? [0n] : [])],
      negativeSpans: [
        [0, 1],
        [2, 1],
      ],
      negativeBuckets: [4n * count, -count],
    }),
    'lowest schema': oneBucket(count, { schema: -4 }),
    'highest schema': oneBucket(count, { schema: 8, positiveSpans: [[-2_000, 1]] }),
    // From a finer schema to a coarser one is no reset, and back is one.
    'changes its schema': oneBucket(
      BigInt(scrape),
      hasGrown ? { schema: 2, positiveSpans: [[3, 1]] } : { schema: 4, positiveSpans: [[9, 1]] },
    ),
    'zero bucket only': integer({ count, zeroCount: count, zeroThreshold: bitsOf(0.001) }),
    'nothing observed': integer({ zeroThreshold: bitsOf(ZERO_THRESHOLD) }),
    // What is not a number is in no bucket.
    'NaN observed': oneBucket(count, { count: count + 1n, sum: NAN_BITS }),
    'sum of +Inf': oneBucket(count, { sum: bitsOf(Infinity) }),
    'sum of -Inf': oneBucket(count, { sum: bitsOf(-Infinity) }),
    'beyond 2^53': oneBucket(9_007_199_254_740_993n + BigInt(scrape)),
    'beyond 2^62': oneBucket(4_611_686_018_427_387_905n + BigInt(scrape)),
    'many buckets': manyBuckets(scrape),
    ...(scrape % 4 < 2 && { 'comes and goes': oneBucket(count) }),
  };
}

function floatHistograms(scrape: number): Record<string, NativeHistogram> {
  return {
    'both sides': float({
      count: bitsOf(scrape * 2.75 + 0.25),
      sum: bitsOf(scrape * 0.3),
      schema: 1,
      zeroThreshold: bitsOf(0.001),
      zeroCount: bitsOf(0.25),
      positiveSpans: [
        [0, 1],
        [1, 1],
      ],
      positiveBuckets: [scrape * 0.5, scrape * 1.25].map(bitsOf),
      negativeSpans: [[3, 1]],
      negativeBuckets: [bitsOf(scrape)],
    }),
    'huge and tiny': float({
      count: bitsOf(Number.MAX_VALUE),
      sum: NAN_BITS,
      zeroThreshold: bitsOf(0.001),
      zeroCount: bitsOf(Number.MIN_VALUE),
      positiveSpans: [[0, 2]],
      positiveBuckets: [0.1, Number.MAX_VALUE].map(bitsOf),
    }),
  };
}

function oneBucket(count: bigint, fields: Partial<NativeHistogram> = {}): NativeHistogram {
  const positiveSpans: BucketSpan[] = [[1, 1]];
  return integer({ count, sum: bitsOf(Number(count) / 7), positiveSpans, positiveBuckets: [count], ...fields });
}

function manyBuckets(scrape: number): NativeHistogram {
  const counts = Array.from({ length: 160 }, (_, index) => BigInt(scrape * (1 + (index % 5))));
  return integer({
    count: counts.reduce((sum, count) => sum + count, 0n),
    sum: bitsOf(scrape * 1e6),
    schema: 5,
    zeroThreshold: bitsOf(ZERO_THRESHOLD),
    positiveSpans: [[-80, counts.length]],
    positiveBuckets: counts.map((count, index) => count - (counts[index - 1] ?? 0n)),
  });
}

function integer(fields: Partial<NativeHistogram>): NativeHistogram {
  return { ...EMPTY_HISTOGRAM, type: 'integer', ...fields };
}

function float(fields: Partial<NativeHistogram>): NativeHistogram {
  return { ...EMPTY_HISTOGRAM, type: 'float', ...fields };
}
