import { Readable } from 'node:stream';
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, test } from 'vitest';
import { openOperation } from '../../../src/sinks/aws_operation.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from '../../support/aws_env.ts';

/** A call that goes the short way must be the call that the SDK makes: the same request, the same error. */
useFakeAwsEnvironment();

const REGION = 'eu-west-1';
const ARN = `arn:aws:kinesis:${REGION}:123456789012:stream/history`;
const GOOD = { statusCode: 200, text: '{"FailedRecordCount":0}' };

interface Seen {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface Answer {
  readonly statusCode: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Stands in the place of HTTP, and answers as told; an error is thrown. */
class CannedHandler {
  readonly seen: Seen[] = [];
  answer: Answer | Error = GOOD;

  handle(request: Seen) {
    this.seen.push(request);
    const { answer } = this;
    if (answer instanceof Error) return Promise.reject(answer);
    const body = Readable.from([Buffer.from(answer.text)]);
    return Promise.resolve({ response: { statusCode: answer.statusCode, headers: { ...answer.headers }, body } });
  }
}

interface Settings {
  readonly stream: string;
  readonly endpoint?: string;
  readonly credentials: object;
}

/** The operation, and the same call as the SDK makes it. */
async function openKinesis({ stream, ...settings }: Settings) {
  const handler = new CannedHandler();
  const client = new KinesisClient({ region: REGION, maxAttempts: 1, ...settings, requestHandler: handler } as object);
  const field = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  const newCommand = () => new PutRecordsCommand({ ...field, Records: [] });
  const operation = await openOperation(client, (prepare, options) => client.send(prepare(newCommand()), options), '');
  const plain = new KinesisClient({ region: REGION, maxAttempts: 1, ...settings, requestHandler: handler } as object);
  return { handler, operation, sendPlainly: () => plain.send(newCommand()) };
}

async function openFirehose({ stream, ...settings }: Settings) {
  const handler = new CannedHandler();
  const client = new FirehoseClient({ region: REGION, maxAttempts: 1, ...settings, requestHandler: handler } as object);
  const newCommand = () => new PutRecordBatchCommand({ DeliveryStreamName: stream, Records: [] });
  const operation = await openOperation(client, (prepare, options) => client.send(prepare(newCommand()), options), '');
  const plain = new FirehoseClient({ region: REGION, maxAttempts: 1, ...settings, requestHandler: handler } as object);
  return { handler, operation, sendPlainly: () => plain.send(newCommand()) };
}

const { signal } = new AbortController();
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A request without what each has of its own. */
function sameOf({ method, protocol, hostname, port, path, headers }: Seen): object {
  const {
    'amz-sdk-invocation-id': id,
    'content-length': length,
    'x-amz-content-sha256': hash,
    'x-amz-date': date,
    authorization = '',
    ...rest
  } = headers;
  for (const own of [id, length, hash, date]) expect(own).toBeDefined();
  const signedBy = authorization.replace(/[0-9a-f]{64}$/, '');
  return { method, protocol, hostname, port, path, headers: { ...rest, signedBy } };
}

async function errorOf(call: Promise<unknown>): Promise<object> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  const { name, message, cause, $metadata, ...rest } = error as Error & { $metadata?: object };
  // Attempts are the retries' own, which the short way has none of.
  return { name, message, cause, $metadata: { ...$metadata, attempts: 1, totalRetryDelay: 0 }, ...rest };
}

const ACCOUNT = { ...FAKE_CREDENTIALS, accountId: '210987654321' };

describe.each([
  { title: 'a stream by name', open: openKinesis, stream: 'history', credentials: FAKE_CREDENTIALS },
  { title: 'a stream by ARN', open: openKinesis, stream: ARN, credentials: FAKE_CREDENTIALS },
  { title: 'credentials with an account', open: openKinesis, stream: 'history', credentials: ACCOUNT },
  { title: 'an ARN and an account', open: openKinesis, stream: ARN, credentials: ACCOUNT },
  { title: 'a session', open: openKinesis, stream: 'a', credentials: { ...FAKE_CREDENTIALS, sessionToken: 'token' } },
  {
    title: 'a custom endpoint',
    open: openKinesis,
    stream: ARN,
    credentials: ACCOUNT,
    endpoint: 'http://aws.test:81/a',
  },
  { title: 'Firehose', open: openFirehose, stream: 'history', credentials: FAKE_CREDENTIALS },
])('calls with $title', ({ open, ...settings }) => {
  test('are those of the SDK', async () => {
    const { handler, operation, sendPlainly } = await open(settings);
    await sendPlainly();
    for (let call = 0; call < 3; call++) {
      const answer = await operation.exchange(bytesOf(`body ${'x'.repeat(call)}`), signal);
      expect(Buffer.from(answer).toString()).toBe(GOOD.text);
    }
    const [plain, ...ours] = handler.seen;
    for (const [call, request] of ours.entries()) {
      expect(sameOf(request)).toEqual(sameOf(plain!));
      expect(Buffer.from(request.body).toString()).toBe(`body ${'x'.repeat(call)}`);
      expect(request.headers['content-length']).toBe(String(5 + call));
    }
    for (const own of ['amz-sdk-invocation-id', 'x-amz-content-sha256', 'authorization'])
      expect(new Set(ours.map(({ headers }) => headers[own])).size).toBe(3);
  });

  test.each<{ title: string; answer: Answer | Error }>([
    { title: 'an error', answer: { statusCode: 400, text: '{"__type":"ResourceNotFoundException","message":"no"}' } },
    { title: 'an error of no kind', answer: { statusCode: 500, text: '<html>' } },
    { title: 'an error without a word', answer: { statusCode: 503, text: '' } },
    { title: 'a redirect', answer: { statusCode: 302, text: '', headers: { location: 'http://aws.test' } } },
    { title: 'a reset', answer: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) },
  ])('fail as those of the SDK: $title', async ({ answer }) => {
    const { handler, operation, sendPlainly } = await open(settings);
    handler.answer = answer;
    const plain = await errorOf(sendPlainly());
    expect(await errorOf(operation.exchange(bytesOf('first'), signal))).toEqual(plain);
    expect(await errorOf(operation.exchange(bytesOf('second'), signal))).toEqual(plain);
    handler.answer = GOOD;
    await operation.exchange(bytesOf('third'), signal);
    expect(handler.seen.length).toBe(4);
  });
});

test('a call with new credentials goes to the host of their account', async () => {
  const accounts = ['111111111111', '222222222222'];
  const credentials = () => Promise.resolve({ ...FAKE_CREDENTIALS, accountId: accounts.shift() });
  const { handler, operation } = await openKinesis({ stream: 'history', credentials });
  await operation.exchange(bytesOf('one'), signal);
  handler.answer = { statusCode: 400, text: '{"__type":"ExpiredTokenException"}' };
  await errorOf(operation.exchange(bytesOf('two'), signal));
  handler.answer = GOOD;
  await operation.exchange(bytesOf('three'), signal);
  expect(handler.seen.map(({ hostname }) => hostname.split('.', 1)[0])).toEqual([
    '111111111111',
    '111111111111',
    '222222222222',
  ]);
});

test("a wrong clock is set by the service's", async () => {
  const { handler, operation } = await openKinesis({ stream: 'history', credentials: FAKE_CREDENTIALS });
  await operation.exchange(bytesOf('one'), signal);
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  handler.answer = { statusCode: 400, text: '{"__type":"RequestTimeTooSkewed"}', headers: { date } };
  await errorOf(operation.exchange(bytesOf('two'), signal));
  await operation.exchange(bytesOf('three'), signal).catch(() => undefined);
  const [, early, late] = handler.seen.map(({ headers }) => Number(headers['x-amz-date']!.replace(/\D/g, '')));
  // Digits of the time without a separator: an hour later is 10,000 more, or more where a day ends.
  expect(late! - early!).toBeGreaterThanOrEqual(9_900);
});
