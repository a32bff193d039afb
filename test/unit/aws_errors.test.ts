import { describe, expect, test } from 'vitest';
import { classifyAwsError, recordFailureOf, sinkErrorOf } from '../../src/aws_errors.ts';

const TARGET = {
  name: 'stream history',
  region: 'eu-west-1',
  option: '--stream-name (STREAM_NAME)',
  action: 'kinesis:PutRecords',
  keyMend: 'allow kms:GenerateDataKey on it',
};

/** An error as the SDK throws it. */
function thrown(name: string, { code, status }: { code?: string; status?: number } = {}): Error {
  return Object.assign(new Error('a message\n  and a hint'), { name, code, $metadata: { httpStatusCode: status } });
}

/** An error as AWS answers it. */
function answered(name: string, fields: { code?: string; message?: string } = {}): Error {
  return Object.assign(thrown(name, { status: 400 }), { $fault: 'client', ...fields });
}

describe('an error of the SDK is', () => {
  test.each([
    {
      title: 'a reset in the middle of a good answer',
      error: thrown('Error', { code: 'ECONNRESET', status: 200 }),
      is: ['transient', 'ECONNRESET'],
    },
    { title: 'a broken pipe', error: thrown('Error', { code: 'EPIPE' }), is: ['transient', 'EPIPE'] },
    {
      title: 'a name server that is away',
      error: thrown('Error', { code: 'EAI_AGAIN' }),
      is: ['transient', 'EAI_AGAIN'],
    },
    { title: 'a connection that takes too long', error: thrown('TimeoutError'), is: ['transient', 'TimeoutError'] },
    {
      title: 'an untrusted certificate',
      error: thrown('Error', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      is: ['down', 'SELF_SIGNED_CERT_IN_CHAIN'],
    },
    {
      title: 'a certificate of another host',
      error: thrown('Error', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
      is: ['down', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    },
    {
      title: 'no TLS, on Node 24',
      error: thrown('Error', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
      is: ['down', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    },
    { title: 'an ARN of another partition', error: thrown('EndpointError'), is: ['down', 'EndpointError'] },
    {
      title: 'an unknown name with a status',
      error: thrown('GremlinsException', { status: 400 }),
      is: ['refused', 'GremlinsException'],
    },
    {
      title: "a key that can't be used, with a field that is called code",
      error: answered('InvalidKMSResourceException', { code: 'ThrottlingException' }),
      is: ['down', 'InvalidKMSResourceException'],
    },
    {
      title: 'a delivery stream that reads a Kinesis stream',
      error: answered('InvalidArgumentException', {
        message: 'This operation is not permitted on KinesisStreamAsSource delivery stream type.',
      }),
      is: ['down', 'InvalidArgumentException'],
    },
    {
      title: 'another argument that is none',
      error: answered('InvalidArgumentException', { message: 'Records size exceeds 4 MB limit' }),
      is: ['refused', 'InvalidArgumentException'],
    },
    { title: 'an unknown code of Node', error: thrown('Error', { code: 'EGREMLINS' }), is: ['transient', 'EGREMLINS'] },
    { title: 'a bug', error: new TypeError('x is not a function'), is: ['transient', 'TypeError'] },
    {
      title: 'a name that objects have too',
      error: thrown('constructor', { status: 500 }),
      is: ['transient', 'constructor'],
    },
    { title: 'a string', error: 'boo', is: ['transient', 'UnknownError'] },
    { title: 'nothing', error: undefined, is: ['transient', 'UnknownError'] },
  ])('$is: $title', ({ error, is }) => {
    const { failure, code } = classifyAwsError(error);
    expect([failure, code]).toEqual(is);
  });
});

test.each([
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['ServiceUnavailableException', 'throttled'],
  ['InternalFailure', 'transient'],
  // One record's share of a call; the call that follows tells whether it stays.
  ['AccessDeniedException', 'transient'],
  ['Gremlins', 'transient'],
])('a record with %s is %s', (code, failure) => {
  expect(recordFailureOf(code)).toBe(failure);
});

describe('the error of the sink', () => {
  test('says what failed, and what to do', () => {
    const error = thrown('ResourceNotFoundException', { status: 400 });
    expect(sinkErrorOf(error, TARGET, false)).toMatchObject({
      failure: 'down',
      code: 'ResourceNotFoundException',
      message: 'kinesis:PutRecords on stream history: ResourceNotFoundException: a message',
      mend: 'create stream history in eu-west-1, or correct --stream-name (STREAM_NAME) or --region (AWS_REGION)',
      cause: error,
    });
  });

  test.each([
    ['KMSDisabledException', 'enable the KMS key that encrypts stream history, and allow kms:GenerateDataKey on it'],
    ['InvalidKMSResourceException', 'enable the KMS key that encrypts stream history, and allow kms:GenerateDataKey'],
    ['InvalidSourceException', 'a delivery stream whose source is Direct PUT and that does not decompress CloudWatch'],
  ])('says what to do about %s', (name, mend) => {
    expect(sinkErrorOf(answered(name), TARGET, false).mend).toContain(mend);
  });

  test('gives the SDK time to mend what it can', () => {
    const error = thrown('ExpiredTokenException', { status: 400 });
    expect(sinkErrorOf(error, TARGET, false)).toMatchObject({ failure: 'transient', mend: undefined });
    expect(sinkErrorOf(error, TARGET, true)).toMatchObject({
      failure: 'down',
      mend: expect.stringContaining('renew') as string,
    });
  });

  test('stays what it is where there is nothing to mend', () => {
    expect(sinkErrorOf(thrown('Throttling', { status: 400 }), TARGET, true)).toMatchObject({
      failure: 'throttled',
      mend: undefined,
    });
  });
});
