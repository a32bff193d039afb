import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { HEALTHCHECK, startAdapter } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { createAuthority, SERVER_SANS } from '../support/certificates.ts';
import { endProcesses, run } from '../support/processes.ts';
import { folderWith, sendSecurely } from '../support/secure.ts';

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
    expect(await check(`${given}:${await listen(server, { host: on })}`)).toEqual(HEALTHY);
  });
});

test('an adapter with TLS and passwords is healthy, and counts no failed handshake of the check', async () => {
  const authority = await createAuthority('authority');
  const { certificate, key } = await authority.issue('server', { sans: SERVER_SANS });
  const webConfig = {
    tls_server_config: {
      cert_file: 'server.pem',
      key_file: 'server.key',
      client_ca_file: 'ca.pem',
      client_auth_type: 'VerifyClientCertIfGiven',
    },
    basic_auth_users: { prometheus: hashSync('Xq7-right', 4) },
  };
  const folder = folderWith({
    'ca.pem': authority.certificate,
    'server.pem': certificate,
    'server.key': key,
    'web.yml': JSON.stringify(webConfig),
  });
  const env = { ARCHIVE_DIR: temporaryDir(), WEB_CONFIG_FILE: join(folder.path, 'web.yml') };
  const adapter = await startAdapter({ env });
  const { port } = adapter;
  for (let time = 0; time < 3; time++) expect(await check(`127.0.0.1:${port}`)).toEqual(HEALTHY);
  const headers = { Authorization: `Basic ${Buffer.from('prometheus:Xq7-right').toString('base64')}` };
  const { text } = await sendSecurely({ port, ca: authority.certificate, path: '/metrics', headers });
  expect(text).toContain('\nprometheus_kinesis_adapter_tls_handshakes_failed_total 0\n');
  expect(adapter.process.stderr).not.toMatch(/level=(?:warn|error)/);
  expect(await adapter.stop()).toBe(0);
});

test.each([undefined, ''])('without LISTEN_ADDR (%j) it asks at the default port', async (listenAddr) => {
  let asked = 0;
  const server = createHttpServer((_request, response) => {
    asked++;
    response.end();
  });
  const isOurs = await listen(server, { port: 9_501 }).then(
    () => true,
    () => false,
  );
  const { code, stderr } = await check(listenAddr);
  if (isOurs) expect({ code, stderr, asked }).toEqual({ code: 0, stderr: '', asked: 1 });
  // It is taken then, and what somebody else answers there is not ours to say.
  else expect(stderr).toMatch(code === 0 ? /^$/ : /127\.0\.0\.1:9501|no answer within/);
});

async function listen(server: Server, { host = '127.0.0.1', port = 0 } = {}): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
