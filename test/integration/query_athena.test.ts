import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MANY, useAthena } from '../support/athena_archive.ts';
import { runQuery } from '../support/query_archive.ts';

/** What `query --athena` prints, and how it reads it. */

const athena = useAthena();

describe('the same SQL prints what the local engine prints:', () => {
  test.each([
    [
      'every value',
      "SELECT name, time, ts, value FROM samples WHERE name IN ('value', 'time') ORDER BY name, time, value",
    ],
    [
      'labels by name',
      "SELECT element_at(labels, 'job') AS job, element_at(labels, 'none') AS none FROM samples ORDER BY name, time",
    ],
    ['the empty text', 'SELECT name, type, help, unit, time, ts, datehour FROM metadata ORDER BY help'],
    [
      'the plain columns of histograms',
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
    ['columns of one name', 'SELECT 1 AS a, 2 AS a'],
    ['no rows', "SELECT name, value FROM samples WHERE name = 'none'"],
    ['eleven pages', "SELECT name, time, ts, value FROM samples WHERE name = 'many' ORDER BY time"],
  ])('%s', async (_, sql) => {
    athena.fake.service.polls = 0;
    for (const format of ['csv', 'json', 'table'] as const) {
      const { stdout } = await athena.query(sql, { format });
      expect(stdout).toBe(await runQuery(sql, { archiveDir: athena.archiveDir, format }));
    }
  });
});

describe('what only Athena has', () => {
  test.each([
    ['a map', "SELECT labels FROM samples WHERE name = '日本'", '"{__name__=日本, job=日本🦆 \\"a\\", b\\n}"'],
    ['an array', 'SELECT ARRAY[1, 2] AS labels', '"[1, 2]"'],
  ])('%s is its own text', async (_, sql, token) => {
    expect((await athena.query(sql, { format: 'json' })).stdout).toBe(`{"labels":${token}}\n`);
  });

  test('SHOW has no header to leave out', async () => {
    const { stdout, stderr } = await athena.query('SHOW TABLES', { format: 'table' });
    expect(stdout).toMatch(/^tab_name\n-+\ncompacted\nexemplars\n[^]*\(7 rows\)\n$/);
    expect(stderr).toMatch(/^athena: 0 B scanned in 3\.0 s, no charge, query /);
  });

  test('DESCRIBE has columns', async () => {
    const { stdout } = await athena.query('DESCRIBE samples', { format: 'csv' });
    expect(stdout).toMatch(/^col_name,data_type,comment\r\nname,VARCHAR,""\r\ntime,BIGINT,""\r\n/);
  });

  test('EXPLAIN is printed as it is', async () => {
    const { stdout } = await athena.query('EXPLAIN SELECT * FROM samples', { format: 'table' });
    expect(stdout).toMatch(/^┌─+┐\n/);
  });

  test('DDL has no result', async () => {
    expect((await athena.query('CREATE OR REPLACE VIEW mine AS SELECT 1 AS one')).stdout).toBe('');
    expect((await athena.query('SELECT one FROM mine')).stdout).toBe('one\r\n1\r\n');
    await athena.query('DROP VIEW mine');
  });
});

describe('a result', () => {
  const SQL = "SELECT time FROM samples WHERE name = 'many'";

  test('is asked for by pages of 1,000 rows, each once', async () => {
    const { stdout } = await athena.query(SQL);
    expect(stdout.split('\r\n')).toHaveLength(MANY + 2);
    const pages = athena.fake.inputs('GetQueryResults');
    expect(pages).toHaveLength(11);
    expect(pages.map(({ MaxResults }) => MaxResults)).toEqual(Array(11).fill(1_000));
    expect(new Set(pages.map(({ NextToken }) => NextToken)).size).toBe(11);
  });

  test('is read no faster than it is taken: a page is held at a time', async () => {
    const { fake } = athena;
    const taken: (() => void)[] = [];
    const stdout = new Writable({ highWaterMark: 1, write: (_piece, _encoding, done) => void taken.push(done) });
    const running = athena.query(SQL, {}, { stdout });
    for (let page = 1; page <= 11; page++) {
      await fake.arrived('GetQueryResults', page);
      while (taken.length === 0) await setImmediate();
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      expect(fake.inputs('GetQueryResults')).toHaveLength(page);
      taken.shift()!();
    }
    await running;
  });

  test('whose reader has gone is read no further', async () => {
    const stdout = new Writable({
      write: (_piece, _encoding, done) => {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    await athena.query(SQL, {}, { stdout });
    expect(athena.fake.inputs('GetQueryResults')).toHaveLength(1);
    expect(athena.fake.inputs('StopQueryExecution')).toEqual([]);
  });
});
