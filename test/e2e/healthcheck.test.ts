import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { HEALTHCHECK, startAdapter } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses, run } from '../support/processes.ts';

/** What the image's HEALTHCHECK runs; test/image runs it in the image. */

afterEach(endProcesses);

async function check(listenAddr: string | undefined) {
  const env = listenAddr === undefined ? {} : { LISTEN_ADDR: listenAddr };
  const { code, stdout, stderr } = await run(process.execPath, { args: [HEALTHCHECK], env });
  return { code, stdout, stderr };
}

const HEALTHY = { code: 0, stdout: '', stderr: '' };

describe('an adapter', () => {
  test('is healthy, and is not once it has ended', async () => {
    const adapter = await startAdapter({ env: { ARCHIVE_DIR: temporaryDir() } });
    const { port } = adapter;
    expect(await check(`127.0.0.1:${port}`)).toEqual(HEALTHY);
    expect(await adapter.stop()).toBe(0);
    const stderr = `connect ECONNREFUSED 127.0.0.1:${port}\n`;
    expect(await check(`127.0.0.1:${port}`)).toEqual({ code: 1, stdout: '', stderr });
  });

  test('that hangs is not healthy, though connections to it are accepted', async () => {
    const { process: adapter, port } = await startAdapter({ env: { ARCHIVE_DIR: temporaryDir() } });
    adapter.kill('SIGSTOP');
    expect(await check(`127.0.0.1:${port}`)).toEqual({ code: 1, stdout: '', stderr: 'no answer within 3000 ms\n' });
    adapter.kill('SIGCONT');
    expect(await check(`127.0.0.1:${port}`)).toEqual(HEALTHY);
  });
});

describe('a server', () => {
  test.each([
    {
      does: 'asks for a password',
      server: () => createHttpServer((_request, response) => response.writeHead(401).end()),
    },
    { does: 'speaks TLS', server: () => createTlsServer() },
    { does: 'asks for a certificate', server: () => createTlsServer({ requestCert: true }) },
  ])('that $does is healthy', async ({ server }) => {
    expect(await check(`127.0.0.1:${await listen(server())}`)).toEqual(HEALTHY);
  });

  test.each([
    { given: '', on: '127.0.0.1' },
    { given: '0.0.0.0', on: '127.0.0.1' },
    { given: 'localhost', on: '127.0.0.1' },
    { given: '[::1]', on: '::1' },
    { given: '[::]', on: '::1' },
  ])('is found by the address "$given:…"', async ({ given, on }) => {
    const server = createHttpServer((_request, response) => response.end());
    expect(await check(`${given}:${await listen(server, on)}`)).toEqual(HEALTHY);
  });
});

test.each([undefined, ''])('without LISTEN_ADDR (%j) it asks at the default port', async (listenAddr) => {
  // Whether somebody listens there is not ours to say.
  const { stderr } = await check(listenAddr);
  expect(stderr).toMatch(/^$|127\.0\.0\.1:9501|no answer/);
});

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
