import { describe, expect, test } from 'vitest';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import {
  AWS_SERVICES,
  error,
  failureOf,
  REGION,
  sendLines,
  useService,
  type AwsService,
} from '../support/aws_services.ts';

useFakeAwsEnvironment();

const THROTTLED = [
  error(400, 'ProvisionedThroughputExceededException', 'Rate exceeded for stream history'),
  error(400, 'ThrottlingException'),
  error(400, 'Throttling'),
  error(400, 'ThrottledException'),
  error(400, 'RequestThrottled'),
  error(400, 'RequestLimitExceeded'),
  error(400, 'LimitExceededException'),
  error(400, 'KMSThrottlingException'),
  error(503, 'ServiceUnavailable'),
  error(503, 'ServiceUnavailableException', 'Slow down.'),
  error(503, 'SlowDown'),
  error(429, 'TooManyRequestsException'),
  error(429, 'Unheard'),
];

const TRANSIENT = [
  error(500, 'InternalFailureException'),
  error(500, 'InternalFailure'),
  error(500, 'InternalError'),
  error(500, 'InternalServerError'),
  error(500, 'Unheard'),
  error(502, 'BadGateway'),
  error(408, 'RequestTimeoutException'),
  error(400, 'ResourceInUseException'),
  error(400, 'ExpiredTokenException'),
  error(400, 'RequestExpired'),
  error(403, 'RequestInTheFuture'),
  error(403, 'RequestTimeTooSkewed'),
  error(403, 'InvalidSignatureException'),
  error(403, 'SignatureDoesNotMatch'),
];

const KMS_KEY = ({ target, keyMend }: AwsService) => `enable the KMS key that encrypts ${target}, and ${keyMend}`;
const PERMISSION = ({ action, target }: AwsService) => `allow ${action} on ${target}`;
const CREDENTIALS = () => 'give valid AWS credentials';
const ENDPOINT = () => '--endpoint-url';

const DOWN = [
  {
    behaviour: error(400, 'ResourceNotFoundException'),
    mend: ({ target }: AwsService) => `create ${target} in ${REGION}`,
  },
  { behaviour: error(400, 'AccessDeniedException'), mend: PERMISSION },
  { behaviour: error(400, 'NotAuthorized'), mend: PERMISSION },
  { behaviour: error(400, 'UnrecognizedClientException'), mend: CREDENTIALS },
  { behaviour: error(400, 'MissingAuthenticationTokenException'), mend: CREDENTIALS },
  { behaviour: error(400, 'IncompleteSignature'), mend: CREDENTIALS },
  { behaviour: error(403, 'InvalidClientTokenId'), mend: CREDENTIALS },
  { behaviour: error(403, 'OptInRequired'), mend: CREDENTIALS },
  { behaviour: error(400, 'KMSAccessDeniedException'), mend: KMS_KEY },
  { behaviour: error(400, 'KMSDisabledException'), mend: KMS_KEY },
  { behaviour: error(400, 'KMSInvalidStateException'), mend: KMS_KEY },
  { behaviour: error(400, 'KMSNotFoundException'), mend: KMS_KEY },
  { behaviour: error(400, 'KMSOptInRequired'), mend: KMS_KEY },
  { behaviour: error(400, 'UnknownOperationException'), mend: ENDPOINT },
  { behaviour: error(404, 'Unheard'), mend: ENDPOINT },
];

const REFUSED = [
  error(400, 'InvalidArgumentException'),
  error(400, 'ValidationException'),
  error(400, 'ValidationError'),
  error(400, 'SerializationException'),
  error(413, 'RequestEntityTooLarge'),
  error(400, 'Unheard'),
];

describe.each(AWS_SERVICES)('a call of $name that fails as a whole', (service) => {
  const aws = useService(service);

  test.each([
    ...THROTTLED.map((behaviour) => ({ behaviour, failure: 'throttled', mend: undefined })),
    ...TRANSIENT.map((behaviour) => ({ behaviour, failure: 'transient', mend: undefined })),
    ...DOWN.map((row) => ({ ...row, failure: 'down' })),
    ...REFUSED.map((behaviour) => ({ behaviour, failure: 'refused', mend: undefined })),
  ])('is $failure: $behaviour.status $behaviour.type', async ({ behaviour, failure, mend }) => {
    aws.fake.script(behaviour);
    const thrown = await failureOf(sendLines(await aws.open()));
    expect(thrown).toMatchObject({ failure, code: behaviour.type });
    expect(thrown.mend).toEqual(mend === undefined ? undefined : expect.stringContaining(mend(service)));
    expect(thrown.message).toContain(`${service.action} on ${service.target}`);
    // The SDK tried once.
    expect(aws.fake.calls.length).toBe(1);
    expect(aws.fake.lines()).toEqual([]);
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
    aws.fake.script(behaviour);
    const sink = await aws.open();
    expect(await failureOf(sendLines(sink))).toMatchObject({ failure, code });
    // The sink goes on as if nothing had been.
    expect(await sendLines(sink)).toEqual([]);
    expect(aws.fake.calls.length).toBe(2);
  });
});

describe.each(AWS_SERVICES)('a call of $name that gets no answer', (service) => {
  const aws = useService(service);

  test('times out', async () => {
    aws.fake.script(() => new Promise(() => undefined));
    const sink = await aws.open({ requestTimeoutMs: 100 });
    expect(await failureOf(sendLines(sink))).toMatchObject({ failure: 'transient', code: 'ETIMEDOUT' });
  });

  test('times out in the middle of the answer', async () => {
    aws.fake.script({ kind: 'half', then: 'silence' });
    const sink = await aws.open({ requestTimeoutMs: 100 });
    expect(await failureOf(sendLines(sink))).toMatchObject({ failure: 'transient', code: 'TimeoutError' });
  });

  test('is transient when nobody listens', async () => {
    const gone = await service.startFake();
    await gone.close();
    const sink = await aws.open({ endpointUrl: gone.url });
    expect(await failureOf(sendLines(sink))).toMatchObject({ failure: 'transient', code: 'ECONNREFUSED' });
  });

  test('is transient when the name is unknown', async () => {
    const sink = await aws.open({ endpointUrl: 'http://aws.invalid' });
    expect(await failureOf(sendLines(sink))).toMatchObject({
      failure: 'transient',
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as string,
    });
  });

  test('is down when the endpoint speaks no TLS', async () => {
    const sink = await aws.open({ endpointUrl: aws.fake.url.replace('http:', 'https:') });
    const thrown = await failureOf(sendLines(sink));
    // EPROTO up to Node 20, ERR_SSL_… from then on.
    expect(thrown).toMatchObject({ failure: 'down', code: expect.stringMatching(/^(EPROTO|ERR_SSL_)/) as string });
    expect(thrown.mend).toContain('NODE_EXTRA_CA_CERTS');
  });
});
