import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { SinkError } from '../../src/errors.ts';
import { REQUEST_BYTES } from '../../src/write/gate.ts';
import { get, send, write, WRITE_HEADERS } from '../support/http.ts';
import { ScriptedSink } from '../support/scripted_sink.ts';
import { acceptAll, startService } from '../support/service.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}.bin`, import.meta.url));
const down = new SinkError('down', 'no such stream', { code: 'ResourceNotFoundException', mend: 'create it' });

describe('bodies that real Prometheus servers sent', () => {
  // The counts of test/fixtures/README.md.
  test.each([
    { name: 'rw1-2.42/001', samples: 497, histograms: 0, exemplars: 3, metadata: 0 },
    { name: 'rw1-2.42/009', samples: 0, histograms: 0, exemplars: 0, metadata: 452 },
    { name: 'rw1-2.42/043', samples: 500, histograms: 0, exemplars: 0, metadata: 0 },
    { name: 'rw1-3.5.3/000', samples: 1988, histograms: 6, exemplars: 6, metadata: 0 },
    { name: 'rw1-3.5.3/003', samples: 0, histograms: 0, exemplars: 0, metadata: 531 },
    { name: 'rw1-3.5.3/016', samples: 1995, histograms: 5, exemplars: 0, metadata: 0 },
    { name: 'rw2-3.5.3/000', samples: 1988, histograms: 6, exemplars: 6, metadata: 2000 },
    { name: 'rw2-3.5.3/012', samples: 1995, histograms: 5, exemplars: 0, metadata: 2000 },
  ])('$name is archived and answered 204', async ({ name, samples, histograms, exemplars, metadata }) => {
    const { port, sink, metrics } = await startService();
    acceptAll(sink);
    const headers = JSON.parse(
      readFileSync(new URL(`../fixtures/${name}.headers.json`, import.meta.url), 'utf8'),
    ) as Record<string, string>;
    const post = () => send({ port, method: 'POST', path: '/receive', headers, body: fixture(name) });

    const answer = await post();
    expect(answer).toMatchObject({ status: 204, text: '' });
    const isV2 = name.startsWith('rw2');
    expect(writtenOf(answer)).toEqual(isV2 ? [samples, histograms, exemplars].map(String) : NOT_TOLD);
    const metric = await metrics();
    expect(metric('lines_received_total{kind="sample"}')).toBe(samples);
    expect(metric('lines_received_total{kind="histogram"}')).toBe(histograms);
    expect(metric('lines_received_total{kind="exemplar"}')).toBe(exemplars);
    expect(metric('lines_received_total{kind="metadata"}')).toBe(metadata);
    // Of metadata the first copy is written.
    const copies = metric('lines_skipped_total{kind="metadata"}');
    expect(copies > 0).toBe(isV2);
    const once = samples + histograms + exemplars;
    expect(sink.accepted).toHaveLength(once + metadata - copies);
    expect(metric('lines_delivered_total')).toBe(sink.accepted.length);

    expect((await post()).status).toBe(204);
    expect(sink.accepted, 'metadata is not written again').toHaveLength(once + metadata - copies + once);
    expect((await metrics())('requests_total{code="204"}')).toBe(2);
  });
});

test.each([
  ['rw1-3.5.3/000', 'rw2-3.5.3/000', '1.0'],
  ['rw1-3.5.3/003', 'rw2-3.5.3/000', '1.0'],
  ['rw2-3.5.3/000', 'rw1-3.5.3/000', '2.0'],
])('the body %s under the headers of %s is not taken for an empty request', async (bodyOf, headersOf, version) => {
  const { port, sink } = await startService();
  const url = new URL(`../fixtures/${headersOf}.headers.json`, import.meta.url);
  const body = fixture(bodyOf);
  const headers = { ...(JSON.parse(readFileSync(url, 'utf8')) as object), 'content-length': body.length };
  const answer = await send({ port, method: 'POST', path: '/receive', headers, body });
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(`it holds a request of remote write ${version}`);
  expect(sink.callCount).toBe(0);
});

const NOT_TOLD = [undefined, undefined, undefined];

function writtenOf({ headers }: { readonly headers: IncomingHttpHeaders }): unknown[] {
  return ['samples', 'histograms', 'exemplars'].map((kind) => headers[`x-prometheus-remote-write-${kind}-written`]);
}

describe('the right status', () => {
  const body = writeRequest(someSeries(1));

  test.each([
    { what: 'an empty request', body: new Uint8Array([0]), status: 204, text: '' },
    { what: 'no body at all', body: new Uint8Array(), status: 400, text: 'snappy' },
    { what: 'a block that is not snappy', body: Buffer.from('not snappy'), status: 400, text: 'snappy' },
    {
      what: 'a block that declares 4 GiB',
      body: new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]),
      status: 400,
      text: '--max-body-bytes',
    },
    {
      what: 'snappy of what is not protobuf',
      body: new Uint8Array([3, 8, 0xff, 0xff, 0xff]),
      status: 400,
      text: 'valid write request',
    },
  ])('of $what: $status', async ({ body, status, text }) => {
    const { port, sink } = await startService();
    acceptAll(sink);
    const answer = await write(port, body);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect((await write(port, writeRequest(someSeries(1)))).status).toBe(204);
  });

  test.each([
    { headers: { 'Content-Type': 'application/x-protobuf;proto=prometheus.WriteRequest' }, status: 204 },
    {
      headers: { 'Content-Type': ' Application/X-Protobuf ; charset=x; PROTO = "prometheus.WriteRequest"' },
      status: 204,
    },
    { headers: { 'Content-Encoding': 'Snappy' }, status: 204 },
    { headers: { 'Content-Type': 'application/json' }, status: 415 },
    { headers: { 'Content-Type': 'application/x-protobuf;proto=some.Other' }, status: 415 },
    { headers: { 'Content-Encoding': 'zstd' }, status: 415 },
    { headers: { 'Content-Encoding': 'gzip' }, status: 415 },
  ])('of headers $headers: $status', async ({ headers, status }) => {
    const { port, sink } = await startService();
    acceptAll(sink);
    expect((await write(port, body, headers)).status).toBe(status);
  });

  test('of a sender that leaves the optional headers out: 204', async () => {
    const { port, sink } = await startService();
    acceptAll(sink);
    expect((await send({ port, method: 'POST', path: '/api/v1/write', body })).status).toBe(204);
  });

  test('of other methods and paths: 405 and 404', async () => {
    const { port } = await startService();
    const answer = await get(port, '/receive');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect((await get(port, '/')).status).toBe(404);
    expect((await get(port, '/-/healthy')).status).toBe(200);
  });

  test('of a body over the limit: 413, declared or not', async () => {
    const { port, sink } = await startService({ config: { maxBodyBytes: 1_000 } });
    acceptAll(sink);
    expect((await write(port, new Uint8Array(1_001))).status).toBe(413);
    const chunked = { ...WRITE_HEADERS, 'Transfer-Encoding': 'chunked' };
    const answer = await send({
      port,
      method: 'POST',
      path: '/receive',
      headers: chunked,
      body: new Uint8Array(1_001),
    });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain('--max-body-bytes');
  });

  test('of a request that becomes too many lines: 413', async () => {
    const { port, sink } = await startService({ config: { maxRequestLinesBytes: 64 * 1024 } });
    acceptAll(sink);
    const samples = Array.from({ length: 2_000 }, (_, index) => [index, index] as const);
    const answer = await write(port, writeRequest([{ labels: { __name__: 'x'.repeat(1_000) }, samples }]));
    expect(answer.status).toBe(413);
    expect(sink.callCount).toBe(0);
  });

  test('of a request with an invalid series: 400 that names it, its neighbours delivered', async () => {
    const { port, sink, metrics } = await startService();
    acceptAll(sink);
    const series = [...someSeries(2), { labels: { job: 'nameless' }, samples: [[1, 1] as const, [2, 2] as const] }];
    const answer = await write(port, writeRequest(series));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('{job="nameless"} has no metric name');
    expect(answer.text).toContain('2 valid lines');
    expect(sink.accepted).toHaveLength(2);
    const metric = await metrics();
    expect(metric('lines_rejected_total{reason="no_metric_name"}')).toBe(2);
  });

  test('503 outranks 400: the valid rest was not delivered', async () => {
    const { port, sink } = await startService();
    const answer = write(port, writeRequest([...someSeries(2), { labels: { job: 'nameless' }, samples: [[1, 1]] }]));
    await (await sink.call()).fail(down);
    expect((await answer).status).toBe(503);
  });
});

describe('what is not delivered goes back to the sender', () => {
  const body = writeRequest(someSeries(1));

  test('at the delivery timeout: 503 with Retry-After', async () => {
    const { port, metrics } = await startService({ config: { deliveryTimeoutMs: 100 } });
    const answer = await write(port, body);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.text).toContain('--delivery-timeout');
    expect((await metrics())('lines_returned_total{reason="deadline"}')).toBe(1);
  });

  test('from a sink that is down: 503 at once, the body unread, until a probe gets through', async () => {
    const { port, sink, metrics } = await startService();
    const first = write(port, body);
    await (await sink.call()).fail(down);
    expect((await first).status).toBe(503);
    const refused = await write(port, body);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    expect(sink.callCount).toBe(1);
    expect((await metrics())('sink_up')).toBe(0);
    expect((await get(port, '/-/ready')).status).toBe(200);
  });

  test('when it does not fit into memory: 503 at once', async () => {
    const { port, sink } = await startService({ config: { maxInFlightBytes: 1_000 } });
    const large = write(port, writeRequest(someSeries(100)));
    const call = await sink.call();
    const refused = await write(port, body);
    expect(refused.status).toBe(503);
    expect(refused.text).toContain('--max-in-flight-bytes');
    await call.accept();
    expect((await large).status).toBe(204);
    acceptAll(sink);
    expect((await write(port, body)).status).toBe(204);
  });

  test('when the sender goes away: its lines leave the queue', async () => {
    const { port, sink, metrics } = await startService();
    const first = write(port, body);
    const call = await sink.call();
    const socket = connect(port, '127.0.0.1');
    const second = writeRequest(someSeries(7));
    socket.write(`POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: ${second.length}\r\n\r\n`);
    socket.write(second);
    await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(8);
    socket.destroy();
    await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(1);
    await call.accept();
    expect((await first).status).toBe(204);
    const metric = await metrics();
    expect(metric('lines_returned_total{reason="aborted"}')).toBe(7);
    expect(metric('requests_total{code="499"}')).toBe(1);
    expect(metric('in_flight_bytes')).toBe(0);
    expect(sink.callCount).toBe(1);
  });

  test('when the sender goes away in the middle of its body: nothing was received', async () => {
    const { port, sink, metrics } = await startService();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc');
    await expect.poll(async () => (await metrics())('in_flight_bytes')).toBe(REQUEST_BYTES + 3);
    socket.destroy();
    await expect.poll(async () => (await metrics())('in_flight_bytes')).toBe(0);
    expect((await metrics())('requests_total{code="499"}')).toBe(1);
    expect(sink.callCount).toBe(0);
  });
});

describe('memory', () => {
  test('is held for what a body takes, however small its chunks are', async () => {
    const { port, metrics } = await startService();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /receive HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write('1\r\nX\r\n'.repeat(50_000));
    await expect.poll(async () => (await metrics())('in_flight_bytes')).toBeGreaterThanOrEqual(REQUEST_BYTES + 50_000);
    expect((await metrics())('in_flight_bytes')).toBeLessThanOrEqual(REQUEST_BYTES + 200_000);
    socket.destroy();
    await expect.poll(async () => (await metrics())('in_flight_bytes')).toBe(0);
  });

  test('is not held for what a sender only says that it will send', async () => {
    const { port, sink } = await startService();
    acceptAll(sink);
    const liars = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
    for (const liar of liars)
      liar.write(`POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: ${32 * 1024 ** 2}\r\n\r\n`);
    await expect.poll(async () => (await get(port, '/metrics')).text).toContain(`in_flight_bytes ${8 * REQUEST_BYTES}`);
    expect((await write(port, writeRequest(someSeries(1)))).status).toBe(204);
    for (const liar of liars) liar.destroy();
  });

  test('is given back for all the requests of a sender that pipelines and goes away', async () => {
    const { port, sink, metrics } = await startService();
    const body = writeRequest(someSeries(1));
    const socket = connect(port, '127.0.0.1');
    const head = `POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (let request = 0; request < 20; request++) socket.write(Buffer.concat([Buffer.from(head), body]));
    await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(20);
    socket.destroy();
    await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(0);
    await (await sink.call()).accept();
    await expect.poll(async () => (await metrics())('in_flight_bytes')).toBe(0);
  });

  test('a body that is too large is thrown away, so that its sender sees the status', async () => {
    const { port } = await startService({ config: { maxBodyBytes: 1_000 } });
    for (let round = 0; round < 5; round++) {
      expect((await write(port, new Uint8Array(8 * 1024 ** 2))).status).toBe(413);
    }
  });
});

describe('stopping', () => {
  test('answers 503 to a request whose body does not come to its end', async () => {
    const { port, stop } = await startService({ config: { shutdownTimeoutMs: 50 } });
    const socket = connect(port, '127.0.0.1');
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write('POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc');
    await expect.poll(async () => (await get(port, '/metrics')).text).toContain(`in_flight_bytes ${REQUEST_BYTES + 3}`);
    await stop();
    expect(await answer).toContain('503 Service Unavailable');
  });

  const body = writeRequest(someSeries(3));

  test('delivers what is in flight, refuses what comes, and closes the sink', async () => {
    const { port, sink, stop } = await startService({ config: { shutdownTimeoutMs: 10_000 } });
    const inFlight = write(port, body);
    const call = await sink.call();
    const stopped = stop();
    const [ready, refused] = await Promise.all([get(port, '/-/ready'), write(port, body)]);
    expect(ready.status).toBe(503);
    expect([refused.status, refused.headers.connection]).toEqual([503, 'close']);
    expect(sink.isClosed).toBe(false);
    await call.accept();
    expect((await inFlight).status).toBe(204);
    await stopped;
    expect(sink.isClosed).toBe(true);
    await expect(get(port, '/-/healthy')).rejects.toThrow('ECONNREFUSED');
  });

  test('answers 503 to what the sink does not take within the shutdown timeout, and says how much', async () => {
    const { port, sink, stop, logged } = await startService({ config: { shutdownTimeoutMs: 50 } });
    const inFlight = write(port, body);
    await sink.call();
    await stop();
    expect((await inFlight).status).toBe(503);
    expect(logged.at(-1)).toContain('returnedLines=3');
  });

  test('waits for a request that is still being read', async () => {
    const { port, sink, stop } = await startService({ config: { shutdownTimeoutMs: 10_000 } });
    acceptAll(sink);
    const socket = connect(port, '127.0.0.1');
    const answer = new Promise<string>((resolve) =>
      socket.once('data', (data) => {
        resolve(data.toString());
      }),
    );
    socket.write(`POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(0, 10));
    await expect
      .poll(async () => (await get(port, '/metrics')).text)
      .toContain(`in_flight_bytes ${REQUEST_BYTES + 10}`);
    const stopped = stop();
    expect((await get(port, '/-/ready')).status).toBe(503);
    socket.write(body.subarray(10));
    expect(await answer).toContain('204 No Content');
    await stopped;
  });
});

test('lines of concurrent requests share calls', async () => {
  const { port, sink } = await startService({ sink: new ScriptedSink({ maxCallsInFlight: 1 }) });
  const first = write(port, writeRequest(someSeries(1)));
  const call = await sink.call();
  const others = Array.from({ length: 10 }, () => write(port, writeRequest(someSeries(20))));
  await expect.poll(async () => (await get(port, '/metrics')).text).toContain('lines_in_flight 201');
  await call.accept();
  expect(sink.pending[0]!.lines).toHaveLength(200);
  acceptAll(sink);
  for (const answer of [first, ...others]) expect((await answer).status).toBe(204);
  expect(sink.callCount).toBe(2);
});
