import { exemplar, histogram, MINUTE } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';
import { suiteHistogram } from '../../support/suite_histogram.ts';

/** The suite's histograms.go. */
const CASES: SuiteCase[] = [
  {
    name: 'Histograms/basic_histogram',
    series: [
      {
        labels: { __name__: 'test_histogram' },
        histograms: [histogram(suiteHistogram(1, 'positive', 'negative', 'zero'))],
      },
    ],
  },
  {
    name: 'Histograms/custom_buckets_histogram',
    series: [{ labels: { __name__: 'test_histogram' }, histograms: [histogram(suiteHistogram(1, 'custom'))] }],
  },
  {
    name: 'Histograms/positive_only_histogram',
    series: [
      {
        labels: { __name__: 'test_histogram', job: 'test' },
        histograms: [histogram(suiteHistogram(1, 'positive', 'zero'))],
      },
    ],
  },
  {
    name: 'Histograms/negative_only_histogram',
    series: [
      {
        labels: { __name__: 'test_histogram', instance: 'localhost' },
        histograms: [histogram(suiteHistogram(1, 'negative'))],
      },
    ],
  },
  {
    name: 'Histograms/minimal_histogram',
    series: [{ labels: { __name__: 'minimal_hist' }, histograms: [histogram(suiteHistogram(1, 'zero'))] }],
  },
  {
    name: 'Histograms/bad_count_histogram',
    series: [
      {
        labels: { __name__: 'minimal_hist' },
        histograms: [histogram(suiteHistogram(1, 'positive', 'bad count'))],
        rejected: 'invalid_histogram',
      },
    ],
  },
  {
    name: 'HistogramWithCreatedTimestamp',
    series: [
      {
        labels: { __name__: 'request_duration_seconds', job: 'api' },
        histograms: [histogram(suiteHistogram(1.5, 'positive', 'negative', 'zero'), { startedAgoMs: 30 * MINUTE })],
      },
    ],
  },
  {
    name: 'MultipleHistograms',
    series: [
      {
        labels: { __name__: 'hist1', job: 'test' },
        histograms: [histogram(suiteHistogram(10.5, 'positive', 'zero'))],
      },
      { labels: { __name__: 'hist2', job: 'test' }, histograms: [histogram(suiteHistogram(5.2, 'negative'))] },
    ],
  },
  {
    name: 'EmptyHistogram',
    series: [{ labels: { __name__: 'empty_hist' }, histograms: [histogram(suiteHistogram(0))] }],
  },
  {
    name: 'HistogramWithMetadata',
    series: [
      {
        labels: { __name__: 'request_duration_seconds', job: 'api' },
        histograms: [histogram(suiteHistogram(2.5, 'positive', 'negative', 'zero'))],
        metadata: { type: 'histogram', help: 'HTTP request duration in seconds', unit: 'seconds' },
      },
    ],
  },
  {
    name: 'HistogramWithExemplar',
    series: [
      {
        labels: { __name__: 'http_request_duration_seconds', method: 'GET' },
        histograms: [histogram(suiteHistogram(1.23, 'positive', 'zero'))],
        exemplars: [exemplar({ trace_id: 'abc123def456', span_id: 'span789' }, 1.23)],
      },
    ],
  },
  {
    name: 'HistogramWithMetadataAndExemplar',
    series: [
      {
        labels: { __name__: 'response_size_bytes', service: 'upload' },
        histograms: [histogram(suiteHistogram(10_485_760, 'positive', 'negative', 'zero'))],
        exemplars: [exemplar({ trace_id: 'large_upload_trace', user_id: 'user456' }, 10_485_760)],
        metadata: { type: 'histogram', help: 'HTTP response size in bytes', unit: 'bytes' },
      },
    ],
  },
  {
    name: 'MultipleHistogramsWithMetadata',
    series: [
      {
        labels: { __name__: 'cpu_usage_histogram', instance: 'server1' },
        histograms: [histogram(suiteHistogram(0.75, 'positive', 'zero'))],
        metadata: { type: 'histogram', help: 'CPU usage distribution', unit: 'ratio' },
      },
      {
        labels: { __name__: 'memory_usage_histogram', instance: 'server1' },
        histograms: [histogram(suiteHistogram(8_589_934_592, 'positive', 'negative'))],
        metadata: { type: 'histogram', help: 'Memory usage distribution', unit: 'bytes' },
      },
    ],
  },
];

testArchived(CASES);
