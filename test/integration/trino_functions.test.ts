import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf } from '../support/query_archive.ts';

/** What Trino's documentation says of the functions that `query` has from it. */
const CASES: readonly (readonly [sql: string, answer: unknown])[] = [
  ["element_at(MAP {'a': 'b'}, 'a')", 'b'],
  ["element_at(MAP {'a': 'b'}, 'absent')", null],
  ['element_at([5, 6], 2)', 6],
  ['element_at([5, 6], 3)', null],
  ["is_nan(CAST('NaN' AS double))", true],
  ["is_nan(CAST('Infinity' AS double))", false],
  ['sequence(1, 3)', [1, 2, 3]],
  ['sequence(1, 0)', [1, 0]],
  ['sequence(1, 1)', [1]],
  ['len(sequence(1, 10000))', 10_000],
  ['sequence(1, 10, 4)', [1, 5, 9]],
  ['sequence(10, 1, -4)', [10, 6, 2]],
  ["date_add('millisecond', 1795171513123, TIMESTAMP '1970-01-01 00:00:00.000')", '2026-11-20 10:45:13.123'],
  ["date_add('millisecond', -1, TIMESTAMP '1970-01-01 00:00:00.000')", '1969-12-31 23:59:59.999'],
  ["date_add('hour', 25, TIMESTAMP '2026-11-20 10:00:00')", '2026-11-21 11:00:00.000'],
  ["date_add('day', -1, TIMESTAMP '2026-11-20 10:00:00')", '2026-11-19 10:00:00.000'],
  // DuckDB's own.
  ["date_add(TIMESTAMP '2026-11-20 10:00:00', INTERVAL 1 MONTH)", '2026-12-20 10:00:00.000'],
];

const archiveDir = mkdtempSync(join(tmpdir(), 'trino-functions-'));
afterAll(() => {
  rmSync(archiveDir, { recursive: true });
});

let answers: Record<string, unknown>;
beforeAll(async () => {
  const columns = CASES.map(([sql], index) => `${sql} AS answer_${index}`);
  [answers = {}] = await rowsOf(`SELECT ${columns.join(', ')}`, { archiveDir });
});

test.each(CASES.map(([sql, answer], index) => ({ sql, answer, index })))('$sql', ({ answer, index }) => {
  expect(answers[`answer_${index}`]).toEqual(answer);
});

test.each(['sequence(1, 10001)', 'sequence(10001, 1)', 'sequence(0, 20000, 2)', 'sequence(20000, 0, -2)'])(
  '%s is refused, as in Athena',
  async (sql) => {
    await expect(rowsOf(`SELECT ${sql} AS answer`, { archiveDir })).rejects.toThrow('more than 10000 entries');
  },
);
