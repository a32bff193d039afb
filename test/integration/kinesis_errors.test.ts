import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConfigError, SinkError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { openKinesisSink, type KinesisSinkOptions } from '../../src/sinks/kinesis.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../support/aws_env.ts';
import { startFakeKinesis, type Behaviour, type FakeKinesis } from '../support/fake_kinesis.ts';
import { batchOf } from '../support/lines.ts';

useFakeAwsEnvironment();

const STREAM = 'history';
const REGION = 'eu-west-1';
const LINES = ['{"line":0}', '{"line":1}', '{"line":2}'];

let fake: FakeKinesis;
let logged: string[];
beforeEach(async () => {
  logged = [];
  fake = await startFakeKinesis({ stream: STREAM, secretAccessKey: FAKE_CREDENTIALS.secretAccessKey });
});
afterEach(async () => {
  await fake.close();
  expect(fake.violations).toEqual([]);
  expect(logged).toEqual([]);
});

async function open(options: Partial<KinesisSinkOptions> = {}): Promise<Sink> {
  const log = createLog({ level: 'debug', format: 'logfmt', write: (line) => void logged.push(line) });
  const sink = await openKinesisSink({ stream: STREAM, region: REGION, endpointUrl: fake.url, log, ...options });
  onTestFinished(() => sink.close());
  return sink;
}

const send = (sink: Sink, signal = new AbortController().signal) => sink.send(batchOf(LINES), signal);

/** The error that a call fails with. */
async function failureOf(call: Promise<unknown>): Promise<SinkError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SinkError);
  return error as SinkError;
}

function error(status: number, type: string, message?: string): Behaviour {
  return { kind: 'error', status, type, ...(message === undefined ? {} : { message }) };
}

const THROTTLED = [
  error(400, 'ProvisionedThroughputExceededException', 'Rate exceeded for stream history'),
  error(400, 'ThrottlingException'),
  error(400, 'Throttling'),
  error(400, 'RequestLimitExceeded'),
  error(400, 'LimitExceededException'),
  error(400, 'KMSThrottlingException'),
  error(503, 'ServiceUnavailable'),
  error(503, 'ServiceUnavailableException'),
  error(429, 'TooManyRequestsException'),
  error(429, 'Unheard'),
];

const TRANSIENT = [
  error(500, 'InternalFailureException'),
  error(500, 'InternalFailure'),
  error(500, 'Unheard'),
  error(502, 'BadGateway'),
  error(408, 'RequestTimeoutException'),
  error(400, 'ExpiredTokenException'),
  error(403, 'RequestTimeTooSkewed'),
  error(403, 'InvalidSignatureException'),
];

const DOWN = [
  { behaviour: error(400, 'ResourceNotFoundException'), mend: 'create stream history in eu-west-1' },
  { behaviour: error(400, 'AccessDeniedException'), mend: 'allow kinesis:PutRecords on stream history' },
  { behaviour: error(400, 'UnrecognizedClientException'), mend: 'give valid AWS credentials' },
  { behaviour: error(400, 'MissingAuthenticationTokenException'), mend: 'give valid AWS credentials' },
  { behaviour: error(400, 'KMSAccessDeniedException'), mend: 'KMS key' },
  { behaviour: error(400, 'KMSDisabledException'), mend: 'KMS key' },
  { behaviour: error(400, 'KMSInvalidStateException'), mend: 'KMS key' },
  { behaviour: error(400, 'KMSNotFoundException'), mend: 'KMS key' },
  { behaviour: error(400, 'KMSOptInRequired'), mend: 'KMS key' },
  { behaviour: error(400, 'UnknownOperationException'), mend: '--endpoint-url' },
  { behaviour: error(404, 'Unheard'), mend: '--endpoint-url' },
];

const REFUSED = [
  error(400, 'InvalidArgumentException'),
  error(400, 'ValidationException'),
  error(400, 'SerializationException'),
  error(413, 'RequestEntityTooLarge'),
  error(400, 'Unheard'),
];

describe('a call that fails as a whole', () => {
  test.each([
    ...THROTTLED.map((behaviour) => ({ behaviour, failure: 'throttled', mend: undefined })),
    ...TRANSIENT.map((behaviour) => ({ behaviour, failure: 'transient', mend: undefined })),
    ...DOWN.map((row) => ({ ...row, failure: 'down' })),
    ...REFUSED.map((behaviour) => ({ behaviour, failure: 'refused', mend: undefined })),
  ] as const)('is $failure: $behaviour.status $behaviour.type', async ({ behaviour, failure, mend }) => {
    fake.script(behaviour);
    const thrown = await failureOf(send(await open()));
    expect(thrown).toMatchObject({ failure, code: (behaviour as { type: string }).type });
    expect(thrown.mend).toEqual(mend === undefined ? undefined : expect.stringContaining(mend));
    expect(thrown.message).toContain('kinesis:PutRecords on stream history');
    // The SDK tried once.
    expect(fake.calls.length).toBe(1);
    expect(fake.lines()).toEqual([]);
  });

  test.each([
    {
      title: 'a gateway page',
      behaviour: { kind: 'raw', status: 502, body: '<html>' },
      failure: 'transient',
      code: 'HTTP 502',
    },
    {
      title: '503 without a word',
      behaviour: { kind: 'raw', status: 503, body: '' },
      failure: 'transient',
      code: 'HTTP 503',
    },
    {
      title: '413 without a word',
      behaviour: { kind: 'raw', status: 413, body: '' },
      failure: 'refused',
      code: 'HTTP 413',
    },
    {
      title: '429 without a word',
      behaviour: { kind: 'raw', status: 429, body: '' },
      failure: 'throttled',
      code: 'HTTP 429',
    },
    {
      title: "a proxy's login",
      behaviour: { kind: 'raw', status: 403, body: '<html>' },
      failure: 'down',
      code: 'HTTP 403',
    },
    { title: 'a redirect', behaviour: { kind: 'raw', status: 302, body: '' }, failure: 'down', code: 'HTTP 302' },
    {
      title: 'no answer, a reset',
      behaviour: { kind: 'reset', accepted: false },
      failure: 'transient',
      code: 'ECONNRESET',
    },
    {
      title: 'no answer, a reset after',
      behaviour: { kind: 'reset', accepted: true },
      failure: 'transient',
      code: 'ECONNRESET',
    },
    {
      title: 'half an answer, a reset',
      behaviour: { kind: 'half', then: 'reset' },
      failure: 'transient',
      code: 'ECONNRESET',
    },
    {
      title: 'an answer that is not JSON',
      behaviour: { kind: 'raw', status: 200, body: 'OK' },
      failure: 'transient',
      code: 'MalformedAnswer',
    },
    {
      title: 'an empty answer',
      behaviour: { kind: 'raw', status: 200, body: '' },
      failure: 'transient',
      code: 'MalformedAnswer',
    },
    {
      title: 'too few entries',
      behaviour: { kind: 'entries', count: 2 },
      failure: 'transient',
      code: 'MalformedAnswer',
    },
  ] as const)('is $failure: $title', async ({ behaviour, failure, code }) => {
    fake.script(behaviour);
    const sink = await open();
    expect(await failureOf(send(sink))).toMatchObject({ failure, code });
    // The sink goes on as if nothing had been.
    expect(await send(sink)).toEqual([]);
    expect(fake.calls.length).toBe(2);
  });
});

describe('a call that gets no answer', () => {
  test('times out', async () => {
    fake.script(() => new Promise(() => undefined));
    const sink = await open({ requestTimeoutMs: 100 });
    expect(await failureOf(send(sink))).toMatchObject({ failure: 'transient', code: 'ETIMEDOUT' });
  });

  test('times out in the middle of the answer', async () => {
    fake.script({ kind: 'half', then: 'silence' });
    const sink = await open({ requestTimeoutMs: 100 });
    expect(await failureOf(send(sink))).toMatchObject({ failure: 'transient', code: 'TimeoutError' });
  });

  test('is transient when nobody listens', async () => {
    const gone = await startFakeKinesis();
    await gone.close();
    const sink = await open({ endpointUrl: gone.url });
    expect(await failureOf(send(sink))).toMatchObject({ failure: 'transient', code: 'ECONNREFUSED' });
  });

  test('is transient when the name is unknown', async () => {
    const sink = await open({ endpointUrl: 'http://kinesis.invalid' });
    expect(await failureOf(send(sink))).toMatchObject({
      failure: 'transient',
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as string,
    });
  });

  test('is down when the endpoint speaks no TLS', async () => {
    const sink = await open({ endpointUrl: fake.url.replace('http:', 'https:') });
    const thrown = await failureOf(send(sink));
    // EPROTO up to Node 20, ERR_SSL_… from then on.
    expect(thrown).toMatchObject({ failure: 'down', code: expect.stringMatching(/^(EPROTO|ERR_SSL_)/) as string });
    expect(thrown.mend).toContain('NODE_EXTRA_CA_CERTS');
  });
});

describe('records that are not accepted', () => {
  test('are named by their index', async () => {
    const codes = ['ProvisionedThroughputExceededException', undefined, 'InternalFailure'];
    fake.script({ kind: 'codes', codes });
    expect(await send(await open())).toEqual([
      { index: 0, failure: 'throttled', code: codes[0], message: expect.stringContaining(codes[0]!) as string },
      { index: 2, failure: 'transient', code: codes[2], message: expect.stringContaining(codes[2]!) as string },
    ]);
    expect(fake.lines()).toEqual([LINES[1]]);
  });

  test('are what a shard has no room for', async () => {
    const narrow = await startFakeKinesis({ shards: 1, shardLimits: { recordsPerSecond: 2, bytesPerSecond: 1_000 } });
    onTestFinished(() => narrow.close());
    const sink = await open({ endpointUrl: narrow.url });
    expect(await send(sink)).toMatchObject([{ index: 2, failure: 'throttled' }]);
    expect(narrow.lines()).toEqual(LINES.slice(0, 2));
  });
});

describe('an aborted call', () => {
  test('ends at once while it waits for its answer', async () => {
    fake.script(() => new Promise(() => undefined));
    const aborter = new AbortController();
    const call = failureOf(send(await open(), aborter.signal));
    await fake.arrived(1);
    aborter.abort();
    expect(await call).toMatchObject({ failure: 'transient', code: 'AbortError' });
  });

  test('ends at once while credentials are fetched', async () => {
    const server = await startCredentials(() => undefined);
    const aborter = new AbortController();
    const asked = once(server, 'request');
    const call = failureOf(send(await open(), aborter.signal));
    await asked;
    aborter.abort();
    expect(await call).toMatchObject({ failure: 'transient', code: 'AbortError' });
    expect(fake.calls).toEqual([]);
  });
});

describe('credentials', () => {
  test('that are missing mean down', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    onTestFinished(restoreCredentials);
    const thrown = await failureOf(send(await open()));
    expect(thrown).toMatchObject({ failure: 'down', code: 'CredentialsProviderError' });
    expect(thrown.mend).toContain('give valid AWS credentials');
  });

  test('that expired are fetched anew', async () => {
    let generation = 0;
    await startCredentials(() => ({ ...FAKE_CREDENTIALS, accessKeyId: `KEY${++generation}` }));
    fake.script(error(400, 'ExpiredTokenException'));
    const sink = await open();
    expect(await failureOf(send(sink))).toMatchObject({ failure: 'transient', code: 'ExpiredTokenException' });
    expect(await send(sink)).toEqual([]);
    expect(fake.calls.map(({ accessKeyId }) => accessKeyId)).toEqual(['KEY1', 'KEY2']);
  });

  test('that stay expired mean down, until a call succeeds', async () => {
    const sink = await open();
    const failures = async (count: number) => {
      fake.script(...Array.from({ length: count }, () => error(400, 'ExpiredTokenException')));
      const seen = [];
      for (let call = 0; call < count; call++) seen.push((await failureOf(send(sink))).failure);
      return seen;
    };
    const patient = Array.from({ length: sink.limits.maxCallsInFlight }, () => 'transient');
    expect(await failures(patient.length + 1)).toEqual([...patient, 'down']);
    expect(await send(sink)).toEqual([]);
    expect(await failures(1)).toEqual(['transient']);
  });

  test('of another secret are told by the fake', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another secret');
    onTestFinished(restoreCredentials);
    const strict = await startFakeKinesis({ secretAccessKey: FAKE_CREDENTIALS.secretAccessKey });
    onTestFinished(() => strict.close());
    const thrown = await failureOf(send(await open({ endpointUrl: strict.url })));
    expect(thrown).toMatchObject({ failure: 'transient', code: 'InvalidSignatureException' });
  });
});

describe('opening', () => {
  test('needs a region', async () => {
    await expect(open({ region: undefined })).rejects.toThrow(
      'no AWS region for the stream: Region is missing; give --region (AWS_REGION), such as us-east-1',
    );
    await expect(open({ region: 'no region' })).rejects.toBeInstanceOf(ConfigError);
  });

  test('takes the region of the environment', async () => {
    vi.stubEnv('AWS_REGION', 'ap-south-1');
    onTestFinished(() => void vi.stubEnv('AWS_REGION', undefined));
    fake.script(error(400, 'ResourceNotFoundException'));
    expect((await failureOf(send(await open({ region: undefined })))).mend).toContain('in ap-south-1');
  });

  test('takes an ARN', async () => {
    const arn = `arn:aws:kinesis:${REGION}:123456789012:stream/${STREAM}`;
    expect(await send(await open({ stream: arn }))).toEqual([]);
    expect(fake.calls).toMatchObject([{ stream: arn, records: 3 }]);
  });
});

describe('calls at once', () => {
  test('share connections', async () => {
    const sink = await open();
    for (let call = 0; call < 5; call++) await send(sink);
    expect(fake.connections).toBe(1);
    await Promise.all(Array.from({ length: 30 }, () => send(sink)));
    expect(fake.connections).toBeLessThanOrEqual(sink.limits.maxCallsInFlight);
  });

  test('may share a signal', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    onTestFinished(() => {
      warn.mockRestore();
    });
    const sink = await open();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: sink.limits.maxCallsInFlight }, () => send(sink, signal)));
    expect(warn).not.toHaveBeenCalled();
  });
});

function restoreCredentials(): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', FAKE_CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', FAKE_CREDENTIALS.secretAccessKey);
}

/** Has the SDK fetch its credentials from a server, as in a container. One that answers undefined does not answer. */
async function startCredentials(next: () => typeof FAKE_CREDENTIALS | undefined): Promise<Server> {
  const server = createServer((_, response) => {
    const credentials = next();
    if (!credentials) return;
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = credentials;
    response.setHeader('content-type', 'application/json');
    const Expiration = '2099-01-01T00:00:00Z';
    response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: 'token', Expiration }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', undefined);
    restoreCredentials();
  });
  return server;
}
