import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAuthority, SERVER_SANS, type Identity } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { send } from '../support/http.ts';
import { folderWith, shakeHands } from '../support/secure.ts';
import { startService } from '../support/service.ts';

/** Files of the web configuration that are no files, too large, or cannot be read for a while. */

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, readFile: vi.fn(real.readFile) };
});
const { readFile: reallyRead } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');

const HASH = hashSync('Xq7-right', 4);
const USERS = `basic_auth_users: {sender: '${HASH}'}\n`;
const TLS = 'tls_server_config: {cert_file: server.pem, key_file: server.key}\n';
let identity: Identity;
let later: Identity;

beforeAll(async () => {
  const authority = await createAuthority('authority');
  identity = await authority.issue('first', { sans: SERVER_SANS });
  later = await authority.issue('later', { sans: SERVER_SANS });
});
afterEach(() => {
  vi.useRealTimers();
  vi.mocked(readFile).mockImplementation(reallyRead);
});

async function start(text = USERS) {
  const folder = folderWith({ 'web.yml': text, 'server.pem': identity.certificate, 'server.key': identity.key });
  const service = await startService({ config: { webConfigFile: join(folder.path, 'web.yml') } });
  const { port, logged } = service;
  const headers = { Authorization: `Basic ${Buffer.from('sender:Xq7-right').toString('base64')}` };
  const ask = async () => (await send({ port, path: '/metrics', headers })).text;
  return { ...service, folder, ask, log: () => logged.join('') };
}

const FAILED = '\nprometheus_kinesis_adapter_web_config_last_reload_successful 0\n';
const READ = '\nprometheus_kinesis_adapter_web_config_last_reload_successful 1\n';

describe('what is no file of a web configuration is not read, and a right one after it is', () => {
  const fifo = (path: string) => execFileSync('mkfifo', [path]);
  test.each([
    { what: 'a FIFO', make: fifo, said: 'it is no regular file' },
    { what: 'a device', make: (path: string) => symlinkSync('/dev/zero', path), said: 'it is no regular file' },
    { what: 'a folder', make: (path: string) => mkdirSync(path), said: 'it is no regular file' },
    {
      what: 'a large file',
      make: (path: string) => {
        writeFileSync(path, '');
        truncateSync(path, 1_048_577);
      },
      said: 'it has 1048577 bytes, more than 1048576',
    },
    {
      what: 'a text of aliases of aliases',
      make: (path: string) => writeFileSync(path, aliasesOfAliases()),
      said: 'line 3: more than 100000 values',
    },
    {
      what: 'a text of merges of merges',
      make: (path: string) =>
        writeFileSync(path, `- &a {${'b: c, '.repeat(1_200)}}\n- ${'{<<: '.repeat(90)}*a${'}'.repeat(90)}\n`),
      said: 'line 2: more than 100000 values',
    },
    {
      what: 'an endless nest',
      make: (path: string) => writeFileSync(path, `a:\n ${'- '.repeat(100_000)}b\n`),
      said: 'line 2: nested deeper than 100 levels',
    },
  ])('$what', async ({ make, said }) => {
    const { folder, ask, reload, log } = await start();
    const path = join(folder.path, 'web.yml');
    rmSync(path);
    make(path);
    await reload();
    expect(await ask()).toContain(FAILED);
    expect(log()).toContain(said);
    rmSync(path, { recursive: true });
    writeFileSync(path, USERS);
    await reload();
    expect(await ask()).toContain(READ);
  });

  test.each(['server.pem', 'server.key'])('%s', async (name) => {
    const { folder, reload, log } = await start();
    const path = join(folder.path, name);
    rmSync(path);
    fifo(path);
    folder.put('web.yml', TLS);
    await reload();
    expect(log()).toContain(`(${path}): cannot be read: it is no regular file`);
  });
});

/** 1,000 to the third. */
function aliasesOfAliases(): string {
  const level = (name: string, item: string) => `- &${name} [${`${item}, `.repeat(1_000)}]\n`;
  return `- z\n# much\n${level('a', 'x')}${level('b', '*a')}${level('c', '*b')}`;
}

test('a text with many aliases is read in the time of its length', async () => {
  const { folder, reload, log } = await start();
  // Each looked for in the whole text would be 900 million steps.
  folder.put('web.yml', `- &a b\n${'- *a\n'.repeat(30_000)}`);
  await reload();
  expect(log()).toContain('the file: has to be a map');
});

test('what could not be read for a while is read again without a change', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
  const { folder, ask, reload, log } = await start();
  folder.put('web.yml', `${USERS}http_server_config: {http2: false}\n`);
  vi.mocked(readFile).mockRejectedValueOnce(new Error('EMFILE: too many open files'));
  await reload();
  expect(log()).toContain('EMFILE');
  expect(await ask()).toContain(FAILED);
  for (let second = 0; second < 28; second++) await vi.advanceTimersByTimeAsync(1_000);
  expect(await ask()).toContain(FAILED);
  await eventually(async () => {
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await ask()).toContain(READ);
  });
  expect(log().match(/level=error/g)).toHaveLength(1);
});

test('what changes while a new set of files is read is seen', async () => {
  const { port, folder, reload, log } = await start();
  const key = join(folder.path, 'server.key');
  folder.put('web.yml', TLS);
  vi.mocked(readFile).mockImplementation(async (path, options) => {
    const text = await reallyRead(path, options);
    if (path === key && text === identity.key) {
      folder.put('server.pem', later.certificate);
      folder.put('server.key', later.key);
    }
    return text;
  });
  await reload();
  expect(log()).not.toContain('level=error');
  await eventually(async () => {
    const socket = await shakeHands({ port, rejectUnauthorized: false });
    expect(socket.getPeerCertificate().subject.CN).toBe('later');
    socket.destroy();
  });
});

test('a private key in the place of its path, and a hash in that of a name, are not printed', async () => {
  const { folder, reload, log } = await start();
  const settings = { tls_server_config: { cert_file: identity.certificate + identity.key, key_file: identity.key } };
  for (const text of [JSON.stringify(settings), `basic_auth_users: {'${HASH}': sender}\n`, `'${HASH}': sender\n`]) {
    folder.put('web.yml', text);
    await reload();
  }
  expect(log().match(/level=error/g)).toHaveLength(3);
  expect(log()).toContain('***');
  expect(log()).not.toContain(HASH.slice(7, 40));
  const [, inner] = identity.key.split('\n');
  expect(log()).not.toContain(inner!.slice(0, 20));
});
