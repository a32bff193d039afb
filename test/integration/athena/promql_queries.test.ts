import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bitsOf, encodeRecord, sortLabels, STALE_NAN } from '../../../src/record.ts';
import { timesOf } from '../../support/agreement.ts';
import { filesBelow } from '../../support/archive.ts';
import { openAthena, type AthenaOnDuckdb } from '../../support/athena_on_duckdb.ts';
import { libraryQuery } from '../../support/library.ts';
import { answerKey, compareAnswers } from '../../support/promql.ts';
import {
  classicQuantile,
  extrapolated,
  instant,
  samplesIn,
  type Point,
  type Window,
} from '../../support/promql_oracle.ts';
import { writeArchiveFile } from '../../support/query_archive.ts';
import { seeded } from '../../support/seeded.ts';

/** The queries that have an expression in PromQL, over samples that no target shows on demand, against the oracle. */

const START_MS = Date.UTC(2026, 10, 20, 10);
const NAME = 'made';
const NEVER: Point[] = [];

/** Values at whole seconds from the start; undefined is a stale marker, and a hole nothing. */
function every(seconds: number, values: readonly (number | undefined | 'hole')[]): Point[] {
  return values.flatMap((value, index) =>
    value === 'hole' ? NEVER : [{ timeMs: START_MS + index * seconds * 1_000, value }],
  );
}

/** Irregular, and reset by chance. */
function byChance(seed: number): Point[] {
  const random = seeded(seed);
  const points: Point[] = [];
  let value = random() < 0.5 ? 0 : random() * 1e6;
  for (let timeMs = START_MS; timeMs < START_MS + 120_000; timeMs += Math.ceil(random() ** 4 * 30_000)) {
    value = random() < 0.1 ? random() * 5 : value + random() * 50;
    points.push({ timeMs, value: random() < 0.05 ? undefined : value });
  }
  return points;
}

const SERIES: Readonly<Record<string, readonly Point[]>> = {
  regular: every(5, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]),
  'one sample': every(5, ['hole', 7]),
  'two samples': every(5, ['hole', 7, 9]),
  'from zero': every(5, [0, 0, 10, 20, 30]),
  'from zero, late': every(5, ['hole', 'hole', 'hole', 1, 21, 41, 61]),
  'begins and ends within windows': every(1, [...new Array<'hole'>(13).fill('hole'), 50, 60, 71, 80, 93]),
  'reset twice': every(5, [100, 200, 5, 6, 1, 50, 60]),
  'reset to the same': every(5, [5, 5, 5, 3, 3]),
  constant: every(5, [4, 4, 4, 4, 4, 4]),
  negative: every(5, [-5, -4, -6, -1, 3]),
  'zero below zero': every(5, [-0, 0, -0, 0]),
  'NaN between': every(5, [1, NaN, 3, NaN, NaN, 6, 7]),
  'only NaN': every(5, [NaN, NaN, NaN]),
  'infinite at last': every(5, [1, 2, Infinity, Infinity, 3]),
  'both infinities': every(5, [-Infinity, 2, Infinity, -Infinity]),
  'beyond a double in sum': every(5, [1.5e308, 1.25e308, 1.75e308]),
  'stale and back': every(5, [1, 2, undefined, 3, 4, undefined, undefined, 9, 10]),
  'a hole': every(5, [1, 2, 3, 'hole', 'hole', 'hole', 'hole', 40, 41, 42]),
  ...Object.fromEntries(Array.from({ length: 25 }, (_, seed) => [`by chance ${seed}`, byChance(seed)])),
};

/** What buckets hold more of each second. */
const HISTOGRAMS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  plain: { '0.1': 1, '0.5': 3, '1': 10, '+Inf': 12 },
  'not monotonic': { '0.1': 5, '0.5': 2, '1': 9, '2': 4, '+Inf': 9 },
  'no +Inf': { '0.1': 1, '1': 2 },
  'only +Inf': { '+Inf': 4 },
  'nothing observed': { '0.1': 0, '1': 0, '+Inf': 0 },
  'all in the first': { '0.1': 7, '1': 7, '+Inf': 7 },
  'all above': { '0.1': 0, '1': 0, '+Inf': 7 },
  'below zero': { '-1': 3, '0': 6, '2': 9, '+Inf': 9 },
  'one bound, written twice': { '1': 3, '1.0': 4, '2': 9, '+Inf': 10 },
  'a bound that is none': { '1': 3, many: 4, '+Inf': 10 },
  'no difference but of rounding': { '1': 1, '2': 1 + 2 ** -50, '5': 1 + 2 ** -50, '+Inf': 1 + 2 ** -50 },
  'beyond what is rounding': { '1': 1, '2': 1 + 1e-9, '+Inf': 1 + 1e-9 },
};
const QUANTILES = [-1, 0, 0.25, 0.5, 0.75, 0.9, 1, 2];

function lineOf(name: string, labels: Readonly<Record<string, string>>, { timeMs, value }: Point): string {
  const all = Object.entries({ __name__: name, ...labels }).map(([label, text]) => ({ name: label, value: text }));
  const bits = value === undefined ? STALE_NAN : bitsOf(value);
  return encodeRecord({ kind: 'sample', time: BigInt(timeMs), value: bits, labels: sortLabels(all) });
}

let dir: string;
let athena: AthenaOnDuckdb;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'promql-queries-'));
  const samples = Object.entries(SERIES).flatMap(([name, points]) =>
    points.map((point) => lineOf(NAME, { case: name, parity: String(name.length % 2) }, point)),
  );
  const buckets = Object.entries(HISTOGRAMS).flatMap(([name, counts]) =>
    Object.entries(counts).flatMap(([le, count]) =>
      [0, 10].map((seconds) =>
        lineOf('made_bucket', { case: name, le }, { timeMs: START_MS + seconds * 1_000, value: count * seconds }),
      ),
    ),
  );
  writeArchiveFile(dir, '2026/11/20/10/a.json.gz', [samples, buckets]);
  // Copies, of which some arrived an hour later.
  writeArchiveFile(dir, '2026/11/20/10/b.json.gz', [samples.slice(0, 50), buckets.slice(0, 20)]);
  writeArchiveFile(dir, '2026/11/20/11/a.json.gz', [samples.filter((_, index) => index % 3 === 0), buckets.slice(10)]);
  athena = await openAthena({ paths: { json: filesBelow(dir).map((path) => join(dir, path)), parquet: [] } });
});
afterAll(() => {
  athena.close();
  rmSync(dir, { recursive: true });
});

/** The ends of these windows meet the samples of whole five seconds, and then they do not. */
const EVALUATIONS = [
  { fromMs: START_MS, toMs: START_MS + 150_000, stepSeconds: 5 },
  { fromMs: START_MS + 1_234, toMs: START_MS + 150_000, stepSeconds: 7 },
];
const WINDOWS_S = [20, 10, 1];
const DATEHOUR = '2026/11/20/09';
const VERSIONS = [3, 2] as const;

/** What a query answers of each series and time, against what the oracle does. */
async function expectAnswers(
  query: string,
  column: string,
  { version, window, more }: { version: 2 | 3; window: number; more: (windowS: number) => Record<string, number> },
  oracle: (points: readonly Point[], window: Window) => number | undefined,
): Promise<void> {
  for (const evaluations of EVALUATIONS) {
    const parameters = {
      metric: NAME,
      datehour: DATEHOUR,
      prometheus: version,
      ...timesOf(evaluations),
      ...more(window),
    };
    const rows = await athena.rows(libraryQuery(query, parameters));
    const actual = rows.map(
      (row) =>
        [answerKey(row['labels'] as Record<string, string>, Number(row['time'])), numberOf(row[column])] as const,
    );
    expect(new Set(actual.map(([key]) => key)).size).toBe(actual.length);
    const expected = new Map<string, number>();
    for (const [name, points] of Object.entries(SERIES)) {
      for (let tMs = evaluations.fromMs; tMs <= evaluations.toMs; tMs += evaluations.stepSeconds * 1_000) {
        const answer = oracle(points, { tMs, windowMs: window * 1_000, version });
        if (answer !== undefined) expected.set(answerKey({ case: name, parity: String(name.length % 2) }, tMs), answer);
      }
    }
    expect(compareAnswers(expected, new Map(actual)).examples).toEqual([]);
  }
}

/** NULL is no answer that Prometheus has, and is not to pass for one. */
function numberOf(value: unknown): number {
  return value === null ? Number.MIN_VALUE : Number(value);
}

const aggregate = (of: (values: readonly number[]) => number) => (points: readonly Point[], window: Window) => {
  const samples = samplesIn(points, window);
  return samples.length === 0 ? undefined : of(samples.map(({ value }) => value));
};
const numbers = (values: readonly number[]) => values.filter((value) => !Number.isNaN(value));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value);
const least = (values: readonly number[], of: (...some: number[]) => number) =>
  numbers(values).length === 0 ? NaN : of(...numbers(values));

describe.each(VERSIONS)('as Prometheus %i has it', (version) => {
  const ofWindow = (window: number) => ({ window });
  test.each(
    WINDOWS_S.flatMap((window) =>
      [
        { query: 'rate', column: 'rate', window, oracle: oracleOf('rate') },
        { query: 'increase', column: 'increase', window, oracle: oracleOf('increase') },
        { query: 'delta', column: 'delta', window, oracle: oracleOf('delta') },
        // Divided before they are added up, which may be too much for a double.
        { column: 'avg_over_time', oracle: aggregate((values) => sum(values.map((value) => value / values.length))) },
        { column: 'min_over_time', oracle: aggregate((values) => least(values, Math.min)) },
        { column: 'max_over_time', oracle: aggregate((values) => least(values, Math.max)) },
        { column: 'sum_over_time', oracle: aggregate(sum) },
        { column: 'count_over_time', oracle: aggregate((values) => values.length) },
        { column: 'last_over_time', oracle: aggregate((values) => values.at(-1)!) },
      ].map((one) => ({ query: 'over_time', ...one, window })),
    ),
  )('$query of $window s: $column', async ({ query, column, window, oracle }) => {
    await expectAnswers(query, column, { version, window, more: ofWindow }, oracle);
  });

  test.each([300, 20, 1])('instant, with a lookback of %i s', async (window) => {
    await expectAnswers('instant', 'value', { version, window, more: (lookback) => ({ lookback }) }, instant);
  });

  test('rate by label', async () => {
    const [evaluations] = EVALUATIONS;
    const window = 20;
    const sql = libraryQuery('rate_by_label', {
      metric: NAME,
      datehour: DATEHOUR,
      by: 'parity',
      prometheus: version,
      window,
      ...timesOf(evaluations!),
    });
    const actual = (await athena.rows(sql)).map(
      (row) => [answerKey({ parity: String(row['label']) }, Number(row['time'])), Number(row['rate'])] as const,
    );
    const expected = new Map<string, number>();
    for (let tMs = evaluations!.fromMs; tMs <= evaluations!.toMs; tMs += evaluations!.stepSeconds * 1_000) {
      for (const [name, points] of Object.entries(SERIES)) {
        const rate = extrapolated('rate', points, { tMs, windowMs: window * 1_000, version });
        const key = answerKey({ parity: String(name.length % 2) }, tMs);
        if (rate !== undefined) expected.set(key, (expected.get(key) ?? 0) + rate);
      }
    }
    expect(compareAnswers(expected, new Map(actual)).examples).toEqual([]);
  });

  test.each(QUANTILES)('the quantile %d of classic buckets', async (quantile) => {
    const sql = libraryQuery('histogram_quantile_classic', {
      metric: 'made_bucket',
      datehour: DATEHOUR,
      by: 'case',
      prometheus: version,
      window: 20,
      quantile,
      ...timesOf({ fromMs: START_MS + 10_000, toMs: START_MS + 10_000, stepSeconds: 1 }),
    });
    const answers = new Map((await athena.rows(sql)).map((row) => [String(row['label']), numberOf(row['quantile'])]));
    const expected = Object.entries(HISTOGRAMS).map(([name, counts]) => {
      const merged = new Map<number, number>();
      for (const [le, count] of Object.entries(counts)) {
        const upper = Number(le.replace('Inf', 'Infinity'));
        if (!Number.isNaN(upper)) merged.set(upper, (merged.get(upper) ?? 0) + count);
      }
      return [name, classicQuantile(quantile, [...merged], version)] as const;
    });
    expect(compareAnswers(new Map(expected), answers).examples).toEqual([]);
  });
});

function oracleOf(kind: 'rate' | 'increase' | 'delta') {
  return (points: readonly Point[], window: Window) => extrapolated(kind, points, window);
}
