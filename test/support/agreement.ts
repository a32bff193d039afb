import type { AthenaOnDuckdb } from './athena_on_duckdb.ts';
import type { AgreementCase, AskedOf } from './agreement_cases.ts';
import { libraryQuery, ofEveryMetric, type Parameters } from './library.ts';
import { answerKey, ask, askAll, compareAnswers, type Agreement, type Answers, type Evaluations } from './promql.ts';
import type { Prometheus } from './prometheus.ts';

/** Whose views a query runs over. */
export type Views = 'query' | 'athena';

/** One question, asked of the archive and of Prometheus, at several times. */
export interface Question {
  /** Of the library. */
  readonly query: string;
  readonly parameters: Parameters;
  /** The column with the answer. */
  readonly column: string;
  /** The metrics that are asked about, and the same in PromQL. */
  readonly metrics: readonly string[];
  readonly promql: (metric: string) => string;
  /** The label by whose values the answers come, where they do not come by series. */
  readonly by?: string;
  /** What is to hold besides of the samples, in SQL. */
  readonly where?: string;
  readonly evaluations: Evaluations;
}

/** Times of `query_range` as the parameters of a query. */
export function timesOf({ fromMs, toMs, stepSeconds }: Evaluations): Parameters {
  return { from: new Date(fromMs), to: new Date(toMs), step: stepSeconds };
}

/** Every folder: what arrived before a query's times is not in these archives. */
const ALL_FOLDERS = '2000/01/01/00';

/** Asks archives and Prometheus; each answer is had once, however often it is asked for. */
export class Asker {
  readonly #prometheus: Prometheus;
  readonly #athena: AthenaOnDuckdb;
  readonly #known = new Map<string, Promise<unknown>>();

  constructor(prometheus: Prometheus, athena: AthenaOnDuckdb) {
    this.#prometheus = prometheus;
    this.#athena = athena;
  }

  /** The answers of the archive, without those that are NULL. */
  async ofArchive(views: Views, question: Question): Promise<Answers> {
    const { metrics, column, by } = question;
    const rows = await this.#rows(views, textOf(question));
    const wanted = new Set(metrics);
    const answers = new Map<string, number>();
    for (const row of rows) {
      const labels = row['labels'] as Record<string, string> | undefined;
      const metric = labels?.['__name__'] ?? metrics[0]!;
      if (!wanted.has(metric) || row[column] === null) continue;
      const key = answerKey(by === undefined ? labels! : { [by]: String(row['label']) }, Number(row['time']));
      if (answers.has(`${metric} ${key}`)) throw new Error(`two answers for ${metric} ${key}`);
      answers.set(`${metric} ${key}`, Number(row[column]));
    }
    return answers;
  }

  /** Those of Prometheus. */
  ofPrometheus({ metrics, promql, evaluations }: Question): Promise<Answers> {
    const key = JSON.stringify([metrics.map(promql), evaluations]);
    return this.#once(key, () => askAll(this.#prometheus, metrics, promql, evaluations));
  }

  #rows(views: Views, sql: string): Promise<Record<string, unknown>[]> {
    return this.#once(views + sql, () => (views === 'query' ? this.#athena.rowsOfQuery(sql) : this.#athena.rows(sql)));
  }

  #once<Value>(key: string, get: () => Promise<Value>): Promise<Value> {
    const known = this.#known.get(key) ?? get();
    this.#known.set(key, known);
    return known as Promise<Value>;
  }
}

function textOf({ query, parameters, metrics, where }: Question): string {
  const isOne = metrics.length === 1;
  const sql = libraryQuery(query, {
    datehour: ALL_FOLDERS,
    ...parameters,
    ...(isOne && { metric: metrics[0]! }),
  });
  const filtered = where === undefined ? sql : sql.replace('AND datehour >=', `AND ${where} AND datehour >=`);
  return isOne ? filtered : ofEveryMetric(filtered);
}

/** How the archive agrees with Prometheus in all questions of a case together. */
export async function agreementOf(
  asker: Asker,
  views: Views,
  { questions, leavesOut }: AgreementCase,
): Promise<Agreement> {
  const expected = new Map<string, number>();
  const actual = new Map<string, number>();
  for (const [index, question] of questions.entries()) {
    const add = (to: Map<string, number>, answers: Answers) => {
      for (const [key, value] of answers) if (leavesOut?.(key) !== true) to.set(`${index} ${key}`, value);
    };
    add(expected, await asker.ofPrometheus(question));
    add(actual, await asker.ofArchive(views, question));
  }
  return compareAnswers(expected, actual);
}

/** Whole seconds of a span, as the parameters of a query, and as the range of a selector at their end. */
export function spanOf({ between, version }: Pick<AskedOf, 'between' | 'version'>) {
  const { fromMs, toMs: untilMs } = between;
  const seconds = Math.floor((untilMs - fromMs) / 1_000);
  const toMs = fromMs + seconds * 1_000;
  return {
    parameters: { from: new Date(fromMs), to: new Date(toMs), datehour: ALL_FOLDERS },
    at: { fromMs: toMs, toMs, stepSeconds: 1 },
    // To Prometheus 2 the first moment belongs to it.
    range: version === 2 ? `${seconds * 1_000 - 1}ms` : `${seconds}s`,
  };
}

const STORED_METRIC = 'native_requests_seconds';

/** The same of the quantiles of native histograms as they are stored, each at its own time. */
export async function agreementOfStored({
  span,
  quantile,
  athena,
  prometheus,
}: {
  readonly span: Evaluations;
  readonly quantile: number;
  readonly athena: AthenaOnDuckdb;
  readonly prometheus: Prometheus;
}): Promise<Agreement> {
  const { fromMs, toMs } = span;
  const sql = libraryQuery('histogram_quantile_native', {
    metric: STORED_METRIC,
    datehour: ALL_FOLDERS,
    from: new Date(fromMs),
    to: new Date(toMs),
    quantile,
  });
  const actual = new Map(
    (await athena.rows(sql)).map((row) => [
      answerKey(row['labels'] as Record<string, string>, Number(row['time'])),
      Number(row['quantile']),
    ]),
  );
  const stored = new Map<number, string[]>();
  for (const [key, histogram] of await prometheus.readHistograms({ fromMs, toMs })) {
    const at = key.lastIndexOf(' ');
    const labels = Object.fromEntries(JSON.parse(key.slice(0, at)) as [string, string][]);
    const timeMs = Number(key.slice(at));
    if (labels['__name__'] !== STORED_METRIC || 'stale' in histogram) continue;
    stored.set(timeMs, [...(stored.get(timeMs) ?? []), answerKey(labels, timeMs)]);
  }
  const expected = new Map<string, number>();
  for (const [timeMs, keys] of stored) {
    // For all series that have lately had a histogram.
    const answers = await ask(prometheus, `histogram_quantile(${quantile}, ${STORED_METRIC})`, {
      fromMs: timeMs,
      toMs: timeMs,
      stepSeconds: 1,
    });
    for (const key of keys) expected.set(key, answers.get(key)!);
  }
  return compareAnswers(expected, actual);
}

/** A row of the table in `athena/README.md`. */
export function rowOf(title: string, ...agreements: readonly Agreement[]): string {
  const sum = (of: (agreement: Agreement) => number) => agreements.reduce((total, one) => total + of(one), 0);
  const error = Math.max(...agreements.map(({ relativeError }) => relativeError));
  const cells = [
    title,
    Math.max(...agreements.map(({ series }) => series)),
    sum(({ evaluations }) => evaluations),
    error === 0 ? '0' : error.toExponential(0),
    sum(({ missing, surplus, different }) => missing + surplus + different),
  ];
  return `| ${cells.join(' | ')} |`;
}
