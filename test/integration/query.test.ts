import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OPEN_SUFFIX } from '../../src/archive.ts';
import { temporaryDir } from '../support/archive.ts';
import { messageOf } from '../support/command_error.ts';
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
const INT64_MAX = 2n ** 63n - 1n;

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
    expect(message).toMatch(/\nThe file went away meanwhile, as retention and compaction remove files: run it again$/);
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
