import type { MetricType } from '../../../src/record.ts';
import { histogram, HOUR, sample, type DescribedSeries, type Texts } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

/** The suite's metadata.go. There metadata rides on a histogram where that is its type, else on a sample. */
const TYPES: readonly (readonly [name: string, labels: Texts, type: MetricType, help: string, unit: string])[] = [
  ['counter_metadata', { __name__: 'http_requests_total' }, 'counter', 'Total number of HTTP requests', 'requests'],
  ['gauge_metadata', { __name__: 'cpu_usage_percent' }, 'gauge', 'Current CPU usage percentage', 'percent'],
  [
    'histogram_metadata',
    { __name__: 'request_duration_seconds' },
    'histogram',
    'Request duration in seconds',
    'seconds',
  ],
  ['metadata_no_help_no_unit', { __name__: 'simple_counter' }, 'counter', '', ''],
  [
    'metadata_with_special_chars',
    { __name__: 'test_metric', job: 'test' },
    'gauge',
    'Test metric with\nnewlines and "quotes"',
    'bytes/sec',
  ],
  ['unspecified_metadata_type', { __name__: 'unknown_metric' }, 'unknown', 'Unknown metric type', ''],
  ['info_metadata_type', { __name__: 'build_info' }, 'info', 'Build information', ''],
  ['stateset_metadata_type', { __name__: 'node_state' }, 'stateset', 'Node state information', ''],
  ['summary_metadata_type', { __name__: 'request_latency_summary' }, 'summary', 'Request latency summary', 'seconds'],
  [
    'gauge_histogram_metadata_type',
    { __name__: 'temperature_histogram' },
    'gaugehistogram',
    'Temperature distribution gauge histogram',
    'celsius',
  ],
];

const HTTP_REQUESTS = { type: 'counter', help: 'Total HTTP requests', unit: 'requests' } as const;

const VALIDATION: readonly (readonly [name: string, type: MetricType, series: DescribedSeries])[] = [
  ['metadata_without_name_label', 'counter', { labels: { job: 'test' }, rejected: 'no_metric_name' }],
  ['metadata_with_empty_name', 'gauge', { labels: { __name__: '' }, rejected: 'no_metric_name' }],
  ['metadata_with_valid_name', 'counter', { labels: { __name__: 'valid_metric_name' } }],
];

const CASES: SuiteCase[] = [
  ...TYPES.map(([name, labels, type, help, unit]) => ({
    name: `Metadata/${name}`,
    series: [
      {
        labels,
        metadata: { type, help, unit },
        ...(type === 'histogram'
          ? { histograms: [histogram(suiteHistogram(1, 'positive', 'negative', 'zero'))] }
          : { samples: [sample(1)] }),
      },
    ],
  })),
  {
    name: 'CounterMetadataWithCreatedTimestamp',
    series: [
      {
        labels: { __name__: 'http_requests_total', job: 'api' },
        samples: [sample(150, { startedAgoMs: HOUR })],
        metadata: HTTP_REQUESTS,
      },
    ],
  },
  {
    name: 'MetadataWithSamples',
    series: [
      { labels: { __name__: 'http_requests_total', job: 'test' }, samples: [sample(42)], metadata: HTTP_REQUESTS },
    ],
  },
  {
    name: 'MultipleMetadata',
    series: [
      {
        labels: { __name__: 'cpu_usage' },
        samples: [sample(85.5)],
        metadata: { type: 'gauge', help: 'CPU usage percentage', unit: 'percent' },
      },
      {
        labels: { __name__: 'memory_usage' },
        samples: [sample(4_096_000_000)],
        metadata: { type: 'gauge', help: 'Memory usage in bytes', unit: 'bytes' },
      },
      {
        labels: { __name__: 'disk_usage', device: 'sda1' },
        samples: [sample(75.2)],
        metadata: { type: 'gauge', help: 'Disk usage percentage', unit: 'percent' },
      },
    ],
  },
  {
    name: 'MetadataWithComplexLabels',
    series: [
      {
        labels: {
          __name__: 'http_request_duration_seconds',
          job: 'api-server',
          instance: 'localhost:8080',
          method: 'GET',
          status: '200',
          endpoint: '/api/v1/users',
        },
        histograms: [histogram(suiteHistogram(0.25, 'positive', 'negative', 'zero'))],
        metadata: { type: 'histogram', help: 'HTTP request duration in seconds', unit: 'seconds' },
      },
    ],
  },
  ...VALIDATION.map(([name, type, series]) => ({
    name: `MetadataValidation/${name}`,
    series: [{ ...series, samples: [sample(1)], metadata: { type, help: 'Test help', unit: 'unit' } }],
  })),
];

testArchived(CASES);
