import { bitsOf, ORDINARY_NAN, STALE_NAN } from '../../../src/record.ts';
import { HOUR, sample, type DescribedSeries } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';

/** The suite's metric.go: CounterWithCreatedTimestamp, SingleMetric and MultipleMetrics. */
const VALUES = {
  '1.0': 1,
  StaleNaN: STALE_NAN,
  NaN: ORDINARY_NAN,
  Inf: Infinity,
  '-Inf': -Infinity,
  // The suite takes the two NaNs' bits for integers, and so sends these instead.
  'StaleNaN as a number': bitsOf(Number(STALE_NAN)),
  'NaN as a number': bitsOf(Number(ORDINARY_NAN)),
};

type Variants = readonly (readonly [name: string, ...series: readonly DescribedSeries[]])[];

const UP = { __name__: 'up', job: 'testjob' };
const NAMELESS = 'no_metric_name';

const SINGLE: Variants = [
  ['simple metric', { labels: { __name__: 'up' } }],
  ['simple metric with multiple labels', { labels: { ...UP, instance: 'localhost:9090' } }],
  ['simple metric with newlines', { labels: { __name__: 'up', job: 'test\njob\n', instance: 'localhost:9090' } }],
  [
    'simple metric with dots',
    { labels: { __name__: 'resource.cpu.usage', 'job.name': 'testjob', 'instance.name': 'localhost:9090' } },
  ],
  [
    'simple metric with spaces',
    { labels: { __name__: 'resource cpu usage', 'job name': 'testjob', 'instance name': 'localhost:9090' } },
  ],
  ['simple metric without name label', { labels: { job: 'testjob', instance: 'localhost:9090' }, rejected: NAMELESS }],
  ['empty metric', { labels: {}, rejected: NAMELESS }],
];

const named = (port: number) => ({ labels: { ...UP, instance: `localhost:${port}` } });
const nameless = (port: number) => ({ labels: { job: 'testjob', instance: `localhost:${port}` }, rejected: NAMELESS });

const MULTIPLE: Variants = [
  ['multiple metrics', named(9090), named(9091), named(9092), named(9093)],
  ['multiple metrics, without name label', nameless(9090), nameless(9091), nameless(9092), nameless(9093)],
  ['multiple metrics, 1 without name label', nameless(9090), named(9091), named(9092), named(9093)],
];

const CASES: SuiteCase[] = [
  ...Object.entries(VALUES).flatMap(([valueName, value]) => [
    ...casesOf(`SingleMetric/${valueName}`, SINGLE, value),
    ...casesOf(`MultipleMetrics/${valueName}`, MULTIPLE, value),
  ]),
  {
    name: 'CounterWithCreatedTimestamp',
    series: [
      { labels: { __name__: 'http_requests_total', job: 'api' }, samples: [sample(100, { startedAgoMs: HOUR })] },
    ],
  },
];

function casesOf(prefix: string, variants: Variants, value: number | bigint): SuiteCase[] {
  return variants.map(([name, ...series]) => ({
    name: `${prefix}/${name}`,
    series: series.map((one) => ({ ...one, samples: [sample(value)] })),
  }));
}

testArchived(CASES);
