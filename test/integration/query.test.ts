import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OPEN_SUFFIX } from '../../src/archive.ts';
import { CommandError } from '../../src/errors.ts';
import { bitsOf, encodeRecord, STALE_NAN } from '../../src/record.ts';
import { temporaryDir } from '../support/archive.ts';
import {
  collector,
  filesRead,
  memberOf,
  rowsOf,
  runQuery,
  sampleLine,
  writeArchiveFile,
  writeBytes,
} from '../support/query_archive.ts';

const HOUR = '2026/11/20/10';
const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const HOUR_MS = 3_600_000;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

let temporary = '';

beforeEach(() => {
  temporary = temporaryDir();
  vi.stubEnv('TMPDIR', temporary);
  return () => {
    const left = readdirSync(temporary);
    vi.unstubAllEnvs();
    expect(left).toEqual([]);
  };
});

/** An archive of these lines in one hour. */
function archiveOf(...lines: string[]): { archiveDir: string } {
  // Not below TMPDIR, which is to be empty in the end.
  vi.unstubAllEnvs();
  const archiveDir = temporaryDir();
  vi.stubEnv('TMPDIR', temporary);
  if (lines.length > 0) writeArchiveFile(archiveDir, `${HOUR}/a.json.gz`, [lines]);
  return { archiveDir };
}

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandError);
  return (error as CommandError).message;
};

describe('samples', () => {
  it.each<[string, string, number | bigint, string, string]>([
    ['a whole number', sampleLine('x', AT, { value: 1 }), AT, '1', '1'],
    ['minus zero', sampleLine('x', AT, { value: -0 }), AT, '-0.0', '-0.0'],
    ['NaN', sampleLine('x', AT, { value: NaN }), AT, 'NaN', 'NaN'],
    ['a NaN of other bits', sampleLine('x', AT, { bits: 0xfff8000000000000n }), AT, 'NaN', 'NaN'],
    ['infinity', sampleLine('x', AT, { value: Infinity }), AT, 'Infinity', 'Infinity'],
    ['minus infinity', sampleLine('x', AT, { value: -Infinity }), AT, '-Infinity', '-Infinity'],
    [
      'the largest double',
      sampleLine('x', AT, { value: Number.MAX_VALUE }),
      AT,
      '1.7976931348623157e+308',
      '1.7976931348623157e+308',
    ],
    ['the smallest double', sampleLine('x', AT, { value: 5e-324 }), AT, '5e-324', '5e-324'],
    ['2^53 + 2', sampleLine('x', AT, { value: 2 ** 53 + 2 }), AT, '9007199254740994', '9007199254740994'],
    ['2^64', sampleLine('x', AT, { value: 2 ** 64 }), AT, '18446744073709552000', '18446744073709552000'],
    ['the latest time', sampleLine('x', INT64_MAX), INT64_MAX, '1', '1'],
    ['the earliest time', sampleLine('x', INT64_MIN), INT64_MIN, '1', '1'],
  ])('keep %s', async (_name, line, time, text, value) => {
    const archive = archiveOf(line);
    expect(await runQuery('SELECT "time", "value" FROM samples_raw', { ...archive, format: 'csv' })).toBe(
      `time,value\r\n${time},${text}\r\n`,
    );
    expect(await runQuery('SELECT "time", "value" FROM samples', { ...archive, format: 'csv' })).toBe(
      `time,value\r\n${time},${value}\r\n`,
    );
  });

  it('keep doubles of any digits bit for bit', async () => {
    const values = Array.from({ length: 500 }, (_, index) => Math.sin(index + 1) * 10 ** ((index % 80) - 40));
    const archive = archiveOf(...values.map((value, index) => sampleLine('x', index, { value })));
    const rows = await rowsOf('SELECT "value" FROM samples ORDER BY "time"', archive);
    expect(rows.map((row) => row['value'])).toEqual(values);
  });

  it('keep labels of any text', async () => {
    const value = 'a\u0000b\n"\\\u001b日本🦆';
    const archive = archiveOf(sampleLine('x', AT, { labels: { 'with space.and "quotes"': value } }));
    const [row] = await rowsOf('SELECT labels FROM samples', archive);
    expect(row).toEqual({ labels: { __name__: 'x', 'with space.and "quotes"': value } });
  });

  it('have the published columns, in both views, also over an empty archive', async () => {
    const raw = [
      ['kind', 'VARCHAR'],
      ['name', 'VARCHAR'],
      ['time', 'BIGINT'],
      ['start', 'BIGINT'],
      ['value', 'VARCHAR'],
      ['stale', 'BOOLEAN'],
      ['bits', 'VARCHAR'],
      ['labels', 'MAP(VARCHAR, VARCHAR)'],
      ['datehour', 'VARCHAR'],
    ];
    const samples = [
      ['name', 'VARCHAR'],
      ['time', 'BIGINT'],
      ['ts', 'TIMESTAMP'],
      ['value', 'DOUBLE'],
      ['labels', 'MAP(VARCHAR, VARCHAR)'],
      ['datehour', 'VARCHAR'],
    ];
    for (const archive of [archiveOf(), archiveOf(sampleLine('x', AT))]) {
      for (const [view, columns] of [
        ['samples_raw', raw],
        ['samples', samples],
      ] as const) {
        const rows = await rowsOf(`DESCRIBE ${view}`, archive);
        expect(rows.map((row) => [row['column_name'], row['column_type']])).toEqual(columns);
      }
    }
  });

  it('leave out duplicates within an hour, but not across hours, and keep two values at one time', async () => {
    const archive = archiveOf(sampleLine('x', AT), sampleLine('x', AT), sampleLine('x', AT, { value: 2 }));
    writeArchiveFile(archive.archiveDir, `${HOUR}/b.json.gz`, [[sampleLine('x', AT)], [sampleLine('x', AT)]]);
    writeArchiveFile(archive.archiveDir, '2026/11/20/11/a.json.gz', [[sampleLine('x', AT)]]);
    expect(await runQuery('SELECT datehour, "value" FROM samples ORDER BY ALL', { ...archive, format: 'csv' })).toBe(
      `datehour,value\r\n${HOUR},1\r\n${HOUR},2\r\n2026/11/20/11,1\r\n`,
    );
    expect(await rowsOf('SELECT count(*) AS n FROM samples_raw', archive)).toEqual([{ n: 6 }]);
  });

  it('of NaN are duplicates of each other', async () => {
    const line = sampleLine('x', AT, { value: NaN });
    expect(await rowsOf('SELECT "value" FROM samples', archiveOf(line, line))).toEqual([{ value: 'NaN' }]);
  });

  it('have no stale markers and no other kinds, which samples_raw has', async () => {
    const labels = [{ name: '__name__', value: 'x' }];
    const time = BigInt(AT);
    const archive = archiveOf(
      sampleLine('x', AT, { value: 7 }),
      sampleLine('x', AT + 1, { bits: STALE_NAN }),
      encodeRecord({ kind: 'exemplar', time, labels, exemplar: { value: bitsOf(1), labels: [] } }),
      encodeRecord({ kind: 'histogram', time, labels, histogram: { type: 'integer', stale: true } }),
      encodeRecord({ kind: 'metadata', name: 'x', time, metadata: { type: 'counter', help: '', unit: '' } }),
      encodeRecord({ kind: 'sample', time: time + 2n, start: -5n, labels, value: 0xfff8000000000000n }),
    );
    expect(await rowsOf('SELECT "value" FROM samples ORDER BY "value"', archive)).toEqual([
      { value: 7 },
      { value: 'NaN' },
    ]);
    expect(
      await rowsOf('SELECT * EXCLUDE (name, "time", datehour) FROM samples_raw ORDER BY kind, "time"', archive),
    ).toEqual([
      { kind: 'exemplar', start: null, value: null, stale: null, bits: null, labels: { __name__: 'x' } },
      { kind: 'histogram', start: null, value: null, stale: null, bits: null, labels: { __name__: 'x' } },
      { kind: 'metadata', start: null, value: null, stale: null, bits: null, labels: null },
      { kind: null, start: null, value: '7', stale: null, bits: null, labels: { __name__: 'x' } },
      { kind: null, start: null, value: null, stale: true, bits: null, labels: { __name__: 'x' } },
      { kind: null, start: -5, value: 'NaN', stale: null, bits: 'fff8000000000000', labels: { __name__: 'x' } },
    ]);
  });

  it('answer NULL for an absent label, by element_at and by brackets', async () => {
    const archive = archiveOf(sampleLine('x', AT, { labels: { job: 'node' } }), sampleLine('x', AT + 1));
    const sql = `SELECT element_at(labels, 'job') AS a, labels['job'] AS b FROM samples ORDER BY "time"`;
    expect(await rowsOf(sql, archive)).toEqual([
      { a: 'node', b: 'node' },
      { a: null, b: null },
    ]);
  });

  it('have a ts that is NULL for absurd times, also in predicates', async () => {
    const times = [INT64_MIN, -1n, 0n, BigInt(AT), 9_223_372_036_854_775n, 9_223_372_036_854_776n, INT64_MAX];
    const archive = archiveOf(...times.map((time) => sampleLine('x', time)));
    expect(await runQuery('SELECT ts FROM samples ORDER BY "time"', { ...archive, format: 'csv' })).toBe(
      [
        'ts',
        '',
        '1969-12-31 23:59:59.999',
        '1970-01-01 00:00:00.000',
        '2026-11-20 10:45:13.123',
        '294247-01-10 04:00:54.775',
        '',
        '',
        '',
      ].join('\r\n'),
    );
    const sql =
      "SELECT count(*) AS n FROM samples WHERE ts BETWEEN TIMESTAMP '2026-11-20' AND now()::TIMESTAMP + INTERVAL 100 YEAR";
    expect(await rowsOf(sql, archive)).toEqual([{ n: 1 }]);
  });
});

describe('pruning', () => {
  function twelveHours(): { archiveDir: string } {
    const archive = archiveOf();
    for (let hour = 0; hour < 12; hour++) {
      const timeMs = Date.UTC(2026, 10, 20, hour, 30);
      const folder = `2026/11/20/${String(hour).padStart(2, '0')}`;
      // In each hour a sample of it, and one that came an hour late.
      writeArchiveFile(archive.archiveDir, `${folder}/a.json.gz`, [
        [sampleLine('x', timeMs), sampleLine('late', timeMs - HOUR_MS)],
      ]);
    }
    return archive;
  }

  it.each([
    ['samples', 'SELECT avg("value") FROM samples', 12],
    ['samples by datehour', 'SELECT avg("value") FROM samples WHERE datehour >= \'2026/11/20/08\'', 4],
    ['samples by one datehour', "SELECT * FROM samples WHERE datehour = '2026/11/20/08'", 1],
    [
      'samples by datehour and labels',
      "SELECT ts FROM samples WHERE datehour < '2026/11/20/02' AND labels['a'] IS NULL",
      2,
    ],
    ['samples by two datehours', "SELECT ts FROM samples WHERE datehour IN ('2026/11/20/02', '2026/11/20/04')", 2],
    [
      'samples in a subquery',
      "SELECT count(*) FROM (SELECT * FROM samples WHERE name = 'x') WHERE datehour > '2026/11/20/09'",
      2,
    ],
    ['samples_raw', 'SELECT max("value") FROM samples_raw', 12],
    ['samples_raw by datehour', 'SELECT max("value") FROM samples_raw WHERE datehour LIKE \'2026/11/20/0%\'', 10],
    ['no hour at all', 'SELECT max("value") FROM samples_raw WHERE datehour = \'2027/01/01/00\'', 0],
  ])('%s', async (_name, sql, files) => {
    expect(await filesRead(sql, twelveHours())).toBe(files);
  });

  it.each([
    ['--from', { fromMs: Date.UTC(2026, 10, 20, 8) }, 5, 7],
    ['--from within an hour', { fromMs: Date.UTC(2026, 10, 20, 8, 45) }, 5, 5],
    ['--since', { sinceMs: 2 * HOUR_MS }, 3, 3],
    ['--to, which prunes nothing', { toMs: Date.UTC(2026, 10, 20, 2) }, 12, 5],
    ['--from and --to', { fromMs: Date.UTC(2026, 10, 20, 8), toMs: Date.UTC(2026, 10, 20, 10) }, 5, 4],
    ['--from after all', { fromMs: Date.UTC(2027, 0, 1) }, 0, 0],
  ])('%s', async (_name, range, files, rows) => {
    const archive = { ...twelveHours(), ...range };
    for (const view of ['samples', 'samples_raw']) {
      expect(await filesRead(`SELECT * FROM ${view}`, archive)).toBe(files);
      // Late samples of the range are in, and what lies before it in the folders that are read is out.
      expect(await rowsOf(`SELECT count(*) AS n FROM ${view}`, archive)).toEqual([{ n: rows }]);
    }
  });

  it('does not even open the files of other hours', async () => {
    const archive = archiveOf(sampleLine('x', AT));
    writeBytes(archive.archiveDir, '2026/11/20/08/b.json.gz', Buffer.from('no gzip'));
    const sql = 'SELECT datehour FROM samples';
    expect(await rowsOf(`${sql} WHERE datehour > '2026/11/20/08'`, archive)).toEqual([{ datehour: HOUR }]);
    expect(await rowsOf(sql, { ...archive, fromMs: AT })).toEqual([{ datehour: HOUR }]);
    expect(await messageOf(rowsOf(sql, archive))).toContain('/2026/11/20/08/b.json.gz');
  });

  it('by --from and --to is exact to the millisecond, from the first to one before the last', async () => {
    const archive = archiveOf(...[-1, 0, 1, 2].map((offset) => sampleLine('x', AT + offset)));
    const sql = `SELECT "time" - ${AT} AS t FROM samples ORDER BY t`;
    expect(await rowsOf(sql, { ...archive, fromMs: AT, toMs: AT + 2 })).toEqual([{ t: 0 }, { t: 1 }]);
  });
});

describe('the archive', () => {
  it('that is empty answers zero rows', async () => {
    const archive = archiveOf();
    expect(await runQuery('SELECT name, "value" FROM samples', archive)).toBe('name | value\n-----+------\n(0 rows)\n');
    expect(await rowsOf('SELECT count(*) AS n FROM samples_raw', archive)).toEqual([{ n: 0 }]);
  });

  it('that is missing is named', async () => {
    const archiveDir = join(archiveOf().archiveDir, 'nowhere');
    expect(await messageOf(runQuery('SELECT 1', { archiveDir }))).toMatch(
      /^no archive at .*nowhere .*--archive-dir \(ARCHIVE_DIR\)/,
    );
    expect(await messageOf(runQuery('SELECT 1', { archiveDir: 'none' }))).toContain(
      '--archive-dir (ARCHIVE_DIR) is "none"',
    );
  });

  it('may lie in a folder with a name that means something to SQL or to patterns', async () => {
    for (const name of ["quo'te", 'st*r', '[a-z]', 'q?', 'with space', '{a,b}', 'é', '~', '$x']) {
      const archiveDir = join(archiveOf().archiveDir, name);
      writeArchiveFile(archiveDir, `${HOUR}/a.json.gz`, [[sampleLine('x', AT)]]);
      expect(await rowsOf('SELECT datehour FROM samples', { archiveDir })).toEqual([{ datehour: HOUR }]);
    }
  });

  it("of Firehose's own files is read: plain gzip, and many members", async () => {
    const archive = archiveOf();
    const lines = [0, 1, 2, 3].map((index) => sampleLine('x', AT + index));
    const first = gzipSync(lines.slice(0, 1).join(''));
    const second = gzipSync(lines.slice(1, 3).join(''));
    writeBytes(archive.archiveDir, `${HOUR}/delivery-1-2026-11-20-10-00-00-0b0a.gz`, Buffer.concat([first, second]));
    writeBytes(archive.archiveDir, `${HOUR}/delivery-1-2026-11-20-10-05-00-0b0b.json.gz`, gzipSync(lines[3]!));
    expect(await rowsOf('SELECT count(*) AS n FROM samples', archive)).toEqual([{ n: 4 }]);
  });

  it("is read with the file that is being written, at its folder's hour", async () => {
    const archive = archiveOf(sampleLine('x', AT));
    const whole = memberOf([sampleLine('x', AT + 1), sampleLine('x', AT + 2)]);
    const torn = memberOf([sampleLine('x', AT + 3)]).subarray(0, -1);
    writeBytes(archive.archiveDir, `2026/11/20/11/b.json.gz${OPEN_SUFFIX}`, Buffer.concat([whole, torn]));
    const sql = 'SELECT datehour, count(*) AS n FROM samples GROUP BY datehour ORDER BY datehour';
    expect(await rowsOf(sql, archive)).toEqual([
      { datehour: HOUR, n: 1 },
      { datehour: '2026/11/20/11', n: 2 },
    ]);
    expect(await filesRead("SELECT * FROM samples WHERE datehour = '2026/11/20/11'", archive)).toBe(1);
  });

  it('of which a server closes files while it is listed loses and doubles nothing', async () => {
    const archive = archiveOf();
    const folder = join(archive.archiveDir, HOUR);
    await mkdir(folder, { recursive: true });
    let finished = 0;
    let isDone = false;
    const writeFiles = async () => {
      while (!isDone) {
        const path = join(folder, `a-${finished}.json.gz`);
        await writeFile(path + OPEN_SUFFIX, memberOf([sampleLine('x', finished)]));
        await rename(path + OPEN_SUFFIX, path);
        finished++;
      }
    };
    const writing = writeFiles();
    for (let query = 0; query < 12; query++) {
      const before = finished;
      const rows = await rowsOf('SELECT "time" FROM samples_raw ORDER BY "time"', archive);
      // The first ones must be there, each once; of those that were made meanwhile any.
      expect(rows.slice(0, before).map((row) => row['time'])).toEqual(
        Array.from({ length: before }, (_, time) => time),
      );
      expect(new Set(rows.map((row) => row['time'])).size).toBe(rows.length);
    }
    isDone = true;
    await writing;
    expect(await rowsOf('SELECT count(*) AS n FROM samples', archive)).toEqual([{ n: finished }]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'cut',
      gzipSync(Array.from({ length: 999 }, (_, index) => sampleLine('x', index * 7919)).join('')).subarray(0, 2_000),
      /Malformed JSON/,
    ],
    ['no gzip', Buffer.from(sampleLine('x', AT)), /not a GZIP stream/],
    ['empty', Buffer.alloc(0), /not a GZIP stream/],
    [
      'followed by something else',
      Buffer.concat([gzipSync(sampleLine('x', AT)), Buffer.from('more')]),
      /not a GZIP stream/,
    ],
    ['a line that is cut', gzipSync('{"name":"x","ti\n'), /Malformed JSON/],
    ['no lines of ours', gzipSync('[1]\n'), /Expected OBJECT, but got ARRAY: \[1\]$/],
    ['a time that is none', gzipSync(sampleLine('x', AT).replace(String(AT), '"x"')), /Failed to cast value/],
  ])('with a file that is damaged (%s) fails with its name', async (_name, bytes, reason) => {
    const archive = archiveOf(sampleLine('x', AT));
    writeBytes(archive.archiveDir, `${HOUR}/damaged.json.gz`, bytes);
    writeArchiveFile(archive.archiveDir, `${HOUR}/good.json.gz`, [[sampleLine('x', AT)]]);
    const message = await messageOf(runQuery('SELECT max("time") FROM samples', archive));
    expect(message).toContain(`${archive.archiveDir}/${HOUR}/damaged.json.gz`);
    expect(message).toMatch(reason);
    expect(message).not.toContain('ignore_errors');
  });

  it('of which a file went away says so', async () => {
    const archive = archiveOf();
    await mkdir(join(archive.archiveDir, HOUR), { recursive: true });
    await symlink('nowhere', join(archive.archiveDir, `${HOUR}/a.json.gz`));
    const message = await messageOf(runQuery('SELECT * FROM samples', archive));
    expect(message).toContain(`${archive.archiveDir}/${HOUR}/a.json.gz`);
    expect(message).toMatch(/\nThe file went away while the query ran, as retention removes files: run it again$/);
  });

  it('with an open file that is damaged names that, not its copy', async () => {
    const archive = archiveOf();
    writeArchiveFile(archive.archiveDir, `${HOUR}/a.json.gz${OPEN_SUFFIX}`, [['{"name":\n']]);
    const message = await messageOf(runQuery('SELECT * FROM samples', archive));
    expect(message).toContain(`${archive.archiveDir}/${HOUR}/a.json.gz${OPEN_SUFFIX}`);
    expect(message).not.toContain(temporary);
  });
});

describe('SQL', () => {
  it.each([
    ['a syntax error', 'SELEC 1', /^Parser Error: syntax error at or near "SELEC"\n\nLINE 1: SELEC 1\n {8}\^$/],
    ['an unknown column', 'SELECT nope FROM samples', /^Binder Error: Referenced column "nope" not found/],
    ['an unknown view', 'SELECT * FROM sampels', /Did you mean "samples"\?/],
    [
      'an error at run time',
      'SELECT CAST(name AS INTEGER) FROM samples',
      /^Conversion Error: Could not convert string 'x' to INT32/,
    ],
    ['nothing', '', /^the SQL is empty$/],
    ['a comment alone', '-- no', /^the SQL is empty$/],
    ['a parameter', 'SELECT $1', /Values were not provided/],
    ['an error in the second statement', 'SELECT 1; SELECT nope', /"nope" was not found/],
    ['an extension that would be fetched', "SELECT * FROM 's3://bucket/x.parquet'", /httpfs/],
  ])('that is wrong gives the message of DuckDB: %s', async (_name, sql, message) => {
    expect(await messageOf(runQuery(sql, archiveOf(sampleLine('x', AT))))).toMatch(message);
  });

  it('of several statements prints the result of the last', async () => {
    expect(await runQuery("SET VARIABLE a = 5; SELECT 1; SELECT getvariable('a') AS a", archiveOf())).toBe(
      'a\n-\n5\n(1 row)\n',
    );
  });

  it('without a result prints nothing, and does its work', async () => {
    const archive = archiveOf(sampleLine('x', AT));
    expect(await runQuery('CREATE TABLE t (i INTEGER)', archive)).toBe('');
    const target = join(archive.archiveDir, 'samples.parquet');
    expect(await runQuery(`COPY (SELECT * FROM samples) TO '${target}'`, archive)).toBe(
      'Count\n-----\n    1\n(1 row)\n',
    );
    expect(await rowsOf(`SELECT name, labels FROM '${target}'`, archive)).toEqual([
      { name: 'x', labels: { __name__: 'x' } },
    ]);
  });

  it('keeps ORDER BY and LIMIT exact over many files', async () => {
    const archive = archiveOf();
    const times = Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 20_000);
    for (let file = 0; file < 8; file++) {
      const lines = times.filter((time) => time % 8 === file).map((time) => sampleLine('x', time));
      writeArchiveFile(archive.archiveDir, `2026/11/20/0${file}/a.json.gz`, [lines]);
    }
    const rows = await rowsOf('SELECT "time" FROM samples ORDER BY "time" DESC', archive);
    expect(rows.map((row) => row['time'])).toEqual(times.toSorted((a, b) => b - a));
    expect(await rowsOf('SELECT "time" FROM samples ORDER BY "time" LIMIT 2 OFFSET 5000', archive)).toEqual([
      { time: 5_000 },
      { time: 5_001 },
    ]);
  });

  it('sees the clock in UTC', async () => {
    const sql = "SELECT TIMESTAMPTZ '2026-11-20 10:45:13.5+02' AS t, current_setting('TimeZone') AS zone";
    expect(await rowsOf(sql, archiveOf())).toEqual([{ t: '2026-11-20 08:45:13.500+00', zone: 'UTC' }]);
  });

  it('is explained as a drawing', async () => {
    expect(await runQuery('EXPLAIN SELECT * FROM samples', archiveOf(sampleLine('x', AT)))).toMatch(
      /^┌─+┐\n[^]*READ_JSON/,
    );
  });
});

describe('a result', () => {
  const LINES = [
    sampleLine('up', AT, { labels: { job: 'node' } }),
    sampleLine('up', AT + 877, { value: -0.25, labels: { job: 'a "b", c' } }),
    sampleLine('up', INT64_MAX, { value: NaN }),
  ];
  const SQL = 'SELECT * FROM samples ORDER BY "time"';

  it('is an aligned table', async () => {
    expect(await runQuery(SQL, archiveOf(...LINES))).toBe(
      [
        'name |                time | ts                      | value | labels                               | datehour',
        '-----+---------------------+-------------------------+-------+--------------------------------------+--------------',
        'up   |       1795171513123 | 2026-11-20 10:45:13.123 |     1 | {"__name__":"up","job":"node"}       | 2026/11/20/10',
        'up   |       1795171514000 | 2026-11-20 10:45:14.000 | -0.25 | {"__name__":"up","job":"a \\"b\\", c"} | 2026/11/20/10',
        'up   | 9223372036854775807 | NULL                    |   NaN | {"__name__":"up"}                    | 2026/11/20/10',
        '(3 rows)',
        '',
      ].join('\n'),
    );
  });

  it('is csv', async () => {
    expect(await runQuery(SQL, { ...archiveOf(...LINES), format: 'csv' })).toBe(
      [
        'name,time,ts,value,labels,datehour',
        'up,1795171513123,2026-11-20 10:45:13.123,1,"{""__name__"":""up"",""job"":""node""}",2026/11/20/10',
        'up,1795171514000,2026-11-20 10:45:14.000,-0.25,"{""__name__"":""up"",""job"":""a \\""b\\"", c""}",2026/11/20/10',
        'up,9223372036854775807,,NaN,"{""__name__"":""up""}",2026/11/20/10',
        '',
      ].join('\r\n'),
    );
  });

  it('is json', async () => {
    expect(await runQuery(SQL, { ...archiveOf(...LINES), format: 'json' })).toBe(
      [
        '{"name":"up","time":1795171513123,"ts":"2026-11-20 10:45:13.123","value":1,"labels":{"__name__":"up","job":"node"},"datehour":"2026/11/20/10"}',
        '{"name":"up","time":1795171514000,"ts":"2026-11-20 10:45:14.000","value":-0.25,"labels":{"__name__":"up","job":"a \\"b\\", c"},"datehour":"2026/11/20/10"}',
        '{"name":"up","time":9223372036854775807,"ts":null,"value":"NaN","labels":{"__name__":"up"},"datehour":"2026/11/20/10"}',
        '',
      ].join('\n'),
    );
  });

  it('streams: what is not taken is not computed', async () => {
    let pieces = 0;
    const controller = new AbortController();
    const stdout = new Writable({
      write(_piece, _encoding, done) {
        // A result of 20 TB could not be held; this one ends with the reader.
        if (++pieces < 20) done();
        else controller.abort();
      },
    });
    const sql = "SELECT range, repeat('x', 200) FROM range(100_000_000_000)";
    expect(
      await messageOf(runQuery(sql, { ...archiveOf(), format: 'csv', signal: controller.signal }, { stdout })),
    ).toBe('interrupted');
    expect(pieces).toBe(20);
  });

  it('ends quietly when its reader goes away', async () => {
    const head = spawn('head', ['-n', '1'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exited = once(head, 'exit');
    const sql = "SELECT range AS n, repeat('x', 200) FROM range(100_000_000_000)";
    await runQuery(sql, { ...archiveOf(), format: 'csv' }, { stdout: head.stdin });
    await exited;
  });

  it('that cannot be written says so', async () => {
    const stdout = new Writable({
      write(_piece, _encoding, done) {
        done(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
      },
    });
    expect(await messageOf(runQuery('SELECT 1', archiveOf(), { stdout }))).toBe(
      'cannot write the result: ENOSPC: no space left on device',
    );
  });
});

describe('limits', () => {
  const BIG =
    "CREATE TABLE t AS SELECT random() AS r, md5(range::VARCHAR) || repeat('x', 40) AS m FROM range(2_000_000)";

  it('let data spill to the temporary folder', async () => {
    const sql = `${BIG}; SELECT count(*) > 0 AS spilled, bool_and(starts_with(path, '${temporary}/')) AS below FROM duckdb_temporary_files()`;
    expect(await rowsOf(sql, { ...archiveOf(), memoryLimitBytes: 100e6 })).toEqual([{ spilled: true, below: true }]);
    const sort = `${BIG}; SELECT count(*) AS n, bool_and(m >= before) AS sorted FROM (SELECT m, lag(m, 1, '') OVER (ORDER BY m) AS before FROM t)`;
    expect(await rowsOf(sort, { ...archiveOf(), memoryLimitBytes: 256 * 1024 ** 2 })).toEqual([
      { n: 2_000_000, sorted: true },
    ]);
  });

  it('that do not suffice name the option', async () => {
    const archive = archiveOf(sampleLine('x', AT));
    const message = await messageOf(runQuery('SELECT * FROM samples', { ...archive, memoryLimitBytes: 20e6 }));
    expect(message).toMatch(
      /^Out of Memory Error: [^\n]*\nRaise --memory-limit \(now 19MiB\), or read less: --since, [^\n]*$/,
    );
  });

  it('are those that were given', async () => {
    const sql = "SELECT current_setting('memory_limit') AS memory, current_setting('threads') AS threads";
    expect(await rowsOf(sql, { ...archiveOf(), memoryLimitBytes: 256 * 1024 ** 2 })).toEqual([
      { memory: '256.0 MiB', threads: 1 },
    ]);
  });
});

describe('Ctrl-C', () => {
  const ENDLESS = 'SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b';

  it('before the start ends the query', async () => {
    expect(await messageOf(runQuery('SELECT 1', { ...archiveOf(), signal: AbortSignal.abort() }))).toBe('interrupted');
  });

  it('while a query computes ends it; until then a terminal shows progress', async () => {
    const controller = new AbortController();
    const { stdout: terminal, text } = collector();
    const stderr = new Writable({
      decodeStrings: false,
      write(piece: string, _encoding, done) {
        terminal.write(piece);
        if (piece.includes('running')) controller.abort();
        done();
      },
    });
    const running = runQuery(ENDLESS, { ...archiveOf(), signal: controller.signal }, { stderr, isTerminal: true });
    expect(await messageOf(running)).toBe('interrupted');
    expect(text().replaceAll('\r\u001b[K', '<erase>')).toMatch(/^<erase>running[^<]*, 1 s<erase>$/);
  });

  it('at any moment ends it, also between two statements', async () => {
    for (let turns = 0; turns < 200; turns += 20) {
      const controller = new AbortController();
      const running = messageOf(runQuery(ENDLESS, { ...archiveOf(sampleLine('x', AT)), signal: controller.signal }));
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      controller.abort();
      expect(await running).toBe('interrupted');
    }
  });
});
