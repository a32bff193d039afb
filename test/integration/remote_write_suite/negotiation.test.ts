import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { archivedRecords, sample } from '../../support/described_series.ts';
import { expectLines, post, V1, V2, VERSIONS, written, writtenOf } from '../../support/remote_write.ts';
import { acceptAll, startService } from '../../support/service.ts';

const SERIES = [{ labels: { __name__: 'up', job: 'test' }, samples: [sample(1)] }];
const V2_TYPE = V2.headers['Content-Type']!;

describe('remote write 2.0 is', () => {
  test.each([
    { 'Content-Type': 'application/x-protobuf; proto=io.prometheus.write.v2.Request' },
    { 'Content-Type': 'application/x-protobuf;proto="io.prometheus.write.v2.Request"' },
    { 'Content-Type': 'Application/X-Protobuf ;  PROTO = "io.prometheus.write.v2.Request" ;' },
    { 'Content-Type': 'application/x-protobuf;charset=utf-8;proto=io.prometheus.write.v2.Request' },
    { 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request;charset=utf-8' },
    { 'X-Prometheus-Remote-Write-Version': undefined },
    { 'X-Prometheus-Remote-Write-Version': '0.1.0' }, // the type decides
    { 'Content-Encoding': 'Snappy' },
    { 'Content-Encoding': undefined },
  ])('%o', (change) => expectRead(V2, change));
});

describe('remote write 1.0 is', () => {
  test.each([
    { 'Content-Type': 'application/x-protobuf;proto=prometheus.WriteRequest' },
    { 'Content-Type': 'Application/X-Protobuf ;  PROTO = "prometheus.WriteRequest" ;' },
    { 'Content-Type': 'application/x-protobuf;charset=utf-8;proto=prometheus.WriteRequest' },
    { 'Content-Type': 'application/x-protobuf; charset=utf-8' },
    { 'Content-Type': 'application/x-protobuf;' },
    { 'Content-Type': undefined },
    { 'X-Prometheus-Remote-Write-Version': '2.0.0' }, // the type decides
    { 'Content-Encoding': 'SNAPPY' },
    { 'Content-Encoding': undefined },
    { 'Content-Type': undefined, 'Content-Encoding': undefined, 'X-Prometheus-Remote-Write-Version': undefined },
  ])('%o', (change) => expectRead(V1, change));
});

async function expectRead(remoteWrite: typeof V1, change: Record<string, string | undefined>): Promise<void> {
  const { port, sink } = await startService();
  acceptAll(sink);
  const sentAtMs = Date.now();
  const answer = await post(remoteWrite, { port, body: remoteWrite.encode(SERIES), change });
  const records = archivedRecords(SERIES, remoteWrite.version);
  expect(answer).toMatchObject({ status: 204, text: '' });
  expect(written(answer)).toEqual(writtenOf(remoteWrite, records));
  expectLines(sink.accepted, { records, sentAtMs });
}

const UNSUPPORTED: readonly (readonly [header: string, value: string, named: string])[] = [
  ['Content-Type', 'application/json', 'application/json'],
  ['Content-Type', 'text/plain;proto=io.prometheus.write.v2.Request', 'text/plain'],
  ['Content-Type', 'application/x-protobuf-delimited', 'application/x-protobuf-delimited'],
  ['Content-Type', 'application/protobuf', 'application/protobuf'],
  ['Content-Type', 'application/x-protobuf;proto=io.prometheus.write.v3.Request', 'io.prometheus.write.v3.Request'],
  ['Content-Type', 'application/x-protobuf;proto=prometheus.ReadRequest', 'prometheus.ReadRequest'],
  ['Content-Type', 'application/x-protobuf;proto=', 'is not supported'],
  ['Content-Type', 'application/x-protobuf;charset=utf-8; proto="some.Other"', 'some.Other'],
  ['Content-Encoding', 'zstd', 'zstd'],
  ['Content-Encoding', 'gzip', 'gzip'],
  ['Content-Encoding', 'deflate', 'deflate'],
  ['Content-Encoding', 'identity', 'identity'],
  ['Content-Encoding', 'snappy, gzip', 'gzip'],
  ['Content-Encoding', '', 'Content-Encoding'],
];

describe.each(VERSIONS)('415, with no count of what was written, of remote write $version with', (remoteWrite) => {
  test.each(UNSUPPORTED)('%s: %s', async (header, value, named) => {
    const { port, sink } = await startService();
    acceptAll(sink);
    const body = remoteWrite.encode(SERIES);
    const answer = await post(remoteWrite, { port, body, change: { [header]: value } });
    expect([answer.status, written(answer)]).toEqual([415, undefined]);
    // The sender's log shows the first line.
    expect(answer.text).toMatch(/^.+\n$/);
    expect(answer.text).toContain(named);
    expect(sink.callCount).toBe(0);
  });
});

describe('415 comes before the body', () => {
  test.each([
    ['zstd', V2_TYPE],
    ['gzip', 'application/x-protobuf'],
    ['snappy', 'application/x-protobuf;proto=some.Other'],
  ])('of %s in %s', async (encoding, type) => {
    const { port } = await startService();
    const socket = connect(port, '127.0.0.1');
    // Of the body that is announced nothing comes.
    socket.write(
      `POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: ${type}\r\nContent-Encoding: ${encoding}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toContain('HTTP/1.1 415');
    expect(answer.toString()).not.toMatch(/remote-write-\w+-written/i);
  });

  test('and before the limit on its size', async () => {
    const { port } = await startService({ config: { maxBodyBytes: 1_000 } });
    const body = new Uint8Array(1_001);
    const answer = await post(V2, { port, body, change: { 'Content-Encoding': 'zstd' } });
    expect([answer.status, written(answer)]).toEqual([415, undefined]);
  });
});
