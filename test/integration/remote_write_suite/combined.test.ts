import { exemplar, histogram, HOUR, MINUTE, sample, type DescribedSeries } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

/** The suite's combined.go. */
const CASES: SuiteCase[] = [
  {
    name: 'SamplesWithMetadataAndExemplars',
    series: [
      {
        labels: { __name__: 'http_requests_total', job: 'api', method: 'POST' },
        samples: [sample(1)],
        exemplars: [exemplar({ trace_id: 'request_trace_123', user_id: 'user789' }, 1)],
        metadata: { type: 'counter', help: 'Total number of HTTP requests', unit: 'requests' },
      },
    ],
  },
  {
    name: 'HistogramsWithMetadataAndExemplars',
    series: [
      {
        labels: { __name__: 'request_duration_seconds', service: 'auth' },
        histograms: [histogram(suiteHistogram(0.456, 'positive', 'negative', 'zero'))],
        exemplars: [exemplar({ trace_id: 'slow_request_trace', endpoint: '/login' }, 0.456)],
        metadata: { type: 'histogram', help: 'HTTP request duration distribution', unit: 'seconds' },
      },
    ],
  },
  {
    name: 'ComplexSamplesRequest',
    series: [
      {
        labels: { __name__: 'cpu_usage', instance: 'server1' },
        samples: [sample(0.85)],
        exemplars: [exemplar({ trace_id: 'high_cpu_trace', process: 'worker' }, 0.85)],
        metadata: { type: 'gauge', help: 'CPU usage ratio', unit: 'ratio' },
      },
      {
        labels: { __name__: 'memory_usage', instance: 'server1' },
        samples: [sample(8_589_934_592)],
        metadata: { type: 'gauge', help: 'Memory usage in bytes', unit: 'bytes' },
      },
    ],
  },
  {
    name: 'ComplexHistogramsRequest',
    series: [
      {
        labels: { __name__: 'response_time_hist', endpoint: '/api/v1/users' },
        histograms: [histogram(suiteHistogram(0.125, 'positive', 'zero'))],
        exemplars: [exemplar({ trace_id: 'fast_response', user: 'premium' }, 0.125)],
        metadata: { type: 'histogram', help: 'Response time distribution', unit: 'seconds' },
      },
      {
        labels: { __name__: 'request_size_hist', method: 'POST' },
        histograms: [histogram(suiteHistogram(1024, 'negative', 'zero'))],
        metadata: { type: 'histogram', help: 'Request size distribution', unit: 'bytes' },
      },
    ],
  },
  {
    name: 'MultipleMetricFamiliesSamples',
    series: [
      {
        labels: { __name__: 'http_requests_total', status: '200' },
        samples: [sample(1000)],
        exemplars: [exemplar({ trace_id: 'successful_request' }, 1000)],
        metadata: { type: 'counter', help: 'Total HTTP requests', unit: 'requests' },
      },
      {
        labels: { __name__: 'temperature_celsius', location: 'datacenter1' },
        samples: [sample(23.5)],
        metadata: { type: 'gauge', help: 'Temperature in Celsius', unit: 'celsius' },
      },
    ],
  },
  {
    name: 'MultipleMetricFamiliesHistograms',
    series: [
      {
        labels: { __name__: 'request_duration_seconds', handler: '/metrics' },
        histograms: [histogram(suiteHistogram(0.003, 'positive', 'zero'))],
        exemplars: [exemplar({ trace_id: 'metrics_scrape', scraper: 'prometheus' }, 0.003)],
        metadata: { type: 'histogram', help: 'Request duration in seconds', unit: 'seconds' },
      },
    ],
  },
  {
    name: 'EdgeCaseCombinations/metadata_without_data',
    series: [
      {
        labels: { __name__: 'orphan_metric' },
        metadata: { type: 'counter', help: 'Orphaned metric metadata', unit: 'count' },
      },
    ],
  },
  {
    name: 'EdgeCaseCombinations/exemplars_without_data',
    series: [{ labels: { __name__: 'orphan_metric' }, exemplars: [exemplar({ trace_id: 'orphan_trace' }, 42)] }],
  },
  {
    name: 'EdgeCaseCombinations/mixed_timestamp_data',
    series: [
      {
        labels: { __name__: 'old_metric' },
        samples: [sample(1, { agoMs: HOUR })],
        exemplars: [exemplar({ trace_id: 'old_trace' }, 1, { agoMs: 30 * MINUTE })],
      },
      { labels: { __name__: 'new_metric' }, samples: [sample(2)] },
    ],
  },
  { name: 'ManySamples', series: Array.from({ length: 50 }, (_, index) => counter(index)) },
  { name: 'ManyHistograms', series: Array.from({ length: 50 }, (_, index) => histogramSeries(index)) },
  {
    name: 'SpecialCharactersCombined',
    series: [
      {
        labels: {
          __name__: 'test_metric',
          job: 'test-job_with.special@chars',
          instance: 'localhost:9090',
          environment: 'test🚀',
        },
        samples: [sample(42)],
        exemplars: [exemplar({ trace_id: 'special_trace_äöü-123', span_id: 'span_with.dots-and_underscores' }, 42)],
        metadata: {
          type: 'gauge',
          help: 'Test metric with special characters: äöü, newlines\nand "quotes"',
          unit: 'special/units',
        },
      },
    ],
  },
  {
    name: 'CustomBucketsHistogramWithExemplar',
    series: [
      {
        labels: { __name__: 'custom_latency_hist', version: 'v2' },
        histograms: [histogram(suiteHistogram(0.05, 'custom'))],
        exemplars: [exemplar({ trace_id: 'custom_bucket_trace', bucket: '0.1' }, 0.05)],
      },
    ],
  },
];

function counter(index: number): DescribedSeries {
  return {
    labels: { __name__: `counter_metric_${index}`, series: `series_${index}` },
    samples: [sample(index * 100)],
    exemplars: [exemplar({ trace_id: `trace_${index}` }, index * 100)],
    metadata: { type: 'counter', help: `Counter metric number ${index}`, unit: 'count' },
  };
}

function histogramSeries(index: number): DescribedSeries {
  const sides = index % 2 === 0 ? (['positive', 'negative'] as const) : (['positive'] as const);
  return {
    labels: { __name__: `histogram_metric_${index}`, bucket: `bucket_${index}` },
    histograms: [histogram(suiteHistogram(index / 10, ...sides, 'zero'))],
    exemplars: [exemplar({ trace_id: `trace_${index}` }, index / 10)],
    metadata: { type: 'histogram', help: `Histogram metric number ${index}`, unit: 'seconds' },
  };
}

testArchived(CASES);
