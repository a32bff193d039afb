import { ORDINARY_NAN } from '../../../src/record.ts';
import { exemplar, HOUR, MINUTE, sample, type Texts } from '../../support/described_series.ts';
import { testArchived, type SuiteCase } from '../../support/remote_write.ts';

/** The suite's exemplars.go. There an exemplar rides on a sample of the same labels, value and time. */
const BASIC: readonly (readonly [name: string, labels: Texts, exemplarLabels: Texts, value: number])[] = [
  ['basic_exemplar', { __name__: 'http_requests_total', job: 'api' }, { trace_id: 'abc123def456' }, 1],
  [
    'exemplar_with_span_id',
    { __name__: 'request_duration_seconds', method: 'GET' },
    { trace_id: 'xyz789', span_id: 'span123' },
    0.125,
  ],
  ['exemplar_without_trace_id', { __name__: 'cpu_usage', instance: 'host1' }, { user_id: 'user123' }, 0.85],
  [
    'exemplar_with_multiple_labels',
    { __name__: 'request_latency', service: 'auth' },
    { trace_id: 'trace456', user: 'admin', endpoint: '/login' },
    0.05,
  ],
  ['exemplar_no_labels', { __name__: 'simple_counter' }, {}, 1],
  [
    'exemplar_with_special_chars',
    { __name__: 'test_metric' },
    { trace_id: 'trace-with-dashes_and_underscores.123' },
    42,
  ],
  ['exemplar_with_unicode', { __name__: 'unicode_test', region: '🌍' }, { trace_id: 'unicode_trace_测试' }, 100],
];

const SPECIAL_VALUES = {
  zero_value: 0,
  negative_value: -123.456,
  large_value: 1e10,
  small_value: 1e-10,
  nan_value: ORDINARY_NAN,
  inf_value: Infinity,
  '-inf_value': -Infinity,
};

const TEST_TRACE = { samples: [sample(1)], exemplars: [exemplar({ trace_id: 'test_trace' }, 1)] };

const CASES: SuiteCase[] = [
  ...BASIC.map(([name, labels, exemplarLabels, value]) => ({
    name: `Exemplars/${name}`,
    series: [{ labels, samples: [sample(value)], exemplars: [exemplar(exemplarLabels, value)] }],
  })),
  {
    name: 'ExemplarWithCreatedTimestamp',
    series: [
      {
        labels: { __name__: 'http_requests_total', job: 'api' },
        samples: [sample(250, { startedAgoMs: 2 * HOUR })],
        exemplars: [exemplar({ trace_id: 'abc123', span_id: 'span456' }, 250)],
      },
    ],
  },
  {
    name: 'MultipleExemplars',
    series: [
      {
        labels: { __name__: 'request_duration', method: 'GET' },
        samples: [sample(0.1)],
        exemplars: [exemplar({ trace_id: 'trace1', span_id: 'span1' }, 0.1)],
      },
      {
        labels: { __name__: 'request_duration', method: 'POST' },
        samples: [sample(0.25)],
        exemplars: [exemplar({ trace_id: 'trace2', span_id: 'span2' }, 0.25)],
      },
      {
        labels: { __name__: 'error_count', service: 'payment' },
        samples: [sample(1)],
        exemplars: [exemplar({ trace_id: 'trace3', user: 'test_user' }, 1)],
      },
    ],
  },
  {
    name: 'ExemplarTimestamps',
    series: (
      [
        ['old_trace', 0.05, HOUR],
        ['recent_trace', 0.15, MINUTE],
        ['current_trace', 0.08, 0],
      ] as const
    ).map(([trace_id, value, agoMs]) => ({
      labels: { __name__: 'latency_hist' },
      samples: [sample(value, { agoMs })],
      exemplars: [exemplar({ trace_id }, value, { agoMs })],
    })),
  },
  {
    name: 'ExemplarValidation/exemplar_without_name_label',
    series: [{ labels: { job: 'test' }, ...TEST_TRACE, rejected: 'no_metric_name' }],
  },
  {
    name: 'ExemplarValidation/exemplar_with_empty_name',
    series: [{ labels: { __name__: '' }, ...TEST_TRACE, rejected: 'no_metric_name' }],
  },
  {
    name: 'ExemplarValidation/exemplar_with_valid_name',
    series: [{ labels: { __name__: 'valid_metric' }, ...TEST_TRACE }],
  },
  ...Object.entries(SPECIAL_VALUES).map(([name, value]) => ({
    name: `ExemplarSpecialValues/${name}`,
    series: [
      {
        labels: { __name__: 'test_metric' },
        samples: [sample(value)],
        exemplars: [exemplar({ trace_id: 'special_value_trace' }, value)],
      },
    ],
  })),
];

testArchived(CASES);
