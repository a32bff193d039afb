import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { CLI, NO_AWS, startAdapter, type Adapter } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { send, write, type Answer } from '../support/http.ts';
import { endProcesses, run } from '../support/processes.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

/** What is secret is in no line of the log, in no answer and in no metric, whatever goes wrong. */

const SECRET_KEY = 'SecretKey+wJalrXUtnFEMI/K7MDENG/bPxRfiCY';
const TOKEN = 'SecretToken//////////wEaCXVzLWVhc3QtMSJHMEUCIQDsecret==';
const PASSWORD = 'SecretPassword';
const BASIC = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
const SECRETS = [SECRET_KEY, TOKEN, PASSWORD, BASIC.slice('Basic '.length)];
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIAFAKE',
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_SESSION_TOKEN: TOKEN,
  STREAM_NAME: 'history',
  LOG_LEVEL: 'debug',
  DELIVERY_TIMEOUT: '500ms',
} as const;
const ROLE = 'arn:aws:sts::123456789012:assumed-role/adapter/somebody@example.com';

afterEach(endProcesses);

/** What a service answers, by the request that it got. */
interface Fault {
  readonly what: string;
  readonly type: string;
  readonly message: (request: IncomingMessage) => string;
  /** Stands in the log: what the person on call needs stays. */
  readonly logged: string;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'an expired token',
    type: 'ExpiredTokenException',
    message: () => 'The security token included in the request is expired',
    logged: 'is expired',
  },
  {
    what: 'a wrong signature, with the canonical request as AWS tells it',
    type: 'InvalidSignatureException',
    message: (request) => `The request signature we calculated does not match.\n\n${canonicalOf(request, '\n')}`,
    logged: 'does not match',
  },
  {
    what: 'a wrong signature, with the canonical request in one line',
    type: 'InvalidSignatureException',
    message: (request) => `The request signature does not match. ${canonicalOf(request, ' ')}`,
    logged: 'does not match',
  },
  {
    what: 'a signature that cannot be read, with the header',
    type: 'IncompleteSignatureException',
    message: ({ headers }) => `'${headers.authorization}' not a valid key=value pair in Authorization header`,
    logged: 'not a valid key=value pair',
  },
  {
    what: 'a token that is repeated',
    type: 'UnrecognizedClientException',
    message: ({ headers }) => `The security token ${String(headers['x-amz-security-token'])} is invalid.`,
    logged: 'is invalid.',
  },
  {
    what: 'a proxy that repeats all headers',
    type: 'Unheard',
    message: ({ headers }) => `refused: ${JSON.stringify(headers)}`,
    logged: 'refused: ',
  },
  {
    what: 'no permission, with the role, which is no secret',
    type: 'AccessDeniedException',
    message: () => `User: ${ROLE} is not authorized to perform: kinesis:PutRecords on resource: arn:…`,
    logged: `User: ${ROLE} is not authorized`,
  },
];

describe.each(['logfmt', 'json'])('in %s', (LOG_FORMAT) => {
  test.each(FAULTS)('$what', async ({ type, message, logged }) => {
    const service = await startService(type, message);
    const adapter = await startAdapter({
      env: { ...ENVIRONMENT, LOG_FORMAT },
      args: ['--endpoint-url', service.url],
    });
    const told = await provoke(adapter);
    expect(service.signatures.length).toBeGreaterThan(0);
    expectNone(told, [...SECRETS, ...service.signatures, 'Credential=']);
    expect(adapter.process.stderr).toContain(logged);
  });
});

test.each([
  {
    what: 'an endpoint that nobody knows',
    env: () => ({ AWS_ENDPOINT_URL: `http://user:${PASSWORD}@aws.invalid` }),
  },
  {
    what: 'an endpoint that does not answer',
    env: () => ({ AWS_ENDPOINT_URL: `http://user:${PASSWORD}@127.0.0.1:1` }),
  },
  {
    what: 'a program for credentials that fails',
    env: () => ({ AWS_CONFIG_FILE: failingProgram(), AWS_ACCESS_KEY_ID: '' }),
  },
])('$what', async ({ env }) => {
  const adapter = await startAdapter({ env: { ...ENVIRONMENT, ...env() } });
  expectNone(await provoke(adapter), SECRETS);
  expect(adapter.process.stderr).toMatch(/level=(warn|error) msg="the sink /);
});

test.each([
  `ftp://user:${PASSWORD}@host`,
  `user:${PASSWORD}@host:80`,
  `http://user:${PASSWORD}/@host`,
  `http://user:${PASSWORD}@127.0.0.1:1`,
  `https://${PASSWORD}@127.0.0.1:1`,
])('--endpoint-url %s stops the start', async (url) => {
  const env = { ...NO_AWS, ...ENVIRONMENT };
  const { code, stdout, stderr } = await run(process.execPath, { args: [CLI, '--endpoint-url', url], env });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: option '--endpoint-url <url>' argument .* is invalid/);
  expectNone([stderr], SECRETS);
});

/** Has the adapter answer and log all that it can: what it tells anybody. */
async function provoke(adapter: Adapter): Promise<readonly string[]> {
  const { port } = adapter;
  const headers = { Authorization: BASIC, Cookie: `session=${PASSWORD}` };
  const answers: Answer[] = [];
  for (let count = 0; count < 2; count++) answers.push(await write(port, writeRequest(someSeries(3)), headers));
  expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  answers.push(await write(port, Buffer.from('no snappy'), headers));
  for (const path of [`/?password=${PASSWORD}`, `/receive?password=${PASSWORD}`, '/metrics', '/-/healthy'])
    answers.push(await send({ port, path, headers }));
  await adapter.stop();
  const { stdout, stderr } = adapter.process;
  return [stdout, stderr, ...answers.map(({ headers, text }) => JSON.stringify(headers) + text)];
}

function expectNone(told: readonly string[], secrets: readonly string[]): void {
  for (const text of told) for (const secret of secrets) expect(text).not.toContain(secret);
}

/** AWS's word on a wrong signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
function canonicalOf({ method, headers }: IncomingMessage, newline: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${String(value)}`);
  return `The Canonical String for this request should have been${newline}'${[method, '/', '', ...lines].join(newline)}'`;
}

/** A service that refuses every call. */
async function startService(type: string, message: (request: IncomingMessage) => string) {
  const signatures: string[] = [];
  const server = createServer((request, response) => {
    signatures.push(/Signature=([0-9a-f]{64})/.exec(request.headers.authorization ?? '')![1]!);
    request.resume().on('end', () => {
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': type });
      response.end(JSON.stringify({ __type: type, message: message(request) }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, signatures };
}

/** A configuration of the SDK by which a program is to give the credentials; it fails, and says too much. */
function failingProgram(): string {
  const dir = temporaryDir();
  const program = join(dir, 'program');
  writeFileSync(program, `#!/bin/sh\necho ${PASSWORD}\necho ${PASSWORD} >&2\nexit 1\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(dir, 'config'), `[default]\ncredential_process = ${program}\n`);
  return join(dir, 'config');
}
