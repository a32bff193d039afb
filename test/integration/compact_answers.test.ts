import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMPACTED_FOLDER } from '../../src/archive.ts';
import { ORDINARY_NAN, STALE_NAN } from '../../src/record.ts';
import { readManifest } from '../../src/read/manifest.ts';
import { choosePartitions } from '../../src/read/query_files.ts';
import { archiveFiles, filesBelow, temporaryDir } from '../support/archive.ts';
import { openAthena } from '../support/athena_on_duckdb.ts';
import { mixedLines, runCompact, spread, writeFiles } from '../support/compacted_archive.ts';
import type { TimeRange } from '../../src/read/query_options.ts';
import { rowsOf, runQuery, sampleLine, writeArchiveFile } from '../support/query_archive.ts';
import { shuffled, seeded } from '../support/seeded.ts';

/** Compaction changes no answer, except that copies in several hours become one, in the first. */

const HOURS = ['2026/11/20/00', '2026/11/20/09', '2026/11/20/23', '2026/11/21/00', '2026/11/21/05'];
const VIEWS = ['samples', 'histograms', 'exemplars', 'metadata', 'samples_raw'] as const;
/** Of a compacted sample the text of the value is DuckDB's. */
const selectAll = (view: (typeof VIEWS)[number]) =>
  view === 'samples_raw'
    ? 'SELECT * REPLACE (CAST("value" AS DOUBLE) AS "value") FROM samples_raw'
    : `SELECT * FROM ${view}`;

/** The rows as texts: a number of JSON.parse would not hold all of an int64. */
async function answers(archiveDir: string, times: Partial<TimeRange> = {}) {
  const rows: Record<string, string[]> = {};
  for (const view of VIEWS) {
    const text = await runQuery(selectAll(view), { archiveDir, format: 'json', ...times });
    rows[view] = text.split('\n').sort();
  }
  return rows;
}

function setUp(seed: number, makeDir = temporaryDir) {
  const lines = mixedLines(seed, 50);
  const archiveDir = makeDir();
  const referenceDir = makeDir();
  const copies = spread(lines, HOURS, seed);
  writeFiles(archiveDir, copies.all);
  writeFiles(referenceDir, copies.first);
  return { lines, archiveDir, referenceDir };
}

/** The same, compacted, for several tests, with all that it answers. */
function setUpOnce(seed: number) {
  let archive: ReturnType<typeof setUp> & { readonly rows: Awaited<ReturnType<typeof answers>> };
  const dirs: string[] = [];
  beforeAll(async () => {
    const makeDir = () => {
      dirs.push(mkdtempSync(join(tmpdir(), 'compact-')));
      return dirs.at(-1)!;
    };
    const made = setUp(seed, makeDir);
    await runCompact(made);
    archive = { ...made, rows: await answers(made.archiveDir) };
  }, 60_000);
  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });
  return () => archive;
}

test.each([1, 2])(
  'all views answer what they did, after each of several compactions, seed %d',
  async (seed) => {
    const { lines, archiveDir, referenceDir } = setUp(seed);
    const expected = await answers(referenceDir);
    for (const view of VIEWS) expect(expected[view]!.length, view).toBeGreaterThan(5);
    await runCompact({ archiveDir });
    expect(await answers(archiveDir)).toEqual(expected);
    expect(await runCompact({ archiveDir })).toContain('nothing to compact');
    expect(await answers(archiveDir)).toEqual(expected);

    // A file that comes late into an hour that is compacted: some lines that are there, also in later hours, and some that are not.
    const more = mixedLines(seed + 100, 10);
    const late = [...shuffled(lines, seeded(seed)).slice(0, 40), ...more];
    writeFiles(archiveDir, new Map([['2026/11/20/00/late.json.gz', late]]));
    const firstHours = spread(lines, HOURS, seed).first;
    const without = [...firstHours].map(([path, texts]) => {
      const kept = texts.filter((text) => !late.includes(text));
      return [path, kept.length > 0 ? kept : texts.slice(0, 1)] as const;
    });
    writeFiles(referenceDir, new Map([...without, ['2026/11/20/00/late.json.gz', late]]));
    await runCompact({ archiveDir, removeJson: true });
    expect(await answers(archiveDir)).toEqual(await answers(referenceDir));
    expect(filesBelow(archiveDir).filter((path) => path.endsWith('.gz'))).toEqual([]);
  },
  60_000,
);

describe('times', () => {
  const everything = setUpOnce(4);

  test.each<[string, Partial<TimeRange>]>([
    ['a day', { fromMs: Date.UTC(2026, 10, 20), toMs: Date.UTC(2026, 10, 21) }],
    ['a part of a day', { fromMs: Date.UTC(2026, 10, 20, 7, 13), toMs: Date.UTC(2026, 10, 20, 19) }],
    ['from a time on', { fromMs: Date.UTC(2026, 10, 21, 2) }],
    ['up to a time', { toMs: Date.UTC(2026, 10, 20, 3) }],
    ['before 1970', { toMs: 0 }],
  ])('choose the same: %s', async (_, times) => {
    const { archiveDir, referenceDir, rows: all } = everything();
    const expected = await answers(referenceDir, times);
    const actual = await answers(archiveDir, times);
    const isInTime = (row: string) => {
      const { time } = JSON.parse(row) as { time: number };
      return time >= (times.fromMs ?? -Infinity) && time < (times.toMs ?? Infinity);
    };
    for (const view of VIEWS.filter((name) => name !== 'metadata')) {
      const rows = all[view]!.filter((row) => row !== '' && isInTime(row));
      expect(actual[view]!.filter((row) => row !== '')).toEqual(rows);
      // What arrived more than an hour before its own time is found besides, as it is in its day.
      expect(rows).toEqual(expect.arrayContaining(expected[view]!.filter((row) => row !== '')));
    }
    expect(actual['metadata']).toEqual(expected['metadata']);
  });
});

test('values that SQL takes for equal stay what they are', async () => {
  const archiveDir = temporaryDir();
  // As a rule makes them that turns a sign: DuckDB stores a value once where all of many are equal.
  const zeros = Array.from({ length: 5_000 }, (_, index) =>
    sampleLine('zero', index % 50, { value: index % 3 === 0 ? -0 : 0, labels: { i: String(index) } }),
  );
  writeArchiveFile(archiveDir, '2026/11/20/00/a.json.gz', [zeros]);
  const sql = `SELECT name, "time", "start", CAST("value" AS DOUBLE) AS "value", signbit(CAST("value" AS DOUBLE)) AS is_minus,
    stale, bits, element_at(labels, 'i') AS i FROM samples_raw WHERE name = 'zero' ORDER BY ALL`;
  const before = await runQuery(sql, { archiveDir, format: 'json' });
  await runCompact({ archiveDir, removeJson: true });
  expect(await runQuery(sql, { archiveDir, format: 'json' })).toBe(before);
  expect(before.match(/"is_minus":true/g)).toHaveLength(1_667);
});

test('lines that samples cannot tell apart become one, with the latest start and the least bits', async () => {
  const archiveDir = temporaryDir();
  const withStart = (start: number) => sampleLine('odd', 3).replace('"value"', `"start":${start},"value"`);
  const odd = [
    sampleLine('odd', 1, { value: 0 }),
    sampleLine('odd', 1, { value: -0 }),
    ...[STALE_NAN, ORDINARY_NAN, 0xfff8000000000000n, 0x7ff8000000000002n].map((bits) =>
      sampleLine('odd', 2, { bits }),
    ),
    ...[withStart(1), sampleLine('odd', 3), withStart(2)],
  ];
  const samples = 'SELECT "time", "value" FROM samples ORDER BY ALL';
  writeArchiveFile(archiveDir, '2026/11/20/00/a.json.gz', [odd]);
  expect(await rowsOf(samples, { archiveDir })).toHaveLength(3);
  await runCompact({ archiveDir });
  // Of the next day, and so found in Parquet and in JSON.
  writeArchiveFile(archiveDir, '2026/11/21/00/a.json.gz', [odd]);
  await runCompact({ archiveDir, removeJson: true });
  const raw = `SELECT "time", "start", abs(CAST("value" AS DOUBLE)) AS number, signbit(CAST("value" AS DOUBLE)) AS is_minus, stale, bits
    FROM samples_raw ORDER BY ALL`;
  const plain = { is_minus: false, start: null, stale: null, bits: null };
  expect(await rowsOf(raw, { archiveDir })).toEqual([
    // The exception: −0 keeps its sign, in files of its own.
    { time: 1, ...plain, number: 0 },
    { time: 1, ...plain, number: 0, is_minus: true },
    { time: 2, ...plain, number: 'NaN', bits: '7ff8000000000002' },
    { time: 2, ...plain, number: null, is_minus: null, stale: true },
    { time: 3, ...plain, number: 1, start: 2 },
  ]);
});

test("Athena's views answer the same over the lines and what is compacted", async () => {
  const { archiveDir } = setUp(5);
  writeFiles(archiveDir, new Map([['2026/11/22/07/a.json.gz', mixedLines(50, 20)]]));
  const now = () => Date.UTC(2026, 10, 22, 12);
  await runCompact({ archiveDir }, { now });
  const parquet = choosePartitions(await readManifest(archiveDir), { fromMs: undefined, toMs: undefined });
  const athena = await openAthena({
    // All of the JSON: the hour in the views says what of it counts.
    paths: {
      json: archiveFiles(archiveDir).map((path) => join(archiveDir, path)),
      parquet: parquet.map((path) => join(archiveDir, COMPACTED_FOLDER, path)),
    },
    compactedBefore: '2026/11/22/00',
  });
  try {
    expect(parquet.length).toBeGreaterThan(6);
    for (const view of VIEWS) {
      const own = await runQuery(selectAll(view), { archiveDir, format: 'json' });
      const rows = await athena.rows(selectAll(view).replace(/ REPLACE \(.*?\) AS "value"\)/, ''));
      expect(rows.length, view).toBe(own.split('\n').length - 1);
      const parsed = own.split('\n').filter((row) => row !== '');
      const texts = (list: readonly unknown[]) => list.map((row) => JSON.stringify(withNumber(row))).sort();
      expect(texts(rows), view).toEqual(texts(parsed.map((row) => JSON.parse(row) as unknown)));
    }
  } finally {
    athena.close();
  }
});

/** The value of a sample as a number, or the word for what is none; Trino's is another than DuckDB's. */
function withNumber(row: unknown): unknown {
  const fields = row as { readonly value?: unknown };
  const { value } = fields;
  if (typeof value !== 'string') return fields;
  const number = Number(value);
  return { ...fields, value: Number.isFinite(number) ? number : value.toLowerCase().replace('infinity', 'inf') };
}
