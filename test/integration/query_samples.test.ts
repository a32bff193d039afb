import { describe, expect, it } from 'vitest';
import { bitsOf, encodeRecord, STALE_NAN } from '../../src/record.ts';
import { temporaryDir } from '../support/archive.ts';
import { filesRead, rowsOf, runQuery, sampleLine, writeArchiveFile, writeBytes } from '../support/query_archive.ts';

const HOUR = '2026/11/20/10';
const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const HOUR_MS = 3_600_000;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** An archive of these lines in one hour. */
function archiveOf(...lines: string[]): { archiveDir: string } {
  const archiveDir = temporaryDir();
  if (lines.length > 0) writeArchiveFile(archiveDir, `${HOUR}/a.json.gz`, [lines]);
  return { archiveDir };
}

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
      ['histogram', expect.stringMatching(/^STRUCT\("type" VARCHAR, stale BOOLEAN, "?count"? VARCHAR, /)],
      ['exemplar', 'STRUCT("value" VARCHAR, bits VARCHAR, labels MAP(VARCHAR, VARCHAR))'],
      ['metadata', 'STRUCT("type" VARCHAR, help VARCHAR, unit VARCHAR)'],
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
      await rowsOf(
        'SELECT kind, "start", "value", stale, bits, labels FROM samples_raw ORDER BY kind, "time"',
        archive,
      ),
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
    const times = [INT64_MIN, -1n, 0n, BigInt(AT), 253_402_300_799_999n, 253_402_300_800_000n, INT64_MAX];
    const archive = archiveOf(...times.map((time) => sampleLine('x', time)));
    expect(await runQuery('SELECT ts FROM samples ORDER BY "time"', { ...archive, format: 'csv' })).toBe(
      [
        'ts',
        '',
        '1969-12-31 23:59:59.999',
        '1970-01-01 00:00:00.000',
        '2026-11-20 10:45:13.123',
        '9999-12-31 23:59:59.999',
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
    await expect(rowsOf(sql, archive)).rejects.toThrow('/2026/11/20/08/b.json.gz');
  });

  it('by --from and --to is exact to the millisecond, from the first to one before the last', async () => {
    const archive = archiveOf(...[-1, 0, 1, 2].map((offset) => sampleLine('x', AT + offset)));
    const sql = `SELECT "time" - ${AT} AS t FROM samples ORDER BY t`;
    expect(await rowsOf(sql, { ...archive, fromMs: AT, toMs: AT + 2 })).toEqual([{ t: 0 }, { t: 1 }]);
  });
});
