import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { startAdapter, type Adapter } from '../support/adapter.ts';
import { createAuthority, SERVER_SANS } from '../support/certificates.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { waitFor } from '../support/processes.ts';
import { mustHavePrometheus, reasonToSkip, startPrometheus, type Settings } from '../support/prometheus.ts';
import { readWholeMembers } from '../support/samples.ts';
import { findPrometheus3, skippedWithout } from '../support/senders.ts';

/** Real Prometheus servers write by TLS with a client's certificate and a password, right and wrong. */

const { directory } = e2eDirectory();
const skipped = reasonToSkip('mutual TLS and passwords with a real Prometheus');
const prometheus3 = findPrometheus3();
const path = (name: string) => join(directory, name);

beforeAll(async () => {
  const authority = await createAuthority('authority');
  const stranger = await createAuthority('stranger');
  const server = await authority.issue('server', { sans: SERVER_SANS });
  const client = await authority.issue('client');
  const files = {
    'ca.pem': authority.certificate,
    'stranger.pem': stranger.certificate,
    'server.pem': server.certificate,
    'server.key': server.key,
    'client.pem': client.certificate,
    'client.key': client.key,
    'web.yml': JSON.stringify({
      tls_server_config: {
        cert_file: 'server.pem',
        key_file: 'server.key',
        client_auth_type: 'RequireAndVerifyClientCert',
        client_ca_file: 'ca.pem',
      },
      basic_auth_users: { prometheus: hashSync('right', 10) },
    }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
});

/** Of remote_write. */
const RIGHT = {
  tls_config: { ca_file: path('ca.pem'), cert_file: path('client.pem'), key_file: path('client.key') },
  basic_auth: { username: 'prometheus', password: 'right' },
} as const satisfies Settings;

const WRONG = [
  {
    name: 'a wrong password',
    settings: { ...RIGHT, basic_auth: { username: 'prometheus', password: 'wrong' } },
    // What is answered 4xx is dropped.
    said: /non-recoverable error.*401/is,
  },
  { name: 'no password', settings: { tls_config: RIGHT.tls_config }, said: /non-recoverable error.*401/is },
  {
    name: 'an authority that did not sign the certificate of the adapter',
    settings: { ...RIGHT, tls_config: { ...RIGHT.tls_config, ca_file: path('stranger.pem') } },
    said: /Failed to send batch, retrying.*certificate/is,
  },
  {
    name: 'no certificate of its own',
    settings: { ...RIGHT, tls_config: { ca_file: path('ca.pem') } },
    said: /Failed to send batch, retrying/i,
  },
] as const;

async function startWith(name: string, program: string | undefined, settings: Settings) {
  const archive = path(`${name} archive`);
  mkdirSync(archive, { recursive: true });
  const adapter: Adapter = await startAdapter({ env: { ARCHIVE_DIR: archive, WEB_CONFIG_FILE: path('web.yml') } });
  expect(adapter.url).toMatch(/^https:/);
  const prometheus = await startPrometheus({
    ...(program !== undefined && { program }),
    dir: path(`${name} data`),
    receivers: [
      { name: 'adapter', url: adapter.url, settings: { queue_config: { batch_send_deadline: '1s' }, ...settings } },
    ],
  });
  return { adapter, prometheus, lines: () => readWholeMembers(archive) };
}

const PROGRAMS = [
  { version: 'Prometheus', program: undefined, isSkipped: skipped !== undefined, why: '' },
  {
    version: 'Prometheus 3',
    program: prometheus3,
    isSkipped: prometheus3 === undefined,
    why: skippedWithout(prometheus3, 'PROMETHEUS3'),
  },
];

describe.each(PROGRAMS.map((each) => [each.version + each.why, each] as const))(
  '%s',
  (_, { version, program, isSkipped }) => {
    test.skipIf(isSkipped)(
      'with the right certificate and password its samples arrive',
      async () => {
        if (program === undefined) mustHavePrometheus();
        const { adapter, prometheus, lines } = await startWith(version, program, RIGHT);
        await waitFor(() => lines().some((line) => line.startsWith('{"name":"up"')), {
          timeoutMs: 30_000,
          what: () => `samples:\n${prometheus.process.stderr}\n${adapter.process.stderr}`,
        });
        expect(adapter.process.stderr).not.toMatch(/level=(?:warn|error)/);
        await prometheus.end();
        expect(await adapter.stop()).toBe(0);
      },
      90_000,
    );

    test.skipIf(isSkipped).each(WRONG)(
      'with $name nothing arrives, and it says so',
      async ({ name, settings, said }) => {
        if (program === undefined) mustHavePrometheus();
        const { adapter, prometheus, lines } = await startWith(`${version} ${name}`, program, settings);
        await waitFor(() => said.test(prometheus.process.stderr), {
          timeoutMs: 30_000,
          what: () => `Prometheus to say so:\n${prometheus.process.stderr}`,
        });
        expect(lines()).toEqual([]);
        await prometheus.end();
        expect(await adapter.stop()).toBe(0);
      },
      90_000,
    );
  },
);

test('SIGHUP without a web configuration ends nothing', async () => {
  const adapter = await startAdapter({ env: { ARCHIVE_DIR: path('plain') } });
  adapter.process.kill('SIGHUP');
  await waitFor(() => adapter.process.stderr.includes('nothing to read anew'), {
    timeoutMs: 15_000,
    what: () => 'a word about it',
  });
  expect((await adapter.metrics()).page).toContain('process_');
  expect(await adapter.stop()).toBe(0);
});
