import { bitsOf, RESET_HINTS, type BucketSpan, type NativeHistogram } from '../../../src/record.ts';
import { exemplar, histogram, HOUR, sample, type DescribedSeries } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';
import { EMPTY_HISTOGRAM } from '../../support/native_histograms.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

/** What senders send and the suite does not: nothing of it may be lost, added or changed either. */

const PAYLOAD_NAN = 0xfff8_0000_0000_0000n; // 0/0 on x86
const MAX_UINT64 = 2n ** 64n - 1n;
const ALL_PARTS = suiteHistogram(1.5, 'positive', 'negative', 'zero');

const FLOAT: NativeHistogram = {
  ...ALL_PARTS,
  type: 'float',
  count: bitsOf(9.5),
  schema: 8,
  zeroThreshold: bitsOf(2 ** -128),
  zeroCount: bitsOf(0.5),
  positiveBuckets: [1, 0.1, 2.4, 0, 1e-300].map(bitsOf),
  negativeBuckets: [3, 2.5].map(bitsOf),
};

const FLOAT_CUSTOM: NativeHistogram = {
  ...suiteHistogram(3, 'custom'),
  type: 'float',
  count: bitsOf(3),
  positiveSpans: [
    [1, 1],
    [4, 1], // the bucket above the last bound
  ],
  positiveBuckets: [1, 2].map(bitsOf),
};

const BUCKETS = Array.from({ length: 2_000 });
const SPANS = BUCKETS.map((_, index): BucketSpan => [index === 0 ? -(2 ** 31) : 2 ** 20, 1]);

const HISTOGRAMS: Readonly<Record<string, DescribedSeries['histograms']>> = {
  'an integer histogram with a start': [histogram(ALL_PARTS, { startedAgoMs: HOUR })],
  'a float histogram': [histogram(FLOAT)],
  'a float histogram with custom buckets': [histogram(FLOAT_CUSTOM)],
  'a float histogram without buckets': [
    histogram({ ...EMPTY_HISTOGRAM, type: 'float', count: bitsOf(0), zeroCount: bitsOf(0) }),
  ],
  'a stale integer histogram': [histogram({ type: 'integer', stale: true })],
  'a stale float histogram': [histogram({ type: 'float', stale: true })],
  'counts that no double holds': [histogram({ ...EMPTY_HISTOGRAM, count: MAX_UINT64, zeroCount: MAX_UINT64 })],
  'a sum that is NaN, and so more observations than the buckets have': [
    histogram({ ...ALL_PARTS, count: 100n, sum: PAYLOAD_NAN }),
  ],
  'the coarsest schema': [histogram({ ...ALL_PARTS, schema: -4 })],
  'a negative first offset': [
    histogram({
      ...ALL_PARTS,
      positiveSpans: [
        [-7, 3],
        [0, 2],
      ],
    }),
  ],
  'two thousand buckets of the longest numbers': [
    histogram({
      ...EMPTY_HISTOGRAM,
      count: MAX_UINT64,
      zeroCount: MAX_UINT64 - 1_000n * 2n ** 53n,
      positiveSpans: SPANS,
      positiveBuckets: BUCKETS.map((_, index) => (index % 2 === 0 ? 2n ** 53n : -(2n ** 53n))),
      sum: PAYLOAD_NAN,
    }),
    histogram({
      ...FLOAT,
      positiveSpans: [[-(2 ** 31), BUCKETS.length]],
      positiveBuckets: BUCKETS.map((_, index) => bitsOf(1.797693134862315e308 / (index + 1))),
      negativeSpans: [[2 ** 31 - 1, BUCKETS.length]],
      negativeBuckets: BUCKETS.map((_, index) => PAYLOAD_NAN + BigInt(index)),
    }),
  ],
  'every reset hint': RESET_HINTS.map((resetHint, index) => histogram({ ...ALL_PARTS, resetHint }, { agoMs: -index })),
};

const CASES: SuiteCase[] = [
  ...Object.entries(HISTOGRAMS).map(([name, histograms = []]) => ({
    name,
    series: [{ labels: { __name__: 'hist', job: 'test' }, histograms }],
  })),
  {
    name: 'doubles of every kind, their bits unchanged',
    series: [
      {
        labels: { __name__: 'doubles' },
        samples: [PAYLOAD_NAN, -0, 5e-324, Number.MAX_VALUE, 2 ** 53, 0.1].map((value, index) =>
          sample(value, { agoMs: index }),
        ),
        exemplars: [exemplar({}, PAYLOAD_NAN), exemplar({ trace_id: 'x' }, -0)],
      },
    ],
  },
  {
    name: 'times at the ends of int64, and 0',
    series: [
      {
        labels: { __name__: 'times' },
        samples: [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n].map((time) => ({ time, value: bitsOf(1) })),
      },
    ],
  },
  {
    name: 'labels in the order of bytes, those without a value left out',
    series: [
      {
        // U+FF5E stands before U+1F600 in bytes, and behind it in UTF-16.
        labels: { '\u{1f600}': 'last', '\uff5e': 'before', a: '1', Z: '2', __name__: 'order', empty: '' },
        samples: [sample(1)],
        exemplars: [exemplar({ '\u{1f600}': 'last', '\uff5e': 'before', empty: '' }, 1)],
      },
    ],
  },
  {
    name: 'long texts, every character of which JSON escapes',
    series: [
      {
        labels: { __name__: 'long', ['\u0001'.repeat(20_000)]: '"\\'.repeat(20_000) },
        exemplars: [exemplar({ ['\u0002'.repeat(20_000)]: '\u0003'.repeat(20_000) }, PAYLOAD_NAN)],
        metadata: { type: 'counter', help: '\u0004'.repeat(50_000), unit: '\u0005'.repeat(50_000) },
      },
    ],
  },
  {
    name: 'everything in one series, and again in another',
    series: ['first', 'second'].map((job) => ({
      labels: { __name__: 'all', job },
      samples: [sample(1, { agoMs: HOUR }), sample(2)],
      histograms: [histogram(ALL_PARTS), histogram(FLOAT, { agoMs: 1 })],
      exemplars: [exemplar({ trace_id: job }, 1), exemplar({}, 2)],
      // The same for both: one line.
      metadata: { type: 'histogram', help: 'All of it', unit: '' },
    })),
  },
  {
    name: 'metadata that changes within the request: both',
    series: ['before', 'after'].map((help) => ({
      labels: { __name__: 'changing', help },
      samples: [sample(1)],
      metadata: { type: 'gauge', help, unit: '' },
    })),
  },
  {
    name: 'nameless series of every kind between valid ones: these are archived',
    series: [
      { labels: { __name__: 'first' }, samples: [sample(1)] },
      { labels: { job: 'x' }, samples: [sample(1), sample(2)], rejected: 'no_metric_name' },
      { labels: { __name__: 'second' }, histograms: [histogram(ALL_PARTS)] },
      { labels: { job: 'x' }, histograms: [histogram(FLOAT)], rejected: 'no_metric_name' },
      { labels: { __name__: 'third' }, exemplars: [exemplar({}, 1)] },
      { labels: { job: 'x' }, exemplars: [exemplar({}, 1)], rejected: 'no_metric_name' },
      {
        labels: { __name__: '' },
        metadata: { type: 'gauge', help: 'Of nothing', unit: '' },
        rejected: 'no_metric_name',
      },
      { labels: { __name__: 'fourth' }, metadata: { type: 'gauge', help: 'Of something', unit: '' } },
    ],
  },
  { name: 'a request of nothing', series: [] },
  { name: 'a series of nothing', series: [{ labels: { __name__: 'nothing' }, samples: [] }] },
  {
    name: 'the most that a sender puts into one request by default',
    series: Array.from({ length: 2_000 }, (_, index) => ({
      labels: { __name__: `metric_${index}`, instance: `host-${index % 100}:9100`, job: 'node' },
      samples: [sample(index / 7)],
    })),
  },
];

testArchived(CASES);
