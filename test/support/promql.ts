import type { Prometheus } from './prometheus.ts';

/** Evaluations at `fromMs`, a step later, and so on up to `toMs`. */
export interface Evaluations {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepSeconds: number;
}

/** Numbers by series and time of evaluation. */
export type Answers = ReadonlyMap<string, number>;

/** What names an answer: the labels, sorted, without the metric's name. */
export function answerKey(labels: Readonly<Record<string, string>>, timeMs: number): string {
  const pairs = Object.entries(labels).filter(([name, value]) => name !== '__name__' && value !== '');
  return `${JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))} ${timeMs}`;
}

/** Requests at a time. */
const CONCURRENT = 4;

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values?: readonly (readonly [number, string])[];
}

/** What Prometheus answers by its HTTP API. */
export async function ask(prometheus: Prometheus, expression: string, evaluations: Evaluations): Promise<Answers> {
  const { fromMs, toMs, stepSeconds } = evaluations;
  const query = new URLSearchParams({
    query: expression,
    start: String(fromMs / 1_000),
    end: String(toMs / 1_000),
    step: String(stepSeconds),
  });
  const { result } = await prometheus.query<{ result: Series[] }>(`query_range?${query.toString()}`);
  const answers = new Map<string, number>();
  for (const { metric, values = [] } of result) {
    for (const [seconds, text] of values) {
      answers.set(answerKey(metric, Math.round(seconds * 1_000)), Number(text.replace('Inf', 'Infinity')));
    }
  }
  return answers;
}

/** The same of an expression for each of several metrics; the metric's name stands before each key. */
export async function askAll(
  prometheus: Prometheus,
  metrics: readonly string[],
  promql: (metric: string) => string,
  evaluations: Evaluations,
): Promise<Answers> {
  const answers = new Map<string, number>();
  for (let from = 0; from < metrics.length; from += CONCURRENT) {
    const some = metrics.slice(from, from + CONCURRENT);
    const all = await Promise.all(some.map((metric) => ask(prometheus, promql(metric), evaluations)));
    all.forEach((one, index) => {
      for (const [key, value] of one) answers.set(`${some[index]} ${key}`, value);
    });
  }
  return answers;
}

/** How the answers of a query agree with Prometheus's. */
export interface Agreement {
  readonly series: number;
  readonly evaluations: number;
  /** The largest, of those that do not differ. */
  readonly relativeError: number;
  readonly missing: number;
  readonly surplus: number;
  readonly different: number;
  /** The first few of these three. */
  readonly examples: readonly string[];
}

const MAX_RELATIVE_ERROR = 1e-9;

export function compareAnswers(expected: Answers, actual: Answers): Agreement {
  const examples: string[] = [];
  let relativeError = 0;
  let missing = 0;
  let different = 0;
  for (const [key, value] of expected) {
    const answer = actual.get(key);
    if (answer === undefined) {
      missing++;
      examples.push(`missing: ${key}: ${value}`);
      continue;
    }
    const error = relativeErrorOf(answer, value);
    if (error <= MAX_RELATIVE_ERROR) {
      relativeError = Math.max(relativeError, error);
      continue;
    }
    different++;
    examples.push(`different: ${key}: ${answer}, not ${value}`);
  }
  const surplus = [...actual.keys()].filter((key) => !expected.has(key));
  examples.push(...surplus.map((key) => `surplus: ${key}: ${actual.get(key)}`));
  return {
    series: new Set([...expected.keys()].map((key) => key.replace(/^\d+ | \d+$/g, ''))).size,
    evaluations: expected.size,
    relativeError,
    missing,
    surplus: surplus.length,
    different,
    examples: examples.slice(0, 8),
  };
}

function relativeErrorOf(answer: number, expected: number): number {
  if (answer === expected || (Number.isNaN(answer) && Number.isNaN(expected))) return 0;
  const error = Math.abs(answer - expected) / Math.abs(expected);
  return Number.isNaN(error) ? Infinity : error;
}
