import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeRecord, type NativeHistogram } from '../../../src/record.ts';
import { filesBelow } from '../../support/archive.ts';
import { openAthena, type AthenaOnDuckdb } from '../../support/athena_on_duckdb.ts';
import { HISTOGRAM_CASES, QUANTILES } from '../../support/histogram_cases.ts';
import { libraryQuery } from '../../support/library.ts';
import { nativeHistogram, type WrittenHistogram } from '../../support/native_histograms.ts';
import { compareAnswers } from '../../support/promql.ts';
import { writeArchiveFile } from '../../support/query_archive.ts';

/** The quantiles of native histograms at the edges of what the protocol allows, for which DuckDB's macros are known to be right. */

const START_MS = Date.UTC(2026, 10, 20, 10);

function lineOf(name: string, text: string, at: { readonly seconds: number; readonly histogram: NativeHistogram }) {
  const labels = [
    { name: '__name__', value: name },
    { name: 'case', value: text },
  ];
  return encodeRecord({
    kind: 'histogram',
    time: BigInt(START_MS + at.seconds * 1_000),
    labels,
    histogram: at.histogram,
  });
}

/** Two of them, ten seconds apart. */
const PAIRS: Readonly<Record<string, readonly [WrittenHistogram, WrittenHistogram]>> = {
  'grown by 8': [
    { schema: 0, positive: [[[1, 2]], [1, 1]] },
    { schema: 0, positive: [[[1, 2]], [5, 5]] },
  ],
  'to a coarser schema': [
    { schema: 1, positive: [[[1, 2]], [1, 1]] },
    { schema: 0, positive: [[[1, 2]], [6, 4]] },
  ],
  'to a finer schema, which is a reset': [
    { schema: 0, positive: [[[1, 2]], [1, 1]] },
    { schema: 1, positive: [[[1, 2]], [4, 4]] },
  ],
  'to another zero bucket': [
    { schema: 0, zero: [0.001, 1], positive: [[[1, 2]], [1, 1]] },
    { schema: 0, zero: [0.01, 1], positive: [[[1, 2]], [5, 5]] },
  ],
};

let dir: string;
let athena: AthenaOnDuckdb;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'native-quantiles-'));
  const lines = Object.entries(HISTOGRAM_CASES).map(([text, plain]) =>
    lineOf('h', text, { seconds: 0, histogram: nativeHistogram(plain) }),
  );
  const pairs = Object.entries(PAIRS).flatMap(([text, pair]) =>
    pair.map((plain, index) => lineOf('pair', text, { seconds: 10 * index, histogram: nativeHistogram(plain) })),
  );
  writeArchiveFile(dir, '2026/11/20/10/a.json.gz', [lines, pairs]);
  writeArchiveFile(dir, '2026/11/20/11/a.json.gz', [lines, pairs]);
  athena = await openAthena({ paths: { json: filesBelow(dir).map((path) => join(dir, path)), parquet: [] } });
});
afterAll(() => {
  athena.close();
  rmSync(dir, { recursive: true });
});

const SPAN = { datehour: '2026/11/20/10', from: new Date(START_MS) };

test.each(QUANTILES.filter((quantile) => Number.isFinite(quantile)))('%d, as stored', async (quantile) => {
  const sql = libraryQuery('histogram_quantile_native', { ...SPAN, metric: 'h', quantile });
  const ofCase = (row: Record<string, unknown>) => (row['labels'] as Record<string, string>)['case']!;
  // NULL stands for no answer in both.
  const answers = (await athena.rows(sql)).filter((row) => row['quantile'] !== null);
  const expected = await athena.rowsOfQuery(
    `SELECT labels, histogram_quantile(${quantile}, h) AS quantile FROM histograms AS h WHERE name = 'h' AND datehour = '2026/11/20/10'`,
  );
  const known = expected.filter((row) => row['quantile'] !== null);
  const toMap = (rows: readonly Record<string, unknown>[]) =>
    new Map(rows.map((row) => [ofCase(row), Number(row['quantile'])]));
  expect(known.length).toBeGreaterThan(30);
  expect(compareAnswers(toMap(known), toMap(answers)).examples).toEqual([]);
});

test('of what was observed between two', async () => {
  const parameters = { metric: 'pair', by: 'case', window: 20, step: 1, quantile: 0.5 };
  const at = new Date(START_MS + 10_000);
  const sql = libraryQuery('histogram_quantile_native_rate', { ...SPAN, ...parameters, from: at, to: at });
  const rows = await athena.rows(sql);
  expect(rows.map(({ label, quantile, rate }) => [label, quantile, rate])).toEqual([
    // Half of 8 is in the first bucket, up to 2; 8 in ten seconds are 16 in the window.
    ['grown by 8', 2, 0.8],
    ['to a coarser schema', 2, 0.8],
    ['to a finer schema, which is a reset', expect.closeTo(Math.SQRT2, 12), 0.8],
    ['to another zero bucket', null, null],
  ]);
});
