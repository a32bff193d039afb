import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shardOf, startFakeKinesis, type FakeKinesis } from '../support/fake_kinesis.ts';

/** The fake is what most tests trust: what Kinesis refuses, it must refuse. */
let fake: FakeKinesis;
beforeEach(async () => {
  fake = await startFakeKinesis({ stream: 'history', maxRecordBytes: 100, maxCallBytes: 250 });
});
afterEach(() => fake.close());

const SIGNATURE =
  'AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/eu-west-1/kinesis/aws4_request, ' +
  `SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

const HEADERS = {
  authorization: SIGNATURE,
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-date': '20260101T000000Z',
  'x-amz-target': 'Kinesis_20131202.PutRecords',
};

const RECORD = { Data: 'eyJhIjoxfQo=', PartitionKey: 'a' };
const records = (count: number, record: object = RECORD) => Array.from({ length: count }, () => record);

async function call(
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string | null; answer: unknown }> {
  const response = await fetch(fake.url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, type: response.headers.get('x-amzn-errortype'), answer: await response.json() };
}

test('accepts what is right', async () => {
  const { status, answer } = await call({
    StreamName: 'history',
    Records: [RECORD, { ...RECORD, PartitionKey: 'ß'.repeat(32) }],
  });
  expect(status).toBe(200);
  expect(answer).toMatchObject({
    FailedRecordCount: 0,
    Records: [{ SequenceNumber: expect.stringMatching(/^\d{56}$/) as string }, {}],
  });
  expect(fake.lines()).toEqual(['{"a":1}', '{"a":1}']);
  expect(fake.violations).toEqual([]);
});

describe('refuses', () => {
  const good = { StreamName: 'history', Records: [RECORD] };
  test.each([
    {
      title: 'another operation',
      headers: { 'x-amz-target': 'Kinesis_20131202.PutRecord' },
      type: 'UnknownOperationException',
    },
    {
      title: 'another content type',
      headers: { 'content-type': 'application/json' },
      type: 'UnknownOperationException',
    },
    { title: 'no signature', headers: { authorization: 'Basic eDp5' }, type: 'MissingAuthenticationTokenException' },
    {
      title: 'a signature of another service',
      headers: { authorization: SIGNATURE.replace('/kinesis/', '/firehose/') },
      type: 'InvalidSignatureException',
    },
    {
      title: 'a signature without the length',
      headers: { authorization: SIGNATURE.replace('content-length;', '') },
      type: 'InvalidSignatureException',
    },
    { title: 'no JSON', body: '{', type: 'SerializationException' },
    { title: 'no object', body: 'null', type: 'SerializationException' },
    { title: 'an unknown field', body: { ...good, Streamname: 'history' }, type: 'SerializationException' },
    { title: 'no stream', body: { Records: [RECORD] }, type: 'InvalidArgumentException' },
    { title: 'another stream', body: { ...good, StreamName: 'other' }, type: 'ResourceNotFoundException' },
    {
      title: 'another ARN',
      body: { StreamARN: 'arn:aws:kinesis:eu-west-1:1:stream/other', Records: [RECORD] },
      type: 'ResourceNotFoundException',
    },
    { title: 'no list', body: { StreamName: 'history' }, type: 'SerializationException' },
    { title: 'no records', body: { ...good, Records: [] }, type: 'ValidationException' },
    {
      title: '501 records',
      body: { ...good, Records: records(501, { Data: '', PartitionKey: 'a' }) },
      type: 'ValidationException',
    },
    { title: 'no data', body: { ...good, Records: [{ PartitionKey: 'a' }] }, type: 'SerializationException' },
    {
      title: 'base64 without padding',
      body: { ...good, Records: [{ ...RECORD, Data: 'eyJhIjoxfQo' }] },
      type: 'SerializationException',
    },
    {
      title: 'base64 for URLs',
      body: { ...good, Records: [{ ...RECORD, Data: '-_==' }] },
      type: 'SerializationException',
    },
    {
      title: 'an empty key',
      body: { ...good, Records: [{ ...RECORD, PartitionKey: '' }] },
      type: 'ValidationException',
    },
    {
      title: 'a key of 257 characters',
      body: { ...good, Records: [{ ...RECORD, PartitionKey: 'a'.repeat(257) }] },
      type: 'ValidationException',
    },
    {
      title: 'a record that its key makes too long',
      body: { ...good, Records: [{ ...RECORD, PartitionKey: 'a'.repeat(93) }] },
      type: 'InvalidArgumentException',
    },
    {
      title: 'a call that is too long',
      body: { ...good, Records: records(3, { ...RECORD, PartitionKey: 'a'.repeat(92) }) },
      type: 'InvalidArgumentException',
    },
  ])(
    '$title',
    async ({ body = good, headers, type }: { body?: unknown; headers?: Record<string, string>; type: string }) => {
      expect(await call(body, headers)).toMatchObject({ status: 400, type, answer: { __type: type } });
      expect(fake.violations).toHaveLength(1);
      expect(fake.records).toEqual([]);
    },
  );
});

test('shards share the range of MD5', () => {
  // MD5 of "a" starts with 0cc175b9, of "b" with 92eb5ffe, of "c" with 4a8a08f0.
  expect(['a', 'b', 'c'].map((key) => shardOf(key, 4))).toEqual([0, 2, 1]);
  expect(['a', 'b', 'c'].map((key) => shardOf(key, 1))).toEqual([0, 0, 0]);
});
