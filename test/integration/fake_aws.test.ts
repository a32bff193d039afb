import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FakeAws, FakeAwsOptions } from '../support/fake_aws.ts';
import { startFakeFirehose } from '../support/fake_firehose.ts';
import { shardOf, startFakeKinesis } from '../support/fake_kinesis.ts';

/** The fakes are what most tests trust: what AWS refuses, they must refuse. */
interface Fake {
  readonly name: string;
  readonly service: string;
  readonly target: string;
  readonly start: (options: FakeAwsOptions) => Promise<FakeAws>;
  /** A body that is right where its records are. */
  readonly bodyOf: (...records: unknown[]) => Record<string, unknown>;
  readonly record: Readonly<Record<string, unknown>>;
  readonly anotherRecord: object;
  /** The answer to both. */
  readonly accepted: object;
  readonly ownViolations: readonly Refused[];
}

interface Refused {
  readonly title: string;
  readonly body: unknown;
  readonly type: string;
}

const DATA = 'eyJhIjoxfQo=';
const KINESIS_RECORD = { Data: DATA, PartitionKey: 'a' };
const kinesisBody = (...records: unknown[]) => ({ StreamName: 'history', Records: records });
const firehoseBody = (...records: unknown[]) => ({ DeliveryStreamName: 'history', Records: records });
/** So many bytes in base64. */
const dataOf = (bytes: number) => Buffer.alloc(bytes).toString('base64');

const FAKES: readonly Fake[] = [
  {
    name: 'Kinesis',
    service: 'kinesis',
    target: 'Kinesis_20131202.PutRecords',
    start: startFakeKinesis,
    bodyOf: kinesisBody,
    record: KINESIS_RECORD,
    anotherRecord: { ...KINESIS_RECORD, PartitionKey: 'ß'.repeat(32) },
    accepted: {
      FailedRecordCount: 0,
      Records: [{ SequenceNumber: expect.stringMatching(/^\d{56}$/) as string }, {}],
    },
    ownViolations: [
      { title: 'no stream', body: { Records: [KINESIS_RECORD] }, type: 'InvalidArgumentException' },
      {
        title: 'a name and an ARN',
        body: { ...kinesisBody(KINESIS_RECORD), StreamARN: 'arn:aws:kinesis:eu-west-1:1:stream/history' },
        type: 'InvalidArgumentException',
      },
      {
        title: 'another stream',
        body: { ...kinesisBody(KINESIS_RECORD), StreamName: 'other' },
        type: 'ResourceNotFoundException',
      },
      {
        title: 'another ARN',
        body: { StreamARN: 'arn:aws:kinesis:eu-west-1:1:stream/other', Records: [KINESIS_RECORD] },
        type: 'ResourceNotFoundException',
      },
      { title: 'no key', body: kinesisBody({ Data: DATA }), type: 'SerializationException' },
      {
        title: 'an empty key',
        body: kinesisBody({ ...KINESIS_RECORD, PartitionKey: '' }),
        type: 'ValidationException',
      },
      {
        title: 'a key of 257 characters',
        body: kinesisBody({ ...KINESIS_RECORD, PartitionKey: 'a'.repeat(257) }),
        type: 'ValidationException',
      },
      {
        title: 'a record that its key makes too long',
        body: kinesisBody({ ...KINESIS_RECORD, PartitionKey: 'a'.repeat(93) }),
        type: 'InvalidArgumentException',
      },
      {
        title: 'a call that its keys make too long',
        body: kinesisBody(...times(3, { ...KINESIS_RECORD, PartitionKey: 'a'.repeat(92) })),
        type: 'InvalidArgumentException',
      },
    ],
  },
  {
    name: 'Firehose',
    service: 'firehose',
    target: 'Firehose_20150804.PutRecordBatch',
    start: startFakeFirehose,
    bodyOf: firehoseBody,
    record: { Data: DATA },
    anotherRecord: { Data: DATA },
    accepted: { FailedPutCount: 0, RequestResponses: [{ RecordId: expect.stringMatching(/./) as string }, {}] },
    ownViolations: [
      { title: 'no stream', body: { Records: [{ Data: DATA }] }, type: 'SerializationException' },
      {
        title: 'another stream',
        body: { ...firehoseBody({ Data: DATA }), DeliveryStreamName: 'other' },
        type: 'ResourceNotFoundException',
      },
      {
        title: 'an ARN',
        body: {
          ...firehoseBody({ Data: DATA }),
          DeliveryStreamName: 'arn:aws:firehose:eu-west-1:1:deliverystream/history',
        },
        type: 'ValidationException',
      },
      { title: 'a partition key', body: firehoseBody(KINESIS_RECORD), type: 'SerializationException' },
      { title: 'a record that is too long', body: firehoseBody({ Data: dataOf(101) }), type: 'ValidationException' },
      {
        title: 'a call that is too long',
        body: firehoseBody({ Data: dataOf(100) }, { Data: dataOf(100) }, { Data: dataOf(51) }),
        type: 'InvalidArgumentException',
      },
    ],
  },
];

describe.each(FAKES)('the fake $name', (row) => {
  const { service, target, start, bodyOf, record, anotherRecord, accepted, ownViolations } = row;
  let fake: FakeAws;
  beforeEach(async () => {
    fake = await start({ stream: 'history', maxRecordBytes: 100, maxCallBytes: 250 });
  });
  afterEach(() => fake.close());

  const good = bodyOf(record);
  const signature =
    `AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/eu-west-1/${service}/aws4_request, ` +
    `SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

  async function call(
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string | null; answer: unknown }> {
    const response = await fetch(fake.url, {
      method: 'POST',
      headers: {
        authorization: signature,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-date': '20260101T000000Z',
        'x-amz-target': target,
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, type: response.headers.get('x-amzn-errortype'), answer: await response.json() };
  }

  test('accepts what is right', async () => {
    expect(await call(bodyOf(record, anotherRecord))).toMatchObject({ status: 200, answer: accepted });
    expect(fake.lines()).toEqual(['{"a":1}', '{"a":1}']);
    expect(fake.violations).toEqual([]);
  });

  test('accepts as much as its limits say', async () => {
    // A key of one character counts where there is one.
    const overhead = 'PartitionKey' in record ? 1 : 0;
    const full = [100, 100, 50].map((bytes) => ({ ...record, Data: dataOf(bytes - overhead) }));
    expect(await call(bodyOf(...full))).toMatchObject({ status: 200 });
  });

  const otherHeaders: readonly (Refused & { readonly headers: Record<string, string> })[] = [
    {
      title: 'another operation',
      headers: { 'x-amz-target': target.replace(/\.\w+$/, '.PutRecord') },
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
      headers: { authorization: signature.replace(`/${service}/`, '/s3/') },
      type: 'InvalidSignatureException',
    },
    {
      title: 'a signature without the length',
      headers: { authorization: signature.replace('content-length;', '') },
      type: 'InvalidSignatureException',
    },
  ].map((refused) => ({ body: good, ...refused }));

  const otherBodies: readonly Refused[] = [
    { title: 'no JSON', body: '{', type: 'SerializationException' },
    { title: 'no object', body: 'null', type: 'SerializationException' },
    { title: 'an unknown field', body: { ...good, Streamname: 'history' }, type: 'SerializationException' },
    { title: 'no list', body: { ...good, Records: undefined }, type: 'SerializationException' },
    { title: 'no records', body: bodyOf(), type: 'ValidationException' },
    { title: '501 records', body: bodyOf(...times(501, { ...record, Data: '' })), type: 'ValidationException' },
    { title: 'no record', body: bodyOf(null), type: 'SerializationException' },
    { title: 'no data', body: bodyOf({ ...record, Data: undefined }), type: 'SerializationException' },
    {
      title: 'an unknown field of a record',
      body: bodyOf({ ...record, ExplicitHashKey: '1' }),
      type: 'SerializationException',
    },
    {
      title: 'base64 without padding',
      body: bodyOf({ ...record, Data: 'eyJhIjoxfQo' }),
      type: 'SerializationException',
    },
    { title: 'base64 for URLs', body: bodyOf({ ...record, Data: '-_==' }), type: 'SerializationException' },
  ];

  test.each([...otherHeaders, ...[...otherBodies, ...ownViolations].map((refused) => ({ ...refused, headers: {} }))])(
    'refuses $title',
    async ({ body, headers, type }) => {
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

function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value);
}
