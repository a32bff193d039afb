import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sansOf } from '../../src/web/client_certificate.ts';
import { TlsFront, type Refused } from '../../src/web/tls_front.ts';
import { parseWebConfig } from '../../src/web/web_config.ts';
import { createAuthority, SERVER_SANS, type Authority, type Identity } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { WRITE_HEADERS } from '../support/http.ts';
import { folderWith, sendSecurely, shakeHands } from '../support/secure.ts';
import { acceptAll, startService } from '../support/service.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

let authority: Authority;
let server: Identity;
const clients: Record<string, Identity> = {};

beforeAll(async () => {
  authority = await createAuthority('authority');
  server = await authority.issue('server', { sans: SERVER_SANS });
  const stranger = await createAuthority('stranger');
  clients['signed'] = await authority.issue('signed', { sans: [{ type: 'dns', value: 'sender-1' }] });
  clients['unsigned'] = await stranger.issue('unsigned', { sans: [{ type: 'dns', value: 'sender-1' }] });
  clients['expired'] = await authority.issue('expired', { notAfter: new Date(Date.now() - 60_000) });
  clients['for servers'] = await authority.issue('for servers', { usages: ['1.3.6.1.5.5.7.3.1'] });
});

/** A service with TLS. */
async function startSecurely(settings = '', files: Readonly<Record<string, string>> = {}) {
  const folder = folderWith({
    'server.pem': server.certificate,
    'server.key': server.key,
    'ca.pem': authority.certificate,
    ...files,
  });
  const text = (rest: string) => `tls_server_config: {cert_file: server.pem, key_file: server.key${rest}}\n`;
  const webConfigFile = folder.put('web.yml', text(settings));
  const service = await startService({ config: { webConfigFile } });
  const call = (client?: Identity) =>
    sendSecurely({
      port: service.port,
      ca: authority.certificate,
      ...(client && { cert: client.certificate, key: client.key }),
    }).then(
      ({ status }) => status,
      () => 'refused',
    );
  return { ...service, folder, text, call };
}

test('samples come in by TLS, and the line that says where to send them says https', async () => {
  const { port, sink, logged } = await startSecurely();
  acceptAll(sink);
  const body = writeRequest(someSeries(3));
  const options = { port, ca: authority.certificate, path: '/receive', method: 'POST', body };
  expect((await sendSecurely({ ...options, headers: WRITE_HEADERS })).status).toBe(204);
  expect(sink.accepted).toHaveLength(3);
  expect(logged.join('')).toContain(`remote_write: [{url: https://127.0.0.1:${port}/receive}]`);
});

test('who does not trust the certificate, or speaks no TLS, gets nothing, and the latter is counted', async () => {
  const { port, logged } = await startSecurely();
  await expect(sendSecurely({ port })).rejects.toThrow();
  await new Promise<void>((resolve) => {
    const plain = connect(port, '127.0.0.1', () => plain.write('this is no TLS'));
    plain.on('close', () => resolve()).on('error', () => undefined);
  });
  await eventually(() => expect(logged.join('')).toContain('a TLS handshake failed'));
  const { text } = await sendSecurely({ port, ca: authority.certificate, path: '/metrics' });
  expect(text).toContain('\nprometheus_kinesis_adapter_tls_handshakes_failed_total 1\n');
});

const ANYBODY = { none: 200, signed: 200, unsigned: 200, expired: 200, 'for servers': 200 };
const REQUIRED = { none: 'refused' } as const;
const VERIFIED = { unsigned: 'refused', expired: 'refused', 'for servers': 'refused' } as const;
const SANS = ', client_allowed_sans: [sender-1]';
const CA = ', client_ca_file: ca.pem';

describe('which clients come in', () => {
  test.each([
    { type: 'NoClientCert', rest: '', expected: ANYBODY },
    { type: 'RequestClientCert', rest: '', expected: ANYBODY },
    { type: 'RequestClientCert', rest: CA, expected: ANYBODY },
    { type: 'RequireAnyClientCert', rest: '', expected: { ...ANYBODY, ...REQUIRED } },
    { type: 'RequireAnyClientCert', rest: CA, expected: { ...ANYBODY, ...REQUIRED } },
    {
      type: 'RequireAnyClientCert',
      rest: SANS,
      expected: { ...ANYBODY, ...REQUIRED, expired: 'refused', 'for servers': 'refused' },
    },
    { type: 'VerifyClientCertIfGiven', rest: CA, expected: { ...ANYBODY, ...VERIFIED } },
    { type: 'RequireAndVerifyClientCert', rest: CA, expected: { ...ANYBODY, ...REQUIRED, ...VERIFIED } },
    { type: 'RequireAndVerifyClientCert', rest: CA + SANS, expected: { ...ANYBODY, ...REQUIRED, ...VERIFIED } },
    {
      type: 'RequireAndVerifyClientCert',
      rest: `${CA}, client_allowed_sans: [sender-2]`,
      expected: { ...ANYBODY, ...REQUIRED, ...VERIFIED, signed: 'refused' },
    },
    {
      type: 'RequireAndVerifyClientCert',
      rest: ', client_ca_file: server.key',
      expected: { ...ANYBODY, ...REQUIRED, ...VERIFIED, signed: 'refused' },
    },
  ])('$type$rest', async ({ type, rest, expected }) => {
    const { call } = await startSecurely(`, client_auth_type: ${type}${rest}`);
    const came: Record<string, unknown> = { none: await call() };
    for (const [name, client] of Object.entries(clients)) came[name] = await call(client);
    expect(came).toEqual(expected);
  });

  test('an authority below another is trusted with the one above it', async () => {
    const below = await authority.issueAuthority('below');
    const { call } = await startSecurely(', client_auth_type: RequireAndVerifyClientCert, client_ca_file: chain.pem', {
      'chain.pem': below.certificate + authority.certificate,
    });
    expect(await call(await below.issue('deep'))).toBe(200);
    expect(await call(clients['unsigned'])).toBe('refused');
  });

  test('who cannot be told from others does not come in, and the process goes on', async () => {
    const refused: Refused[] = [];
    const front = new TlsFront((each) => refused.push(each));
    const config = {
      ...parseWebConfig('tls_server_config: {cert: a, key: b, client_auth_type: RequireAnyClientCert}').tls!,
      get allowedSans(): string[] {
        throw new Error('an odd certificate');
      },
    };
    const { certificate: cert, key } = server;
    front.use({ config, options: { cert, key, requestCert: true, rejectUnauthorized: false } });
    const http = createServer((_request, response) => response.end());
    front.attach(http);
    onTestFinished(() => void http.close());
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const client = clients['signed']!;
    const call = sendSecurely({ port, ca: authority.certificate, cert: client.certificate, key: client.key });
    await expect(call).rejects.toThrow();
    expect(refused).toMatchObject([{ reason: "the client's certificate cannot be read (an odd certificate)" }]);
  });

  test('a session is not resumed by a client that may not come in any more', async () => {
    const { port, folder, text, reload } = await startSecurely(`, client_auth_type: RequireAndVerifyClientCert${CA}`);
    const { certificate: cert, key } = clients['signed']!;
    const options = { port, ca: authority.certificate, cert, key };
    const first = await shakeHands(options);
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    folder.put('web.yml', text(`, client_auth_type: RequireAndVerifyClientCert${CA}, client_allowed_sans: [sender-2]`));
    await reload();
    const again = await shakeHands({ ...options, session }).catch(() => undefined);
    expect(again?.isSessionReused() ?? false).toBe(false);
    await eventually(() => expect(again?.destroyed ?? true).toBe(true));
  });
});

describe('what is spoken', () => {
  const protocolOf = async (settings: string, client: object) => {
    const { port } = await startSecurely(settings);
    const socket = await shakeHands({ port, ca: authority.certificate, ...client }).catch(() => undefined);
    return socket && { version: socket.getProtocol(), cipher: socket.getCipher().name };
  };
  const upTo = (version: string) => ({ maxVersion: version, minVersion: version, ciphers: 'ALL:@SECLEVEL=0' });

  test.each([
    { settings: '', client: {}, expected: { version: 'TLSv1.3' } },
    { settings: '', client: upTo('TLSv1.2'), expected: { version: 'TLSv1.2' } },
    { settings: '', client: upTo('TLSv1.1'), expected: undefined },
    { settings: ', min_version: TLS13', client: upTo('TLSv1.2'), expected: undefined },
    { settings: ', max_version: TLS12', client: {}, expected: { version: 'TLSv1.2' } },
    { settings: ', min_version: TLS10', client: upTo('TLSv1'), expected: { version: 'TLSv1' } },
    { settings: ', min_version: TLS11', client: upTo('TLSv1.1'), expected: { version: 'TLSv1.1' } },
    { settings: ', min_version: TLS11', client: upTo('TLSv1'), expected: undefined },
    { settings: ', min_version: TLS13, max_version: TLS12', client: {}, expected: undefined },
    {
      settings: ', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]',
      client: { maxVersion: 'TLSv1.2' },
      expected: { version: 'TLSv1.2', cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    },
    {
      settings: ', cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]',
      client: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      expected: undefined,
    },
    // As in Go, a list says nothing of TLS 1.3.
    {
      settings: ', cipher_suites: [TLS_AES_256_GCM_SHA384]',
      client: { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' },
      expected: { version: 'TLSv1.3', cipher: 'TLS_CHACHA20_POLY1305_SHA256' },
    },
    { settings: ', curve_preferences: [CurveP384]', client: { ecdhCurve: 'P-384' }, expected: { version: 'TLSv1.3' } },
    { settings: ', curve_preferences: [CurveP384]', client: { ecdhCurve: 'X25519' }, expected: undefined },
  ])('with "$settings" a client of $client gets $expected', async ({ settings, client, expected }) => {
    const protocol = await protocolOf(settings, client);
    if (expected === undefined) expect(protocol).toBeUndefined();
    else expect(protocol).toMatchObject(expected);
  });

  test('HTTP/1.1, also to who would rather have HTTP/2', async () => {
    const { port } = await startSecurely();
    const socket = await shakeHands({ port, ca: authority.certificate, ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
  });
});

test('stopping ends handshakes that go on for ever', async () => {
  const { port, stop } = await startSecurely();
  const idle = connect(port, '127.0.0.1');
  idle.on('error', () => undefined);
  await new Promise<void>((resolve) => idle.once('connect', resolve));
  const closed = new Promise<void>((resolve) => idle.once('close', () => resolve()));
  await stop();
  await closed;
});

test('names are compared as Go writes them', async () => {
  const { certificate } = await authority.issue('names', {
    sans: [
      { type: 'dns', value: 'a.example' },
      { type: 'email', value: 'a@example.com' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: '2001:db8::1' },
      { type: 'url', value: 'spiffe://example/a,b' },
      { type: 'dns', value: 'b, DNS:c' },
    ],
  });
  expect(sansOf(new X509Certificate(certificate).subjectAltName!)).toEqual([
    'a.example',
    'a@example.com',
    '10.0.0.1',
    '2001:db8::1',
    'spiffe://example/a,b',
    'b, DNS:c',
  ]);
});
