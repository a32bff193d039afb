import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { withoutSecrets } from '../../src/secrets.ts';

const TOKEN = 'IQoJb3JpZ2luX2VjEJ7//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==';
const SIGNATURE = 'a'.repeat(64);
const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=AKIAFAKE/20261120/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, Signature=${SIGNATURE}`;
const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----\nMIGH/+${'A'.repeat(64)}\n-----END PRIVATE KEY-----\n`.trim();
const HASH = '$2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';

test.each([
  ['getaddrinfo of http://user:password@host:80/x', 'getaddrinfo of http://***@host:80/x'],
  ['http://token@host', 'http://***@host'],
  ["argument 'ftp://user:p@ss/word@host' is invalid", "argument 'ftp://***@host' is invalid"],
  ["argument 'user:password@host:1' is invalid", "argument '***@host:1' is invalid"],
  ['a http://a:b@c and a http://d:e@f', 'a http://***@c and a http://***@f'],
  [`'${AUTHORIZATION}' not a valid pair`, "'AWS4-HMAC-SHA256 ***' not a valid pair"],
  [`authorization: ${AUTHORIZATION}, x`, 'authorization: AWS4-HMAC-SHA256 ***, x'],
  [`AWS4-HMAC-SHA256 Credential=AKIAFAKE/2026, cut`, 'AWS4-HMAC-SHA256 ***'],
  [`x-amz-security-token:${TOKEN}\nx-amz-target:T`, 'x-amz-security-token:***\nx-amz-target:T'],
  [`?X-Amz-Security-Token=${encodeURIComponent(TOKEN)}&b`, '?X-Amz-Security-Token=***&b'],
  [`{"x-amz-security-token":"${TOKEN}"}`, '{"x-amz-security-token":"***"}'],
  ['Authorization: Basic dXNlcjpwYXNzd29yZA==', 'Authorization: Basic ***'],
  ["'authorization': 'Bearer abc.def'", "'authorization': 'Bearer ***'"],
  [`(/etc/${PRIVATE_KEY}): ENOENT: '/etc/${PRIVATE_KEY}' b`, "(/etc/***): ENOENT: '/etc/***' b"],
  [`(/etc/${PRIVATE_KEY.replaceAll('PRIVATE', 'RSA PRIVATE').slice(0, -40)}`, '(/etc/***'],
  [PRIVATE_KEY.replaceAll('\n', ' '), '***'],
  [`basic_auth_users.${HASH}: is too short`, 'basic_auth_users.***: is too short'],
  [`the file: does not know ${HASH.replace('$2b', '$2')}; it knows`, 'the file: does not know ***; it knows'],
])('%j becomes %j', (text, without) => {
  expect(withoutSecrets(text)).toBe(without);
});

test.each([
  'User: arn:aws:sts::123456789012:assumed-role/r/a@example.com is not authorized to perform: kinesis:PutRecords',
  'The security token included in the request is expired',
  'Credential should be scoped to correct service',
  'connect ECONNREFUSED 127.0.0.1:9501',
  'remote_write: [{url: http://localhost:9501/receive}]',
  'write to a@b.example',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  'a hash begins with $2b$10$, and has 60 characters',
])('%j stays', (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

test('what is known to be secret is told by its value', () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG';
  expect(withoutSecrets(`the key ${secret}, again ${secret}`, [secret])).toBe('the key ***, again ***');
  expect(withoutSecrets('a word is no secret', ['word', ''])).toBe('a word is no secret');
});

test.each([
  'a',
  '=',
  'x:',
  'http://',
  'AWS4-HMAC-SHA256 Credential=',
  'authorization:',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '$2b$10$',
])('a long text of %j does not take the square of its length', { timeout: 5_000 }, (part) => {
  expect(withoutSecrets(part.repeat(200_000 / part.length))).not.toBe('');
});

describe.each(['logfmt', 'json'] as const)('a line of %s', (format) => {
  test('has no secret, in whichever field', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'debug', format, secrets: [TOKEN], write: (line) => lines.push(line) });
    log.warn({ error: new Error(`x-amz-security-token:${TOKEN}`) }, `at http://user:password@host`);
    log.error({ nested: { list: [`token ${TOKEN}`] }, error: AUTHORIZATION }, 'down');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toMatch(/IQoJ|password|aaaa|AKIAFAKE/);
    expect(lines.join('').match(/\*\*\*/g)).toHaveLength(4);
  });
});
