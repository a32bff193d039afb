import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bitsOf, encodeRecord, STALE_NAN } from '../../../src/record.ts';
import { filesBelow } from '../../support/archive.ts';
import { openAthena, type AthenaOnDuckdb } from '../../support/athena_on_duckdb.ts';
import { libraryQuery, type Parameters } from '../../support/library.ts';
import { extrapolated } from '../../support/promql_oracle.ts';
import { sampleLine, writeArchiveFile } from '../../support/query_archive.ts';

/** The queries that no expression of PromQL answers, or only in part, over an archive whose answers can be counted by hand. */

const START_MS = Date.UTC(2026, 10, 20, 10);
const at = (seconds: number) => START_MS + seconds * 1_000;
const text = (seconds: number) => new Date(at(seconds)).toISOString().replace('T', ' ').replace('Z', '');

function samples(name: string, labels: Record<string, string>, values: Readonly<Record<number, number>>): string[] {
  return Object.entries(values).map(([seconds, value]) => sampleLine(name, at(Number(seconds)), { value, labels }));
}

const A = { instance: 'a', job: 'node' };
const B = { instance: 'b', job: 'web' };
const TARGETS = [
  ...samples('up', A, { 15: 1, 30: 1, 45: 0, 60: 1 }),
  ...samples('up', B, { 15: 1, 30: 1, 150: 1, 165: 1 }),
  sampleLine('up', at(45), { bits: STALE_NAN, labels: B }),
  ...samples('process_start_time_seconds', A, { 15: 100, 30: 100, 45: 130.5, 60: 130.5, 75: NaN, 90: 140 }),
  ...samples('build_info', { ...A, version: '1.0' }, { 15: 1, 30: 1, 300: 1 }),
  ...samples('build_info', { ...A, version: '1.1' }, { 45: 1, 60: 1 }),
];
const REQUESTS = [
  ...samples('http_requests_total', { ...A, code: '200' }, { 15: 10, 30: 20, 45: 5, 60: 6 }),
  ...samples('http_requests_total', { ...A, code: '500' }, { 15: 0, 30: 0, 45: 1, 60: 1 }),
  ...samples('http_requests_total', { ...B, code: '200' }, { 15: 3, 30: 4 }),
];
const TEMPERATURES = samples('temperature', A, { 5: 1, 10: 3, 15: 5, 25: 10, 30: 20, 35: 8, 40: 12 });
const exemplar = (seconds: number, value: number, trace: string) =>
  encodeRecord({
    kind: 'exemplar',
    time: BigInt(at(seconds)),
    labels: [{ name: '__name__', value: 'latency_bucket' }],
    exemplar: { value: bitsOf(value), labels: [{ name: 'trace_id', value: trace }] },
  });
const EXEMPLARS = [
  exemplar(5, 0.1, 'quick'),
  exemplar(10, 3, 'slow'),
  exemplar(20, 7, 'slowest'),
  exemplar(20, NaN, 'none'),
];
const METADATA = [
  ['http_requests', 'Requests, once.', at(1)],
  ['http_requests', 'Requests.', at(2)],
  ['temperature', 'How warm it is.', at(1)],
].map(([name, help, time]) =>
  encodeRecord({
    kind: 'metadata',
    name: String(name),
    time: BigInt(Number(time)),
    metadata: { type: name === 'temperature' ? 'gauge' : 'counter', help: String(help), unit: '' },
  }),
);

let dir: string;
let athena: AthenaOnDuckdb;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'other-queries-'));
  const lines = [...TARGETS, ...REQUESTS, ...TEMPERATURES, ...EXEMPLARS, ...METADATA];
  // Everything arrived twice within its hour, and the targets once more an hour later.
  writeArchiveFile(dir, '2026/11/20/10/a.json.gz', [lines, lines]);
  writeArchiveFile(dir, '2026/11/20/11/a.json.gz', [TARGETS]);
  athena = await openAthena({ paths: { json: filesBelow(dir).map((path) => join(dir, path)), parquet: [] } });
});
afterAll(() => {
  athena.close();
  rmSync(dir, { recursive: true });
});

const HOUR_10 = '2026/11/20/10';
const SPAN = { datehour: HOUR_10, from: new Date(at(0)), to: new Date(at(180)) };

/** What both kinds of views answer, of the columns that are expected. */
async function expectRows(query: string, parameters: Parameters, expected: readonly object[]): Promise<void> {
  const sql = libraryQuery(query, { datehour: HOUR_10, ...parameters });
  const columns = Object.keys(expected[0]!);
  for (const rows of [await athena.rows(sql), await athena.rowsOfQuery(sql)]) {
    expect(rows.map((row) => Object.fromEntries(columns.map((column) => [column, rounded(row[column])])))).toEqual(
      expected.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, rounded(value)]))),
    );
  }
}

/** Both added up in any order. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(12)) : value;
}

test('uptime: of what arrived twice a scrape is one', async () => {
  await expectRows('uptime', { ...SPAN, to: new Date(at(60)) }, [
    { instance: 'a', up: 0.75, seen: 1, scrapes: 4, failed: 1, first_ts: text(15), last_ts: text(60) },
    { instance: 'b', up: 1, seen: 0.5, scrapes: 2, failed: 0, first_ts: text(15), last_ts: text(30) },
  ]);
});

test('gaps: with a marker, without one, and those that have no end', async () => {
  await expectRows('gaps', { ...SPAN, scrapes: 2 }, [
    { last_ts: text(30), next_ts: text(150), seconds: 120, is_marked: true },
    { last_ts: text(60), next_ts: null, seconds: 120, is_marked: false },
  ]);
  await expectRows('gaps', { ...SPAN, metric: 'build_info', scrapes: 2, to: new Date(at(310)) }, [
    { last_ts: text(30), next_ts: text(300), seconds: 270, is_marked: false },
    { last_ts: text(60), next_ts: null, seconds: 250, is_marked: false },
  ]);
});

test('restarts', async () => {
  await expectRows('restarts', SPAN, [
    {
      seen_ts: text(45),
      started_ts: '1970-01-01 00:02:10.500',
      instance: 'a',
      started_before: 100,
      seconds_unseen: 15,
    },
  ]);
});

test('counter resets', async () => {
  await expectRows('counter_resets', SPAN, [
    { after_ts: text(30), before_ts: text(45), value_before: 20, value_after: 5 },
  ]);
});

test('label history: a value that comes back is there twice', async () => {
  const parameters = {
    ...SPAN,
    to: new Date(at(300)),
    metric: 'build_info',
    label: 'version',
    by: 'instance',
    pause: 60,
  };
  await expectRows('label_history', parameters, [
    { who: 'a', label_value: '1.0', first_ts: text(15), last_ts: text(30), times: 2 },
    { who: 'a', label_value: '1.1', first_ts: text(45), last_ts: text(60), times: 2 },
    { who: 'a', label_value: '1.0', first_ts: text(300), last_ts: text(300), times: 1 },
  ]);
});

test('cardinality by name: the times of the span only', async () => {
  await expectRows('cardinality_by_name', { ...SPAN, to: new Date(at(30)), most: 3 }, [
    { name: 'http_requests_total', series: 3, samples: 6 },
    // Of what arrived in another hour again, copies count.
    { name: 'up', series: 2, samples: 8 },
    { name: 'build_info', series: 1, samples: 4 },
  ]);
});

test('cardinality by label', async () => {
  await expectRows('cardinality_by_label', SPAN, [
    { label: 'code', label_values: 2, series: 3, an_example: '200' },
    { label: 'instance', label_values: 2, series: 3, an_example: 'a' },
    { label: 'job', label_values: 2, series: 3, an_example: 'node' },
    { label: '__name__', label_values: 1, series: 3, an_example: 'http_requests_total' },
  ]);
});

test('cost by label', async () => {
  const prices = { bytes_per_sample: 10, dollars_per_gb_month: 1e6, dollars_per_million_samples: 500_000 };
  // 2,592,000 seconds a month are 14,400 of these spans.
  await expectRows('cost_by_label', { ...SPAN, datehour: '2026/11/20/11', ...prices }, [
    {
      label: 'node',
      series: 4,
      samples: 14,
      share: 14 / 18,
      bytes: 140,
      dollars_to_bring: 7,
      dollars_to_bring_a_month: 100_800,
      dollars_to_keep_a_month_of_it: 2_016,
    },
    {
      label: 'web',
      series: 1,
      samples: 4,
      share: 4 / 18,
      bytes: 40,
      dollars_to_bring: 2,
      dollars_to_bring_a_month: 28_800,
      dollars_to_keep_a_month_of_it: 576,
    },
  ]);
});

test('the catalogue has the latest metadata, of the family where the series has none', async () => {
  await expectRows('catalogue', { ...SPAN, pattern: 'temp%' }, [
    { name: 'temperature', kind: 'sample', type: 'gauge', help: 'How warm it is.', series: 1, samples: 7 },
  ]);
  await expectRows('catalogue', { ...SPAN, pattern: 'http%' }, [
    {
      name: 'http_requests_total',
      type: 'counter',
      help: 'Requests.',
      series: 3,
      samples: 10,
      first_ts: text(15),
      last_ts: text(60),
    },
  ]);
});

test('exemplars', async () => {
  await expectRows('exemplars', { ...SPAN, metric: 'latency_bucket', above: 1, most: 5 }, [
    { ts: text(20), value: 7, trace: 'slowest' },
    { ts: text(10), value: 3, trace: 'slow' },
  ]);
});

test('week over week', async () => {
  const parameters = { metric: 'temperature', from: new Date(at(30)), to: new Date(at(40)), window: 10, period: 20 };
  await expectRows('week_over_week', parameters, [
    { ts: text(30), average: 15, average_before: 2, ratio: 7.5 },
    { ts: text(40), average: 10, average_before: 5, ratio: 2 },
  ]);
});

test('SLO burn: the errors of a window are a share of its increase', async () => {
  const windows = { window_1: 15, window_2: 30, window_3: 60, window_4: 120 };
  const points = (values: readonly number[]) => values.map((value, index) => ({ timeMs: at(15 * (index + 1)), value }));
  const increase = (values: readonly number[], windowS: number) =>
    extrapolated('increase', points(values), { tMs: at(60), windowMs: windowS * 1_000, version: 3 })!;
  const rowOf = (label: string, windowS: number, errors: number, good: number) => ({
    label,
    window_seconds: windowS,
    errors,
    requests: errors + good,
    error_rate: errors / (errors + good),
    burn_rate: errors / (errors + good) / 0.5,
    budget_spent: ((errors / (errors + good) / 0.5) * windowS) / 600,
  });
  // In 15 seconds there is one sample only.
  await expectRows('slo_burn', { ...windows, at: new Date(at(60)), objective: 0.5, period: 600 }, [
    ...[30, 60, 120].map((windowS) =>
      rowOf('node', windowS, increase([0, 0, 1, 1], windowS), increase([10, 20, 5, 6], windowS)),
    ),
    ...[60, 120].map((windowS) => rowOf('web', windowS, 0, increase([3, 4], windowS))),
  ]);
});
