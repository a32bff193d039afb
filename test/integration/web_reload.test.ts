import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { beforeAll, expect, test } from 'vitest';
import { createAuthority, SERVER_SANS, type Authority, type Identity } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { folderWith, sendSecurely, shakeHands } from '../support/secure.ts';
import { startService } from '../support/service.ts';

const HASH = hashSync('right', 4);
const NEW_HASH = hashSync('new', 4);
let authority: Authority;
let first: Identity;
let second: Identity;

beforeAll(async () => {
  authority = await createAuthority('authority');
  first = await authority.issue('first', { sans: SERVER_SANS });
  second = await authority.issue('second', { sans: SERVER_SANS });
});

const users = (hash: string) => `basic_auth_users: {sender: '${hash}'}\n`;
const withPassword = (password: string) => ({
  Authorization: `Basic ${Buffer.from(`sender:${password}`).toString('base64')}`,
});
const TLS = 'tls_server_config: {cert_file: server.pem, key_file: server.key}\n';

async function start(files: Readonly<Record<string, string>>, file = 'web.yml') {
  const folder = folderWith(files);
  const service = await startService({ config: { webConfigFile: join(folder.path, file) } });
  const { port } = service;
  const status = async (password: string) =>
    (await send({ port, path: '/-/healthy', headers: withPassword(password) })).status;
  return { ...service, folder, status };
}

test('new passwords and headers count for the next request of a connection that stays open', async () => {
  const { port, folder, logged } = await start({ 'web.yml': users(HASH) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (password: string) => send({ port, path: '/metrics', agent, headers: withPassword(password) });
  expect((await ask('right')).status).toBe(200);
  folder.put('web.yml', `${users(NEW_HASH)}http_server_config: {headers: {X-Frame-Options: deny}}\n`);
  await eventually(() => expect(logged.join('')).toContain('the web configuration was read anew'));
  const [socket] = Object.values(agent.freeSockets).flat();
  expect(socket).toBeDefined();
  const answer = await ask('new');
  expect(answer).toMatchObject({ status: 200, headers: { 'x-frame-options': 'deny' } });
  expect(answer.text).toContain('\nprometheus_kinesis_adapter_web_config_last_reload_successful 1\n');
  expect(Object.values(agent.freeSockets).flat()[0]).toBe(socket);
  // Who has no password keeps none.
  expect(await ask('right')).toMatchObject({ status: 401, headers: { connection: 'close' } });
  agent.destroy();
});

test('what is broken is said and counted, and what held before goes on to hold until it is mended', async () => {
  const { port, folder, logged, reload, status } = await start({ 'web.yml': users(HASH) });
  folder.put('web.yml', users('secret'));
  await reload();
  expect(await status('right')).toBe(200);
  expect(logged.join('')).toContain('basic_auth_users.sender: is too short for a bcrypt hash');
  expect(logged.join('')).not.toContain('secret');
  const metrics = async () => (await send({ port, path: '/metrics', headers: withPassword('right') })).text;
  expect(await metrics()).toContain('\nprometheus_kinesis_adapter_web_config_last_reload_successful 0\n');
  folder.put('web.yml', users(HASH));
  await eventually(async () => {
    expect(await metrics()).toContain('\nprometheus_kinesis_adapter_web_config_last_reload_successful 1\n');
  });
});

test('a file that asks for nothing only while it is written lets nobody in', async () => {
  const { folder, logged, status } = await start({ 'web.yml': users(HASH) });
  for (let round = 0; round < 6; round++) {
    folder.put('web.yml', '# who may come in\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await status('wrong')).toBe(401);
    folder.put('web.yml', users(HASH));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(logged.join('')).not.toContain('no password is asked for');
});

test('an emptied file opens nothing; where it is open there is nothing to open', async () => {
  const { folder, logged, reload, status } = await start({ 'web.yml': '' });
  await reload();
  expect(await status('any')).toBe(200);
  folder.put('web.yml', users(HASH));
  await reload();
  expect(logged.join('')).not.toContain('level=error');
  folder.put('web.yml', ' \n');
  await reload();
  expect(await status('wrong')).toBe(401);
  expect(logged.join('')).toContain('the file is empty; to open the door write {}');
  folder.put('web.yml', '{}');
  await reload();
  expect(await status('wrong')).toBe(200);
  expect(logged.join('')).toContain('no password is asked for from now on');
});

const commonName = async (port: number) => {
  const socket = await shakeHands({ port, ca: authority.certificate });
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
};

test('a new certificate is for new connections, by the links of a Kubernetes secret too', async () => {
  const folder = folderWith({});
  const put = (name: string, { certificate, key }: Identity) => {
    mkdirSync(join(folder.path, name));
    writeFileSync(join(folder.path, name, 'server.pem'), certificate);
    writeFileSync(join(folder.path, name, 'server.key'), key);
    writeFileSync(join(folder.path, name, 'web.yml'), TLS);
  };
  put('..1', first);
  symlinkSync('..1', join(folder.path, '..data'));
  for (const name of ['web.yml', 'server.pem', 'server.key']) {
    symlinkSync(`..data/${name}`, join(folder.path, name));
  }
  const { port } = await startService({ config: { webConfigFile: join(folder.path, 'web.yml') } });
  const open = await shakeHands({ port, ca: authority.certificate });
  expect(open.getPeerCertificate().subject.CN).toBe('first');
  put('..2', second);
  symlinkSync('..2', join(folder.path, '..data_tmp'));
  renameSync(join(folder.path, '..data_tmp'), join(folder.path, '..data'));
  await eventually(async () => expect(await commonName(port)).toBe('second'));
  open.write('GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await new Promise<string>((resolve) => open.once('data', (data: Buffer) => resolve(data.toString())));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test('a certificate whose key has not come yet is not taken', async () => {
  const { port, folder, reload, logged } = await start({
    'web.yml': TLS,
    'server.pem': first.certificate,
    'server.key': first.key,
  });
  folder.put('server.pem', second.certificate);
  await reload();
  expect(logged.join('')).toContain('is not the key of the certificate of');
  expect(await commonName(port)).toBe('first');
  folder.put('server.key', second.key);
  await eventually(async () => expect(await commonName(port)).toBe('second'));
});

test('TLS is put on and taken off for new connections, and so is the client certificate', async () => {
  const { port, folder, reload, status, logged } = await start({
    'web.yml': '',
    'server.pem': first.certificate,
    'server.key': first.key,
    'ca.pem': authority.certificate,
  });
  expect(await status('any')).toBe(200);
  folder.put('web.yml', TLS);
  await reload();
  await expect(status('any')).rejects.toThrow();
  expect((await sendSecurely({ port, ca: authority.certificate })).status).toBe(200);
  folder.put('web.yml', TLS.replace('}', ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}'));
  await reload();
  await expect(sendSecurely({ port, ca: authority.certificate })).rejects.toThrow();
  const { certificate: cert, key } = second;
  expect((await sendSecurely({ port, ca: authority.certificate, cert, key })).status).toBe(200);
  folder.put('web.yml', '# open\n');
  await reload();
  expect(await status('any')).toBe(200);
  expect(logged.join('')).toContain('new connections speak https from now on');
  expect(logged.join('')).toContain('new connections speak plain http from now on');
});

test('without a file there is nothing to read anew', async () => {
  const { port, reload, logged } = await startService();
  await reload();
  expect(logged.join('')).toContain('nothing to read anew: there is no --web.config.file');
  expect((await send({ port, path: '/-/healthy' })).status).toBe(200);
});
