import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createHttpServer, type HttpOptions } from '../../src/write/http.ts';
import type { Receiver } from '../../src/write/receive.ts';
import { closeServer } from '../support/close_server.ts';
import { get, send, write, WRITE_HEADERS } from '../support/http.ts';
import { acceptAll, startService } from '../support/service.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

const body = writeRequest(someSeries(1));
const MIB = 1024 ** 2;

/** A connection on which anything can be written, all that comes back, and when the other end has closed it. */
async function open(port: number): Promise<{ socket: Socket; text: () => string; closed: Promise<unknown> }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return {
    socket,
    text: () => text,
    closed: new Promise((resolve) => socket.once('end', resolve).once('close', resolve)),
  };
}

const post = (...headers: string[]) =>
  ['POST /receive HTTP/1.1', 'Host: x', ...headers].map((line) => `${line}\r\n`).join('') + '\r\n';
const whole = () => Buffer.concat([Buffer.from(post(`Content-Length: ${body.length}`)), body]);
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Writes bytes, half closes, and gives all that was answered. */
async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const { socket, text } = await open(port);
  socket.end(bytes);
  await once(socket, 'end');
  return text();
}

async function started() {
  const service = await startService();
  acceptAll(service.sink);
  return service;
}

describe('methods and paths', () => {
  const other = [
    ['GET', '/receive', 405, 'POST'],
    ['HEAD', '/receive', 405, 'POST'],
    ['PUT', '/receive', 405, 'POST'],
    ['DELETE', '/api/v1/write', 405, 'POST'],
    ['OPTIONS', '/receive', 405, 'POST'],
    ['TRACE', '/receive', 405, 'POST'],
    ['PROPFIND', '/receive', 405, 'POST'],
    ['POST', '/metrics', 405, 'GET, HEAD'],
    ['PUT', '/-/healthy', 405, 'GET, HEAD'],
    ['DELETE', '/-/ready', 405, 'GET, HEAD'],
    ['POST', '/', 404, undefined],
    ['POST', '//receive', 404, undefined],
    ['POST', '/receive/x', 404, undefined],
    ['POST', '/%2e/receive', 404, undefined],
    ['POST', '/x/../receive', 404, undefined],
    ['POST', '/%72eceive', 404, undefined],
    ['POST', '/%', 404, undefined],
    ['OPTIONS', '*', 404, undefined],
  ] as const;
  for (const [method, path, status, allow] of other) {
    test(`${method} ${path}: ${status}`, async () => {
      const { port } = await started();
      const text = await exchange(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(statuses(text)).toEqual([status]);
      expect(/^Allow: (.*)$/m.exec(text)?.[1]?.trim()).toBe(allow);
      expect(text.split('\r\n\r\n')[1]).toMatch(method === 'HEAD' ? /^$/ : /^[^\n]+\n$/);
    });
  }

  test('CONNECT: 405', async () => {
    const { port } = await started();
    expect(await exchange(port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toContain(
      '405 Method Not Allowed',
    );
  });

  test.each(['/receive', '/receive/', '/receive?x=y', '/api/v1/write', 'http://example.org/receive'])(
    'POST %s is a write',
    async (path) => {
      const { port } = await started();
      expect((await send({ port, method: 'POST', path, headers: WRITE_HEADERS, body })).status).toBe(204);
    },
  );

  test.each(['websocket', 'h2c'])('an upgrade to %s is not made, and the write counts', async (protocol) => {
    const { port, sink } = await started();
    const headers = {
      ...WRITE_HEADERS,
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: protocol,
      'HTTP2-Settings': 'AAMAAABk',
    };
    expect((await send({ port, method: 'POST', path: '/receive', headers, body })).status).toBe(204);
    expect(sink.accepted).toHaveLength(1);
  });
});

describe('what is no HTTP is answered by one line, and its connection closed', () => {
  const CASES: readonly (readonly [what: string, bytes: string, status: number])[] = [
    ['another protocol', 'SSH-2.0-OpenSSH_9.2p1\r\n', 400],
    ['the start of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a method that nobody knows', 'WRITE /receive HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a version that nobody knows', 'POST /receive HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['no header Host', 'POST /receive HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 400],
    ['a header without a colon', post('nothing'), 400],
    ['a space before the colon of a header', post('Content-Length : 5'), 400],
    ['a header with a NUL', post('A: \u0000'), 400],
    ['a folded header', post('A: b', ' Transfer-Encoding: chunked'), 400],
    ['line feeds alone', 'POST /receive HTTP/1.1\nHost: x\nContent-Length: 0\n\n', 400],
    ['headers that are too large', post(`A: ${'a'.repeat(20_000)}`), 431],
    ['too many headers', post(...Array.from({ length: 10_000 }, () => 'A: b')), 431],
    ['a path that is too long', `POST /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['two lengths', post('Content-Length: 1', 'Content-Length: 2') + 'ab', 400],
    ['a length twice', post('Content-Length: 1', 'Content-Length: 1') + 'ab', 400],
    ['a length below 0', post('Content-Length: -1'), 400],
    ['a length that is no number', post('Content-Length: 1e3'), 400],
    ['a length past 64 bits', post('Content-Length: 99999999999999999999'), 400],
    ['a length and chunks', post('Content-Length: 5', 'Transfer-Encoding: chunked') + '0\r\n\r\n', 400],
    ['chunks and a length', post('Transfer-Encoding: chunked', 'Content-Length: 5') + '0\r\n\r\n', 400],
    ['another transfer encoding', post('Transfer-Encoding: gzip') + 'abc', 400],
    ['chunks within another encoding', post('Transfer-Encoding: chunked, identity') + 'abc', 400],
    ['a chunk of no length', post('Transfer-Encoding: chunked') + 'x\r\n', 400],
    ['a chunk of a length past 64 bits', post('Transfer-Encoding: chunked') + 'fffffffffffffffff\r\n', 400],
    ['a chunk that is longer than it says', post('Transfer-Encoding: chunked') + '1\r\nabc\r\n0\r\n\r\n', 400],
    ['chunk extensions that are too large', post('Transfer-Encoding: chunked') + `1;${'a'.repeat(20_000)}\r\n`, 413],
    ['a body that ends early', post('Content-Length: 5') + 'ab', 400],
    ['a head that ends early', 'POST /receive HTTP/1.1\r\nHost: x\r\n', 400],
  ];
  for (const [what, bytes, status] of CASES) {
    test(`${what}: ${status}`, async () => {
      const { port, sink } = await started();
      const answer = await exchange(port, Buffer.from(bytes, 'latin1'));
      expect(statuses(answer)).toEqual([status]);
      expect(answer.split('\r\n\r\n')[1]).toMatch(/^[^\n]+\n$/);
      expect((await write(port, body)).status).toBe(204);
      expect(sink.accepted).toHaveLength(1);
    });
  }
});

describe('Expect', () => {
  const EXPECT = 'Expect: 100-continue';
  const LENGTH = `Content-Length: ${body.length}`;

  test('100-continue is told to go on once the headers are good', async () => {
    const { port } = await started();
    const { socket, text } = await open(port);
    socket.write(post(LENGTH, EXPECT));
    await expect.poll(text).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    await expect.poll(() => statuses(text())).toEqual([100, 204]);
    socket.write(whole());
    // The connection is good for another.
    await expect.poll(() => statuses(text())).toEqual([100, 204, 204]);
  });

  test.each([
    { what: 'a body that is too large', head: post(`Content-Length: ${33 * MIB}`, EXPECT), status: 413 },
    { what: 'another encoding', head: post(LENGTH, EXPECT, 'Content-Encoding: zstd'), status: 415 },
    { what: 'another method', head: post(LENGTH, EXPECT).replace('POST', 'PUT'), status: 405 },
    { what: 'another path', head: post(LENGTH, EXPECT).replace('/receive', '/'), status: 404 },
  ])('of $what it is answered $status, and never told to go on', async ({ head, status }) => {
    const { port } = await started();
    const { socket, text, closed } = await open(port);
    socket.write(head);
    await expect.poll(() => statuses(text())).toEqual([status]);
    expect(text()).toContain('Connection: close');
    // It does not send its body then.
    socket.end();
    await closed;
    expect(statuses(text())).toEqual([status]);
  });

  test('when there is no room it is answered 503, and never told to go on', async () => {
    const { port, sink } = await startService({ config: { maxInFlightBytes: 1_000 } });
    const first = write(port, writeRequest(someSeries(100)));
    const call = await sink.call();
    const { socket, text } = await open(port);
    socket.write(post(LENGTH, EXPECT));
    await expect.poll(() => statuses(text())).toEqual([503]);
    await call.accept();
    expect((await first).status).toBe(204);
  });

  test('anything else is answered 417', async () => {
    const { port } = await started();
    expect(statuses(await exchange(port, Buffer.concat([Buffer.from(post(LENGTH, 'Expect: 200-ok')), body])))).toEqual([
      417,
    ]);
  });
});

describe('a body that is too large', () => {
  test.each(['close', 'keep-alive'])(
    'is answered before it has come, and thrown away (Connection: %s)',
    async (connection) => {
      const { port } = await started();
      const { socket, text } = await open(port);
      socket.write(post(`Content-Length: ${40 * MIB}`, `Connection: ${connection}`));
      await expect.poll(text).toMatch(/--max-body-bytes\)\n$/);
      // All of it, to the last byte, without a reset.
      for (let sent = 0; sent < 40; sent++) if (!socket.write(Buffer.alloc(MIB))) await once(socket, 'drain');
      if (connection === 'keep-alive') socket.write(whole());
      else socket.end();
      await expect.poll(() => statuses(text())).toEqual(connection === 'close' ? [413] : [413, 204]);
    },
  );

  test.each([
    { how: 'with its length', headers: { 'Content-Length': 40 * MIB } },
    { how: 'in chunks', headers: { 'Transfer-Encoding': 'chunked' } },
  ])('is answered so that a sender reads it that sends all before it reads ($how)', async ({ headers }) => {
    const { port, metrics } = await started();
    for (let round = 0; round < 3; round++) {
      const answer = await send({
        port,
        method: 'POST',
        path: '/receive',
        headers: { ...WRITE_HEADERS, ...headers },
        body: new Uint8Array(40 * MIB),
      });
      expect(answer.status).toBe(413);
      expect(answer.text).toContain('--max-body-bytes');
    }
    expect((await metrics())('in_flight_bytes')).toBe(0);
  });

  test('that does not come to an end is cut off, and held no memory', async () => {
    const { port, metrics } = await started();
    const { socket, text, closed } = await open(port);
    let sentMib = 0;
    socket.write(post('Transfer-Encoding: chunked'));
    const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), Buffer.alloc(MIB), Buffer.from('\r\n')]);
    while (!socket.destroyed && sentMib < 1_000) {
      sentMib++;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    }
    expect(sentMib).toBeLessThan(200);
    expect(statuses(text())).toEqual([413]);
    expect((await metrics())('in_flight_bytes')).toBe(0);
  });

  test('is read no further once it is answered: others are served meanwhile', async () => {
    const { port } = await startService({ config: { maxInFlightBytes: 4 * MIB, maxBodyBytes: MIB } });
    const liars = await Promise.all(Array.from({ length: 20 }, () => open(port)));
    for (const { socket } of liars) socket.write(post(`Content-Length: ${2 * MIB}`));
    await expect.poll(() => liars.every(({ text }) => text().includes('413'))).toBe(true);
    expect((await get(port, '/metrics')).text).toContain('prometheus_kinesis_adapter_in_flight_bytes 0');
  });
});

describe('one sender can do nothing to the answers of others, or to its own', () => {
  test('half closing after a request leaves its answer', async () => {
    const { port } = await started();
    expect(statuses(await exchange(port, whole()))).toEqual([204]);
  });

  test('requests that are pipelined are answered in their order', async () => {
    const { port } = await started();
    const parts = [
      whole(),
      'GET /receive HTTP/1.1\r\nHost: x\r\n\r\n',
      whole(),
      'GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n',
    ];
    const text = await exchange(port, Buffer.concat(parts.map((part) => Buffer.from(part))));
    expect(statuses(text)).toEqual([204, 405, 204, 200]);
  });

  test.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('what gives %s behind a request that waits is no answer to it', async (_, behind) => {
    const { port, sink, metrics } = await startService();
    const { socket, text, closed } = await open(port);
    socket.write(whole());
    const call = await sink.call();
    socket.write(behind);
    await closed;
    await call.accept();
    // Not 4xx, on which a sender drops what it has sent.
    expect(text()).toBe('');
    await expect.poll(async () => (await metrics())('lines_in_flight')).toBe(0);
  });

  test('a request that is hidden in the body of another is none', async () => {
    const { port, sink } = await started();
    const hidden = `GET /receive HTTP/1.1\r\nHost: x\r\n\r\n`;
    const text = await exchange(port, post(`Content-Length: ${hidden.length}`) + hidden);
    expect(statuses(text)).toEqual([400]);
    expect(text).toContain('snappy');
    expect(sink.accepted).toHaveLength(0);
  });

  test('HTTP/1.0 is served, and its connection closed', async () => {
    const { port, sink } = await started();
    const head = `POST /receive HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(statuses(await exchange(port, Buffer.concat([Buffer.from(head), body])))).toEqual([204]);
    expect(sink.accepted).toHaveLength(1);
  });

  test('a thousand connections that say nothing, or half a head, keep nobody out', async () => {
    const { port } = await started();
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => open(port)));
    idle.forEach(({ socket }, index) => index % 2 === 0 && socket.write('POST /receive HTTP/1.1\r\nHost: '));
    expect((await write(port, body)).status).toBe(204);
  });

  test('a sender that pipelines without end, and reads no answer, is cut off', async () => {
    const { port } = await started();
    const { socket, text, closed } = await open(port);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
    const neighbour = write(port, body);
    socket.resume();
    await closed;
    expect(statuses(text()).length).toBeLessThanOrEqual(100);
    expect((await neighbour).status).toBe(204);
  });
});

describe('limits', () => {
  /** As the program has it, but for its limits. */
  async function startedWith(limits: HttpOptions['limits'] & object) {
    const handle = vi.fn((request: IncomingMessage, response: ServerResponse) => {
      request.resume().once('end', () => response.writeHead(204).end());
      return Promise.resolve();
    });
    const receiver = { handle } as unknown as Receiver;
    const server = createHttpServer({ receiver, registry: new Registry(), isReady: () => true, limits });
    onTestFinished(() => closeServer(server));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  test.each([
    { what: 'nothing', bytes: '', status: 408 },
    { what: 'half a head', bytes: 'POST /receive HTTP/1.1\r\nHost: x\r\nA: ', status: 408 },
    // A sender would drop what is answered 408.
    { what: 'half a body', bytes: post('Content-Length: 5') + 'ab', status: 503 },
    { what: 'half a chunk', bytes: post('Transfer-Encoding: chunked') + '5\r\nab', status: 503 },
  ])('a request of which $what comes in time: $status', async ({ bytes, status }) => {
    const port = await startedWith({ requestMs: 300 });
    const { socket, text, closed } = await open(port);
    socket.write(bytes);
    await closed;
    expect(statuses(text())).toEqual([status]);
    expect(text()).toMatch(/\r\n\r\nthe (request|body) did not arrive in time\n$/);
    expect(text().includes('\r\nRetry-After: 1\r\n')).toBe(status === 503);
  });

  test('one connection too many is closed, and the others are not', async () => {
    const port = await startedWith({ maxConnections: 2 });
    const others = [await open(port), await open(port)];
    const { closed, text } = await open(port);
    await closed;
    expect(text()).toBe('');
    for (const { socket } of others) socket.write(whole());
    await expect.poll(() => others.map(({ text }) => statuses(text()))).toEqual([[204], [204]]);
  });
});
