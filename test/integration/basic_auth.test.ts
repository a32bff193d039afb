import { connect } from 'node:net';
import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { get, send, write } from '../support/http.ts';
import { folderWith } from '../support/secure.ts';
import { acceptAll, startService } from '../support/service.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

const COST = 4;
const HASH = hashSync('right', COST);

/** A service that asks for passwords. */
async function startLocked(users: Readonly<Record<string, string>> = { sender: HASH }, rest = '') {
  const folder = folderWith({ 'web.yml': `basic_auth_users: ${JSON.stringify(users)}\n${rest}` });
  const service = await startService({ config: { webConfigFile: `${folder.path}/web.yml` } });
  acceptAll(service.sink);
  return { ...service, folder };
}

const basic = (text: string | Buffer) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const body = writeRequest(someSeries(3));

describe('every path asks for a password', () => {
  test.each(['/receive', '/api/v1/write', '/-/healthy', '/-/ready', '/metrics', '/elsewhere'])('%s', async (path) => {
    const { port } = await startLocked();
    const closed = await get(port, path);
    expect(closed).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Basic' } });
    expect(closed.text).toBe('a user name and a password are asked for (basic_auth)\n');
    const open = await send({ port, path, headers: basic('sender:right') });
    expect(open.status).not.toBe(401);
  });
});

test('a write comes in with the right password, and with no other, and the log has none of them', async () => {
  const hash = hashSync('Xq7-right', COST);
  const { port, sink, logged } = await startLocked({ 'Kw4-sender': hash });
  const right = basic('Kw4-sender:Xq7-right');
  const wrong = basic('Kw4-sender:Zj9-wrong');
  expect((await write(port, body, right)).status).toBe(204);
  expect(sink.accepted).toHaveLength(3);
  const refused = await write(port, body, wrong);
  expect(refused).toMatchObject({ status: 401, text: 'the user name or the password is wrong (basic_auth)\n' });
  expect((await write(port, body)).status).toBe(401);
  expect(sink.accepted).toHaveLength(3);
  const { text } = await send({ port, path: '/metrics', headers: right });
  expect(text).toContain('\nprometheus_kinesis_adapter_requests_total{code="401"} 2\n');
  expect(text).toContain('\nprometheus_kinesis_adapter_requests_total{code="204"} 1\n');
  expect(text).toContain('\nprometheus_kinesis_adapter_in_flight_bytes 0\n');
  const log = logged.join('');
  expect(log).toContain('code=unauthorized');
  const headers = [right, wrong].map(({ Authorization }) => Authorization.slice('Basic '.length));
  for (const secret of ['Kw4-sender', 'Xq7-right', 'Zj9-wrong', hash, ...headers]) {
    expect(log + text + refused.text).not.toContain(secret);
  }
});

describe('what is a right password', () => {
  const users = {
    sender: HASH,
    a: HASH.replace('$2b$', '$2a$'),
    y: HASH.replace('$2b$', '$2y$'),
    'long hash': `${HASH}xxxx`,
    'bad hash': `${HASH.slice(0, 20)}!!${HASH.slice(22)}`,
    'short hash': HASH.slice(0, 59),
    ümlaut: hashSync('pässword', COST),
    empty: hashSync('', COST),
    colon: hashSync('a:b', COST),
    long: hashSync('x'.repeat(72), COST),
    fffd: hashSync('\ufffd', COST),
    '': HASH,
  };
  test.each([
    ['sender:right', 200],
    ['a:right', 200],
    ['y:right', 200],
    ['long hash:right', 200],
    ['bad hash:right', 401],
    ['short hash:right', 401],
    ['ümlaut:pässword', 200],
    ['empty:', 200],
    ['empty: ', 401],
    ['colon:a:b', 200],
    // bcrypt sees 72 bytes; Go's does not mind more either.
    [`long:${'x'.repeat(73)}`, 200],
    [`long:${'x'.repeat(71)}`, 401],
    // What is no UTF-8 is not what it is shown as.
    [Buffer.concat([Buffer.from('fffd:'), Buffer.from([0xff])]), 401],
    ['fffd:\ufffd', 200],
    [':right', 200],
    ['sender', 401],
    ['Sender:right', 401],
    ['sender:Right', 401],
    ['nobody:right', 401],
    ['__proto__:right', 401],
  ])('%s: %i', async (credentials, status) => {
    const { port } = await startLocked(users);
    expect((await send({ port, path: '/-/healthy', headers: basic(credentials) })).status).toBe(status);
    // Known by then.
    expect((await send({ port, path: '/-/healthy', headers: basic(credentials) })).status).toBe(status);
  });

  test.each([
    [`bAsIc ${Buffer.from('sender:right').toString('base64')}`, 200],
    [`Basic  ${Buffer.from('sender:right').toString('base64')}`, 401],
    ['Basic', 401],
    ['Basic !!!!', 401],
    [`Basic ${Buffer.from('sender:right').toString('base64')}x`, 401],
    [`Bearer ${Buffer.from('sender:right').toString('base64')}`, 401],
  ])('Authorization: %s: %i', async (Authorization, status) => {
    const { port } = await startLocked();
    expect((await send({ port, path: '/-/healthy', headers: { Authorization } })).status).toBe(status);
  });
});

test('the body of a request that may not come in is not waited for', async () => {
  const { port } = await startLocked();
  const socket = connect(port, '127.0.0.1');
  const answered = new Promise<string>((resolve) => socket.once('data', (data: Buffer) => resolve(data.toString())));
  socket.write('POST /receive HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
  expect(await answered).toMatch(/^HTTP\/1\.1 401 /);
  socket.destroy();
});

test('a request whose sender goes away while its password is checked holds nothing', async () => {
  const { port } = await startLocked({ sender: hashSync('right', 10) });
  const { Authorization } = basic('sender:right');
  const socket = connect(port, '127.0.0.1');
  socket.write(`POST /receive HTTP/1.1\r\nHost: a\r\nAuthorization: ${Authorization}\r\nContent-Length: 10\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.destroy();
  await eventually(async () => {
    const { text } = await send({ port, path: '/metrics', headers: basic('sender:right') });
    expect(text).toContain('\nprometheus_kinesis_adapter_in_flight_bytes 0\n');
  });
});

test('a flood of wrong passwords stalls nobody who is known, and keeps out nobody who is not', async () => {
  const { port } = await startLocked({ sender: hashSync('right', 10), other: hashSync('other', 10) });
  expect((await write(port, body, basic('sender:right'))).status).toBe(204);
  const flood = Array.from({ length: 200 }, async (_, index) => {
    const { status } = await send({ port, path: '/-/healthy', headers: basic(`sender:${index}`) });
    return status;
  });
  const startedAtMs = performance.now();
  const durations: number[] = [];
  for (let index = 0; index < 50; index++) {
    const sentAtMs = performance.now();
    expect((await write(port, body, basic('sender:right'))).status).toBe(204);
    durations.push(performance.now() - sentAtMs);
  }
  // From another address, its turn comes as soon as one check has ended.
  const elsewhere = { port, localAddress: '127.0.0.2', path: '/-/healthy', headers: basic('other:other') };
  expect((await send(elsewhere)).status).toBe(200);
  const elapsedMs = performance.now() - startedAtMs;
  const statuses = await Promise.all(flood);
  expect(new Set(statuses)).toEqual(new Set([401, 503]));
  // One check takes longer than a known sender waits for 50 answers, half of the time.
  const median = durations.sort((a, b) => a - b)[25]!;
  expect(median).toBeLessThan(60);
  expect(elapsedMs).toBeLessThan(15_000);
}, 60_000);

test('headers are on every answer, the refusing ones too', async () => {
  const { port } = await startLocked(
    undefined,
    'http_server_config: {headers: {X-Frame-Options: deny, Content-Security-Policy: "default-src\\n none"}}\n',
  );
  for (const headers of [{}, basic('sender:right')]) {
    const answer = await send({ port, path: '/receive', headers });
    expect(answer.headers['x-frame-options']).toBe('deny');
    expect(answer.headers['content-security-policy']).toBe('default-src  none');
  }
});
