import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bitsOf, encodeRecord, STALE_NAN } from '../../../src/record.ts';
import { filesBelow } from '../../support/archive.ts';
import { openAthena, type AthenaOnDuckdb } from '../../support/athena_on_duckdb.ts';
import { HISTOGRAM_CASES } from '../../support/histogram_cases.ts';
import { nativeHistogram } from '../../support/native_histograms.ts';
import { sampleLine, writeArchiveFile } from '../../support/query_archive.ts';

/** The views of `athena/` answer what those of `query` do, over everything that a line can be. */

const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const labels = [
  { name: '__name__', value: 'x' },
  { name: 'job', value: 'node' },
];
const time = BigInt(AT);

const LINES = [
  ...[0, 1, -1.5, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE].map((value, index) =>
    sampleLine('x', AT + index, { value, labels: { case: 'value' } }),
  ),
  ...[-(2n ** 63n), -62_135_596_800_001n, -62_135_596_800_000n, 253_402_300_799_999n, 253_402_300_800_000n].map(
    (absurd) => sampleLine('x', absurd),
  ),
  sampleLine('x', AT, { bits: STALE_NAN }),
  sampleLine('x', AT, { bits: 0xfff8000000000000n }),
  sampleLine('日本', AT, { labels: { 'with space.and "quotes"': 'a\u0000b\n"\\\u001b日本🦆' } }),
  ...Object.values(HISTOGRAM_CASES).map((plain, index) =>
    encodeRecord({ kind: 'histogram', time: time + BigInt(index), labels, histogram: nativeHistogram(plain) }),
  ),
  encodeRecord({ kind: 'histogram', time, labels, histogram: { type: 'float', stale: true } }),
  encodeRecord({ kind: 'exemplar', time, labels, exemplar: { value: bitsOf(0.25), labels } }),
  encodeRecord({ kind: 'exemplar', time, labels, exemplar: { value: 0xfff8000000000000n, labels: [] } }),
  ...['a', 'b'].map((help) =>
    encodeRecord({ kind: 'metadata', name: 'x', time, metadata: { type: 'counter', help, unit: 's' } }),
  ),
];

let dir: string;
let athena: AthenaOnDuckdb;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'athena-views-'));
  writeArchiveFile(dir, '2026/11/20/10/a.json.gz', [LINES, LINES.slice(0, 20)]);
  writeArchiveFile(dir, '2026/11/20/11/a.json.gz', [LINES]);
  athena = await openAthena({ paths: { json: filesBelow(dir).map((path) => join(dir, path)), parquet: [] } });
});
afterAll(() => {
  athena.close();
  rmSync(dir, { recursive: true });
});

test.each(['samples_raw', 'samples', 'histograms', 'exemplars', 'metadata'])('%s', async (view) => {
  const described = async (rows: Promise<Record<string, unknown>[]>) =>
    (await rows).map((row) => `${String(row['column_name'])} ${String(row['column_type'])}`);
  const own = await described(athena.rowsOfQuery(`DESCRIBE ${view}`));
  expect(await described(athena.rowsOfQuery(`DESCRIBE athena.${view}`))).toEqual(own);
  const rows = await athena.rows(`SELECT * FROM ${view}`);
  expect(rows.length).toBeGreaterThan(3);
  const sorted = (list: readonly unknown[]) => list.map((row) => JSON.stringify(row)).sort();
  expect(sorted(rows)).toEqual(sorted(await athena.rowsOfQuery(`SELECT * FROM ${view}`)));
});
