import { describe, expect, it } from 'vitest';
import { bitsOf, encodeRecord, type MetricType } from '../../src/record.ts';
import { temporaryDir } from '../support/archive.ts';
import { nativeHistogram } from '../support/native_histograms.ts';
import { filesRead, rowsOf, sampleLine, writeArchiveFile } from '../support/query_archive.ts';

const HOUR = '2026/11/20/10';
const NEXT_HOUR = '2026/11/20/11';
const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const INT64_MAX = 2n ** 63n - 1n;
const X = [
  { name: '__name__', value: 'x' },
  { name: 'job', value: 'node' },
];

const HISTOGRAM = nativeHistogram({ schema: 2, positive: [[[-3, 3]], [5, 3, 7]] });

function histogramLine(time: number | bigint): string {
  return encodeRecord({ kind: 'histogram', time: BigInt(time), labels: X, histogram: HISTOGRAM });
}

function exemplarLine(time: number | bigint, value = 0.25): string {
  const labels = [{ name: 'trace_id', value: 'abc' }];
  return encodeRecord({ kind: 'exemplar', time: BigInt(time), labels: X, exemplar: { value: bitsOf(value), labels } });
}

function metadataLine(time: number, name = 'x', type: MetricType = 'counter', help = 'Says "x".'): string {
  return encodeRecord({ kind: 'metadata', name, time: BigInt(time), metadata: { type, help, unit: 's' } });
}

/** An archive of one hour. */
function archiveOf(...lines: string[]): { archiveDir: string } {
  const archiveDir = temporaryDir();
  if (lines.length > 0) writeArchiveFile(archiveDir, `${HOUR}/a.json.gz`, [lines]);
  return { archiveDir };
}

const VIEWS = {
  histograms: [
    ['name', 'VARCHAR'],
    ['time', 'BIGINT'],
    ['ts', 'TIMESTAMP'],
    ['start', 'BIGINT'],
    ['type', 'VARCHAR'],
    ['count', 'DOUBLE'],
    ['count_int', 'DECIMAL(20,0)'],
    ['sum', 'DOUBLE'],
    ['schema', 'BIGINT'],
    ['zero_threshold', 'DOUBLE'],
    ['zero_count', 'DOUBLE'],
    ['positive_spans', 'BIGINT[][]'],
    ['positive_buckets', 'DOUBLE[]'],
    ['negative_spans', 'BIGINT[][]'],
    ['negative_buckets', 'DOUBLE[]'],
    ['custom_values', 'DOUBLE[]'],
    ['reset_hint', 'VARCHAR'],
    ['labels', 'MAP(VARCHAR, VARCHAR)'],
    ['datehour', 'VARCHAR'],
  ],
  exemplars: [
    ['name', 'VARCHAR'],
    ['time', 'BIGINT'],
    ['ts', 'TIMESTAMP'],
    ['value', 'DOUBLE'],
    ['exemplar_labels', 'MAP(VARCHAR, VARCHAR)'],
    ['labels', 'MAP(VARCHAR, VARCHAR)'],
    ['datehour', 'VARCHAR'],
  ],
  metadata: [
    ['name', 'VARCHAR'],
    ['time', 'BIGINT'],
    ['ts', 'TIMESTAMP'],
    ['type', 'VARCHAR'],
    ['help', 'VARCHAR'],
    ['unit', 'VARCHAR'],
    ['datehour', 'VARCHAR'],
  ],
} as const;

describe.each(Object.entries(VIEWS))('%s', (view, columns) => {
  it('have the published columns, also over an empty archive', async () => {
    for (const archive of [archiveOf(), archiveOf(histogramLine(AT), exemplarLine(AT), metadataLine(AT))]) {
      const rows = await rowsOf(`DESCRIBE ${view}`, archive);
      expect(rows.map((row) => [row['column_name'], row['column_type']])).toEqual(columns);
    }
    expect(await rowsOf(`SELECT * FROM ${view}`, archiveOf())).toEqual([]);
  });

  it('hold nothing of the other kinds', async () => {
    const archive = archiveOf(sampleLine('x', AT), histogramLine(AT), exemplarLine(AT), metadataLine(AT));
    expect(await rowsOf(`SELECT name FROM ${view}`, archive)).toEqual([{ name: 'x' }]);
  });

  it('leave out duplicates within an hour, but not across hours', async () => {
    const lines = [histogramLine(AT), exemplarLine(AT), metadataLine(AT)];
    const archive = archiveOf(...lines, ...lines);
    writeArchiveFile(archive.archiveDir, `${HOUR}/b.json.gz`, [lines, lines]);
    writeArchiveFile(archive.archiveDir, `${NEXT_HOUR}/a.json.gz`, [lines]);
    expect(await rowsOf(`SELECT datehour FROM ${view} ORDER BY datehour`, archive)).toEqual([
      { datehour: HOUR },
      { datehour: NEXT_HOUR },
    ]);
  });

  it('are read from the files of the hours asked for', async () => {
    const archive = archiveOf(histogramLine(AT), exemplarLine(AT), metadataLine(AT));
    for (const hour of [NEXT_HOUR, '2026/11/20/12', '2026/11/20/13'])
      writeArchiveFile(archive.archiveDir, `${hour}/a.json.gz`, [[sampleLine('x', AT)]]);
    expect(await filesRead(`SELECT * FROM ${view}`, archive)).toBe(4);
    expect(await filesRead(`SELECT * FROM ${view} WHERE datehour < '2026/11/20/12'`, archive)).toBe(2);
    expect(await filesRead(`SELECT name FROM ${view} WHERE name = 'x' AND datehour = '${HOUR}'`, archive)).toBe(1);
  });

  it('have a ts that is NULL for absurd times', async () => {
    const lines = [AT, INT64_MAX].flatMap((time) => [
      histogramLine(time),
      exemplarLine(time),
      metadataLine(Number(time), String(time)).replace(/"time":\d+/, `"time":${time}`),
    ]);
    expect(await rowsOf(`SELECT ts FROM ${view} ORDER BY "time"`, archiveOf(...lines))).toEqual([
      { ts: '2026-11-20 10:45:13.123' },
      { ts: null },
    ]);
  });
});

describe('samples_raw', () => {
  it('has the other kinds as they are', async () => {
    const archive = archiveOf(histogramLine(AT), exemplarLine(AT), metadataLine(AT));
    const sql = 'SELECT histogram.positive_deltas AS deltas, exemplar, metadata FROM samples_raw ORDER BY kind';
    expect(await rowsOf(sql, archive)).toEqual([
      { deltas: null, exemplar: { value: '0.25', bits: null, labels: { trace_id: 'abc' } }, metadata: null },
      { deltas: [5, -2, 4], exemplar: null, metadata: null },
      { deltas: null, exemplar: null, metadata: { type: 'counter', help: 'Says "x".', unit: 's' } },
    ]);
  });
});

describe('exemplars', () => {
  it('are a row each', async () => {
    expect(await rowsOf('SELECT * FROM exemplars', archiveOf(exemplarLine(AT, -Infinity)))).toEqual([
      {
        name: 'x',
        time: AT,
        ts: '2026-11-20 10:45:13.123',
        value: '-Infinity',
        exemplar_labels: { trace_id: 'abc' },
        labels: { __name__: 'x', job: 'node' },
        datehour: HOUR,
      },
    ]);
  });
});

describe('metadata', () => {
  it('is a row for each text in an hour, at the first time that it came', async () => {
    const lines = [3, 1, 2].map((offset) => metadataLine(AT + offset));
    const archive = archiveOf(...lines, metadataLine(AT + 9, 'x', 'gauge', ''), metadataLine(AT + 9, 'y'));
    expect(await rowsOf('SELECT * EXCLUDE (ts) FROM metadata ORDER BY name, "time"', archive)).toEqual([
      { name: 'x', time: AT + 1, type: 'counter', help: 'Says "x".', unit: 's', datehour: HOUR },
      { name: 'x', time: AT + 9, type: 'gauge', help: '', unit: 's', datehour: HOUR },
      { name: 'y', time: AT + 9, type: 'counter', help: 'Says "x".', unit: 's', datehour: HOUR },
    ]);
  });
});

describe('--from and --to', () => {
  it('choose histograms and exemplars as they choose samples, and leave the metadata of the folders that are read', async () => {
    const times = [AT - 1, AT, AT + 1];
    const archive = archiveOf(
      ...times.flatMap((time) => [sampleLine('x', time), histogramLine(time), exemplarLine(time)]),
      ...times.map((time) => metadataLine(time, String(time))),
    );
    writeArchiveFile(archive.archiveDir, '2026/11/20/08/a.json.gz', [[metadataLine(AT, 'too early')]]);
    const range = { ...archive, fromMs: AT, toMs: AT + 1 };
    for (const [view, count] of [
      ['samples', 1],
      ['histograms', 1],
      ['exemplars', 1],
      ['metadata', 3],
    ] as const)
      expect(await rowsOf(`SELECT count(*) AS n FROM ${view}`, range), view).toEqual([{ n: count }]);
  });
});
