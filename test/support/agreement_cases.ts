import { timesOf, type Question } from './agreement.ts';
import type { Evaluations } from './promql.ts';

/** A row of the table in athena/README.md: questions of one kind. */
export interface AgreementCase {
  /** What is asked, in PromQL. */
  readonly title: string;
  readonly questions: readonly Question[];
  /** Whether an answer is not to be compared, and why: README.md says the same. */
  readonly leavesOut?: (key: string) => boolean;
}

export interface AskedOf {
  /** Whose windows they are. */
  readonly version: 2 | 3;
  readonly hasNativeHistograms: boolean;
  /** Every metric of which there are samples, and those of the targets that the test has made. */
  readonly everyMetric: readonly string[];
  readonly ownMetrics: readonly string[];
  /** Times between the samples, and times of the samples of the target `agreement`, so that the ends of windows are samples. */
  readonly between: Evaluations;
  readonly onSamples: Evaluations;
}

export const QUANTILES = [0, 0.1, 0.5, 0.99, 1];

/** `odd_cycle` goes through all that a double can be: after two resets its increase depends on which of them is added first. */
const isCycle = (key: string) => key.startsWith('odd_cycle ');

/** The square of these is beyond what a double holds. */
const isAtTheLimit = (key: string) => key.includes('is at the limit');

const NOTHING: Evaluations = { fromMs: 0, toMs: 0, stepSeconds: 1 };

/** The titles of the cases, which are the same whatever there is to ask. */
export function agreementTitles(hasNativeHistograms: boolean): string[] {
  const asked: AskedOf = {
    version: 3,
    hasNativeHistograms,
    everyMetric: [],
    ownMetrics: [],
    between: NOTHING,
    onSamples: NOTHING,
  };
  return agreementCases(asked).map(({ title }) => title);
}

export function agreementCases(asked: AskedOf): AgreementCase[] {
  const { everyMetric, ownMetrics, between, onSamples, version, hasNativeHistograms } = asked;
  /** Windows of ten seconds of every metric, and of five whose ends are samples. */
  const ofBoth = (query: string, column: string, promql: (range: string) => string, parameters = {}) =>
    [
      { metrics: everyMetric, evaluations: between, window: 10 },
      { metrics: ownMetrics, evaluations: onSamples, window: 5 },
    ].map(({ metrics, evaluations, window }): Question => ({
      query,
      column,
      metrics,
      evaluations,
      parameters: { ...timesOf(evaluations), prometheus: version, window, ...parameters },
      promql: (metric) => promql(`{__name__="${metric}"}[${window}s]`),
    }));
  const ofOwn = (...args: Parameters<typeof ofBoth>) => ofBoth(...args).map((one) => ({ ...one, metrics: ownMetrics }));
  const ofLevels = (...args: Parameters<typeof ofBoth>) =>
    ofBoth(...args).map((one) => ({ ...one, metrics: ['agreement_level'] }));
  const overTime = (name: string) => ofBoth('over_time', `${name}_over_time`, (range) => `${name}_over_time(${range})`);
  return [
    { title: 'rate', questions: ofBoth('rate', 'rate', (range) => `rate(${range})`), leavesOut: isCycle },
    {
      title: 'increase',
      questions: ofBoth('increase', 'increase', (range) => `increase(${range})`),
      leavesOut: isCycle,
    },
    {
      title: 'sum by (…) (rate)',
      questions: ['part', 'code', 'job'].map((by) => ({
        query: 'rate_by_label',
        column: 'rate',
        by,
        metrics: ['agreement_requests_total'],
        evaluations: between,
        parameters: { ...timesOf(between), prometheus: version, window: 10, by },
        promql: (metric) => `sum by (${by}) (rate(${metric}[10s]))`,
      })),
    },
    { title: 'delta', questions: ofOwn('delta', 'delta', (range) => `delta(${range})`) },
    ...['avg', 'min', 'max', 'sum', 'count', 'last'].map((name) => ({
      title: `${name}_over_time`,
      questions: overTime(name),
      ...((name === 'avg' || name === 'sum') && { leavesOut: isCycle }),
    })),
    { title: 'deriv', questions: ofLevels('deriv', 'deriv', (range) => `deriv(${range})`), leavesOut: isAtTheLimit },
    {
      title: 'predict_linear',
      questions: ofLevels('deriv', 'predict_linear', (range) => `predict_linear(${range}, 60)`, { ahead: 60 }),
      leavesOut: isAtTheLimit,
    },
    {
      title: 'an instant selector',
      questions: [between, onSamples].map((evaluations) => ({
        query: 'instant',
        column: 'value',
        metrics: everyMetric,
        evaluations,
        parameters: { ...timesOf(evaluations), prometheus: version },
        promql: (metric) => `{__name__="${metric}"}`,
      })),
    },
    { title: 'histogram_quantile, classic buckets', questions: classicQuestions(asked) },
    ...(hasNativeHistograms ? nativeCases(asked) : []),
  ];
}

/** The averages of five seconds, and their ratio to those of ten seconds before. */
export function weekOverWeek({ between }: AskedOf): AgreementCase[] {
  const { fromMs, toMs } = between;
  const average = (more: string) => `avg_over_time({__name__="agreement_level"}[5s]${more})`;
  const common = {
    query: 'week_over_week',
    metrics: ['agreement_level'],
    evaluations: { fromMs, toMs, stepSeconds: 5 },
    parameters: { from: new Date(fromMs), to: new Date(toMs), window: 5, period: 10 },
  };
  return [
    { column: 'average', promql: () => average('') },
    { column: 'ratio', promql: () => `${average('')} / ${average(' offset 10s')}` },
  ].map((one) => ({ title: one.column, questions: [{ ...common, ...one }], leavesOut: isAtTheLimit }));
}

function nativeCases(asked: AskedOf): AgreementCase[] {
  const ofQuantile = (quantile: number) => `histogram_quantile(${quantile},`;
  const quantiles = { column: 'quantile', promql: ofQuantile, quantiles: QUANTILES };
  const counts = { column: 'rate', promql: () => 'histogram_count(', quantiles: [0.5] };
  return [
    { title: 'histogram_quantile of rate, native', questions: nativeQuestions(asked, quantiles) },
    { title: 'histogram_count of rate, native', questions: nativeQuestions(asked, counts) },
  ];
}

function classicQuestions({ version, between, onSamples }: AskedOf): Question[] {
  return [
    { metric: 'agreement_seconds_bucket', by: 'part' },
    { metric: 'agreement_seconds_bucket', by: 'job' },
    { metric: 'prometheus_http_request_duration_seconds_bucket', by: 'handler' },
  ].flatMap(({ metric, by }) =>
    QUANTILES.flatMap((quantile) =>
      [between, onSamples].map((evaluations): Question => ({
        query: 'histogram_quantile_classic',
        column: 'quantile',
        by,
        metrics: [metric],
        evaluations,
        parameters: { ...timesOf(evaluations), prometheus: version, window: 5, by, quantile },
        promql: (name) => `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${name}[5s])))`,
      })),
    ),
  );
}

/** By case; those with custom buckets; and those of the coarsest and of the finest schema as one. */
const NATIVE = [
  { metric: 'native_requests_seconds', by: 'case' },
  { metric: 'native_weight', by: 'case' },
  { metric: 'native_temperature_celsius', by: 'job' },
  { metric: 'classic_seconds', by: 'job', labels: '{job="custom"}', where: "element_at(labels, 'job') = 'custom'" },
  {
    metric: 'native_requests_seconds',
    by: 'job',
    labels: '{case=~".*est schema|sum of.*"}',
    where: "(element_at(labels, 'case') LIKE '%est schema' OR element_at(labels, 'case') LIKE 'sum of%')",
  },
];

function nativeQuestions(
  { between, onSamples }: AskedOf,
  { column, promql, quantiles }: { column: string; promql: (quantile: number) => string; quantiles: readonly number[] },
): Question[] {
  return NATIVE.flatMap(({ metric, by, labels = '', where }) =>
    quantiles.flatMap((quantile) =>
      [between, onSamples].map((evaluations): Question => ({
        query: 'histogram_quantile_native_rate',
        column,
        by,
        metrics: [metric],
        evaluations,
        ...(where !== undefined && { where }),
        parameters: { ...timesOf(evaluations), window: 7, by, quantile },
        promql: (name) => `${promql(quantile)} sum by (${by}) (rate(${name}${labels}[7s])))`,
      })),
    ),
  );
}
