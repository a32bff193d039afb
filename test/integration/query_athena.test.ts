import { describe, expect, test } from 'vitest';
import { MANY, useAthena } from '../support/athena_archive.ts';
import { runQuery } from '../support/query_archive.ts';

/** `query --athena` prints what `query` does over the same archive. */

const athena = useAthena();

describe('the same SQL prints the same', () => {
  test.each([
    [
      'every value',
      "SELECT name, time, ts, value FROM samples WHERE name IN ('value', 'time') ORDER BY name, time, value",
    ],
    [
      'labels by name',
      "SELECT element_at(labels, 'job') AS job, element_at(labels, 'none') AS none FROM samples ORDER BY name, time",
    ],
    ['text and the empty text', 'SELECT name, type, help, unit, time, ts, datehour FROM metadata ORDER BY help'],
    [
      'plain columns of histograms',
      'SELECT name, time, ts, type, count, count_int, sum, schema, zero_threshold, zero_count, reset_hint FROM histograms ORDER BY time',
    ],
    ['exemplars', 'SELECT name, time, ts, value, datehour FROM exemplars'],
    [
      'the lines themselves',
      "SELECT kind, name, time, value, stale, bits FROM samples_raw WHERE name <> 'many' ORDER BY kind, name, time, value",
    ],
    [
      'aggregates',
      'SELECT name, count(*) AS n, sum(time) AS total, min(value) AS low, max(value) AS high FROM samples GROUP BY name ORDER BY name',
    ],
    [
      'NULL and booleans',
      "SELECT CAST(NULL AS varchar) AS a, '' AS b, true AS c, false AS d, CAST(NULL AS double) AS e",
    ],
    ['no rows', "SELECT name, value FROM samples WHERE name = 'none'"],
    ['many pages', "SELECT name, time, ts, value FROM samples WHERE name = 'many' ORDER BY time"],
  ])('%s', async (_, sql) => {
    for (const format of ['csv', 'json', 'table'] as const) {
      const { stdout } = await athena.query(sql, { format });
      expect(stdout).toBe(await runQuery(sql, { archiveDir: athena.archiveDir, format }));
    }
  });
});

test('pages', async () => {
  const { stdout } = await athena.query("SELECT time FROM samples WHERE name = 'many'");
  expect(stdout.split('\r\n')).toHaveLength(MANY + 2);
  expect(athena.fake.inputs('GetQueryResults')).toHaveLength(11);
});
