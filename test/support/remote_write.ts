import { describe, expect, test } from 'vitest';
import { encodeRecord, KINDS, type ArchiveRecord, type Kind } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { writeRequestV1, writeRequestV2 } from './described_request.ts';
import { ARRIVAL, archivedRecords, type DescribedSeries } from './described_series.ts';
import { get, parseMetrics, send, WRITE_HEADERS, type Answer } from './http.ts';
import { acceptAll, startService } from './service.ts';

/** A version of remote write: how its senders say it, and how they encode. */
export interface RemoteWrite {
  readonly version: '1.0' | '2.0';
  readonly headers: Readonly<Record<string, string>>;
  readonly encode: (series: readonly DescribedSeries[]) => Uint8Array;
}

export const V1: RemoteWrite = { version: '1.0', headers: WRITE_HEADERS, encode: writeRequestV1 };
export const V2: RemoteWrite = {
  version: '2.0',
  headers: {
    'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    'Content-Encoding': 'snappy',
    'X-Prometheus-Remote-Write-Version': '2.0.0',
  },
  encode: writeRequestV2,
};
export const VERSIONS = [V2, V1];

/** A case of the official suite, by the name that it has there. */
export interface SuiteCase {
  readonly name: string;
  readonly series: readonly DescribedSeries[];
}

/** Sends each case as both versions. Written as loops, because `test.each` quotes names and cuts them off. */
export function testArchived(cases: readonly SuiteCase[]): void {
  for (const remoteWrite of VERSIONS) {
    describe(`remote write ${remoteWrite.version}`, () => {
      for (const { name, series } of cases) test(name, () => expectArchived(remoteWrite, series));
    });
  }
}

/** Posts a body with the headers of a version; `undefined` takes a header away. */
export function post(
  { headers }: RemoteWrite,
  { port, body, change = {} }: { port: number; body: Uint8Array; change?: Record<string, string | undefined> },
): Promise<Answer> {
  const all: Record<string, string | undefined> = { ...headers, 'Content-Length': String(body.length), ...change };
  const present = Object.entries(all).filter((header): header is [string, string] => header[1] !== undefined);
  return send({ port, method: 'POST', path: '/receive', headers: Object.fromEntries(present), body });
}

/** What an answer says was written, as it stands in its headers; undefined where none of them is there. */
export function written({ headers }: Answer): Record<'samples' | 'histograms' | 'exemplars', unknown> | undefined {
  const header = (kind: string) => headers[`x-prometheus-remote-write-${kind}-written`];
  const all = { samples: header('samples'), histograms: header('histograms'), exemplars: header('exemplars') };
  return Object.values(all).every((value) => value === undefined) ? undefined : all;
}

/** What an answer has to say of records that were written: on 1.0 nothing, on 2.0 the exact numbers. */
export function writtenOf({ version }: RemoteWrite, records: readonly ArchiveRecord[]): ReturnType<typeof written> {
  if (version === '1.0') return undefined;
  const count = (wanted: Kind) => String(records.filter(({ kind }) => kind === wanted).length);
  return { samples: count('sample'), histograms: count('histogram'), exemplars: count('exemplar') };
}

/**
 * Sends described series to a service of their own, and expects exactly: 204, or 400 where some are rejected; the counts of what was
 * written in the headers of 2.0; and in the sink every valid series, bit for bit.
 */
async function expectArchived(remoteWrite: RemoteWrite, series: readonly DescribedSeries[]): Promise<void> {
  const { port, sink } = await startService();
  acceptAll(sink);
  const sentAtMs = Date.now();
  const answer = await post(remoteWrite, { port, body: remoteWrite.encode(series) });
  const records = archivedRecords(series, remoteWrite.version);
  const reasons = new Set(
    series.flatMap((one) => [one, ...(one.histograms ?? [])]).flatMap(({ rejected }) => rejected ?? []),
  );

  expect(answer.status).toBe(reasons.size === 0 ? 204 : 400);
  if (answer.status === 204) expect(answer.text).toBe('');
  else expect(answer.text).toMatch(/^.+\n$/);
  expect(written(answer)).toEqual(writtenOf(remoteWrite, records));
  expectLines(sink.accepted, { records, sentAtMs });
  await expectBalance(port, { remoteWrite, series, reasons });
}

/** Every line, in its order: read back it is the record that was sent, and the record written plainly is the line. */
export function expectLines(
  lines: readonly string[],
  { records, sentAtMs }: { records: readonly ArchiveRecord[]; sentAtMs: number },
): void {
  const decoded = lines.map((line) => {
    const record = decodeRecord(line);
    expect(encodeRecord(record)).toBe(`${line}\n`);
    if (record.kind !== 'metadata') return record;
    expect(Number(record.time)).toBeGreaterThanOrEqual(sentAtMs);
    expect(Number(record.time)).toBeLessThanOrEqual(Date.now());
    return { ...record, time: ARRIVAL };
  });
  expect(decoded).toEqual(records);
}

/** Everything that came is in the books, and ended: as a line, as skipped, or as rejected for the reason that the test knows. */
async function expectBalance(
  port: number,
  {
    remoteWrite,
    series,
    reasons,
  }: { remoteWrite: RemoteWrite; series: readonly DescribedSeries[]; reasons: Set<string> },
): Promise<void> {
  const metrics = parseMetrics((await get(port, '/metrics')).text);
  const byLabel = (name: string) => {
    const prefix = `prometheus_kinesis_adapter_lines_${name}_total`;
    const entries = [...metrics].filter(([key, value]) => value > 0 && key.replace(/\{.*/, '') === prefix);
    return new Map(entries.map(([key, value]) => [/"(.*)"/.exec(key)?.[1] ?? '', value]));
  };
  const count = (of: (one: DescribedSeries) => number) => series.reduce((sum, one) => sum + of(one), 0);
  const received = {
    sample: count(({ samples = [] }) => samples.length),
    histogram: count(({ histograms = [] }) => histograms.length),
    exemplar: count(({ exemplars = [] }) => exemplars.length),
    // Each series of 2.0 has a metadata message.
    metadata: remoteWrite.version === '2.0' ? series.length : count(({ metadata }) => (metadata ? 1 : 0)),
  };
  expect(Object.fromEntries(KINDS.map((kind) => [kind, byLabel('received').get(kind) ?? 0]))).toEqual(received);
  expect(new Set(byLabel('rejected').keys())).toEqual(reasons);
  const sum = (...names: string[]) =>
    names.flatMap((name) => [...byLabel(name).values()]).reduce((total, value) => total + value, 0);
  expect(sum('received')).toBe(sum('delivered', 'skipped', 'rejected'));
}
