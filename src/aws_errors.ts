import { messageOf, SinkError, type SinkFailure } from './errors.ts';

/** What calls are about, in the words of their messages. */
export interface AwsTarget {
  /** Such as `stream history`. */
  readonly name: string;
  readonly region: string;
  /** The option that names it. */
  readonly option: string;
  /** The IAM action of its calls. */
  readonly action: string;
  /** What to do about a KMS key that is enabled and can't be used all the same. */
  readonly keyMend: string;
}

/** What the person on call does, by what is wrong. */
const MENDS = {
  missing: ({ name, region, option }: AwsTarget) =>
    `create ${name} in ${region}, or correct ${option} or --region (AWS_REGION)`,
  permission: ({ name, action }: AwsTarget) =>
    `allow ${action} on ${name} in the IAM policy of the credentials in use (and in the policy of a VPC endpoint, if there is one)`,
  credentials: () =>
    'give valid AWS credentials: a role of the instance, task or pod, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  stale: () =>
    "renew the AWS credentials (those from the environment or a file are read at the start only, so restart), and set this machine's clock",
  key: ({ name, keyMend }: AwsTarget) => `enable the KMS key that encrypts ${name}, and ${keyMend}`,
  source: ({ option }: AwsTarget) =>
    `give ${option} a delivery stream whose source is Direct PUT and that does not decompress CloudWatch Logs; ` +
    'to feed one that reads a Kinesis stream, give that stream to --stream-name (STREAM_NAME) instead',
  endpoint: () =>
    'correct --endpoint-url (AWS_ENDPOINT_URL), --region (AWS_REGION) or the proxy between: AWS does not answer there',
  tls: () =>
    'have the endpoint speak TLS with a certificate that this machine trusts; NODE_EXTRA_CA_CERTS names more authorities',
} as const;

export type AwsMend = keyof typeof MENDS;

export function mendOf(mend: AwsMend, target: AwsTarget): string {
  return MENDS[mend](target);
}

export interface AwsVerdict {
  readonly failure: SinkFailure;
  /** Of a transient failure: the SDK mends it by itself, and where it does not, this is what to do. */
  readonly mend?: AwsMend;
}

const THROTTLED: AwsVerdict = { failure: 'throttled' };
const TRANSIENT: AwsVerdict = { failure: 'transient' };
const REFUSED: AwsVerdict = { failure: 'refused' };
const STALE: AwsVerdict = { failure: 'transient', mend: 'stale' };
const MISSING: AwsVerdict = { failure: 'down', mend: 'missing' };
const PERMISSION: AwsVerdict = { failure: 'down', mend: 'permission' };
const CREDENTIALS: AwsVerdict = { failure: 'down', mend: 'credentials' };
const KEY: AwsVerdict = { failure: 'down', mend: 'key' };
const SOURCE: AwsVerdict = { failure: 'down', mend: 'source' };
const ENDPOINT: AwsVerdict = { failure: 'down', mend: 'endpoint' };
const TLS: AwsVerdict = { failure: 'down', mend: 'tls' };

/**
 * By Node's `code` or by the SDK's `name`, without its ending "Exception". From the API models of Kinesis and Firehose,
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html, and the lists that the SDKs retry by.
 */
const VERDICTS: ReadonlyMap<string, AwsVerdict> = new Map([
  ...verdicts(THROTTLED, [
    'ProvisionedThroughputExceeded',
    'LimitExceeded',
    'RequestLimitExceeded',
    'RequestThrottled',
    'Throttled',
    'Throttling',
    'TooManyRequests',
    'SlowDown',
    'ServiceUnavailable',
    'KMSThrottling',
  ]),
  ...verdicts(TRANSIENT, ['InternalFailure', 'InternalError', 'InternalServerError', 'ResourceInUse']),
  ...verdicts(TRANSIENT, ['AbortError', 'RequestTimeout', 'TimeoutError', 'ETIMEDOUT']),
  ...verdicts(TRANSIENT, ['ECONNABORTED', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']),
  ...verdicts(TRANSIENT, ['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']),
  // The SDK sets its clock by the Date of the answer that says so, and the sink has it look up the credentials anew.
  ...verdicts(STALE, ['ExpiredToken', 'RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed']),
  ...verdicts(STALE, ['InvalidSignature', 'SignatureDoesNotMatch']),
  ...verdicts(MISSING, ['ResourceNotFound']),
  ...verdicts(PERMISSION, ['AccessDenied', 'NotAuthorized']),
  ...verdicts(CREDENTIALS, ['CredentialsProviderError', 'TokenProviderError', 'MissingAuthenticationToken']),
  ...verdicts(CREDENTIALS, ['IncompleteSignature', 'InvalidClientTokenId', 'OptInRequired', 'UnrecognizedClient']),
  ...verdicts(KEY, ['KMSAccessDenied', 'KMSDisabled', 'KMSInvalidState', 'KMSNotFound', 'KMSOptInRequired']),
  ...verdicts(KEY, ['InvalidKMSResource']),
  ...verdicts(SOURCE, ['InvalidSource']),
  ...verdicts(ENDPOINT, ['EndpointError', 'UnknownOperation']),
  ...verdicts(TLS, ['EPROTO', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT']),
  ...verdicts(TLS, ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']),
  ...verdicts(TLS, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE']),
  // Sizes and keys were checked before, so this is rare: whether a record or the configuration is at fault, delivery finds out by halving.
  ...verdicts(REFUSED, ['InvalidArgument', 'RequestEntityTooLarge', 'Serialization', 'Validation', 'ValidationError']),
]);

/** Firehose has no code of its own for records that go past the source of a delivery stream: https://github.com/aws/aws-cli/issues/7010 */
const PAST_THE_SOURCE = /not permitted on \w+AsSource\b/;

function verdicts(verdict: AwsVerdict, names: readonly string[]): [string, AwsVerdict][] {
  return names.map((name) => [name, verdict]);
}

function verdictOf(word: string): AwsVerdict | undefined {
  return VERDICTS.get(word.replace(/Exception$/, '')) ?? (/^ERR_(SSL|TLS)_/.test(word) ? TLS : undefined);
}

/** What the SDK and Node tell of a failed call: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/error-handling.html */
interface ThrownBySdk {
  readonly name?: unknown;
  readonly message?: unknown;
  /** Node's, of a connection. */
  readonly code?: unknown;
  /** Of an answer: who is to blame. */
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** What a failed call of the SDK means, with the vendor's code for it. What is unknown is transient: it is tried again, and seen in the log. */
export function classifyAwsError(error: unknown): AwsVerdict & { readonly code: string } {
  const { code, name, message, $fault, $metadata: { httpStatusCode: status } = {} } = (error ?? {}) as ThrownBySdk;
  // Node's code first: an answer that breaks off in the middle has the status 200 too. An error that AWS answers may have a field of that
  // name, as InvalidKMSResourceException has; what it is, its name says.
  const words = [$fault === undefined ? code : undefined, name].filter((word) => typeof word === 'string');
  if (PAST_THE_SOURCE.test(String(message))) return { ...SOURCE, code: words[0] ?? 'UnknownError' };
  for (const word of words) {
    const verdict = verdictOf(word);
    if (verdict) return { ...verdict, code: word };
  }
  const own = words.find((word) => !NAMES_WITHOUT_MEANING.has(word));
  return { ...verdictOfStatus(status), code: own ?? (status === undefined ? 'UnknownError' : `HTTP ${status}`) };
}

/** What the SDK calls an answer that gives no code, or that it can't read. */
const NAMES_WITHOUT_MEANING: ReadonlySet<string> = new Set(['Error', 'SyntaxError', 'Unknown', 'UnknownError']);

function verdictOfStatus(status: number | undefined): AwsVerdict {
  if (status === undefined || status < 300 || status >= 500 || status === 408) return TRANSIENT;
  if (status === 429) return THROTTLED;
  return status === 400 || status === 413 ? REFUSED : ENDPOINT;
}

/** What a record's own error code means. No record is refused for good this way: sizes and keys were checked before. */
export function recordFailureOf(code: string): 'throttled' | 'transient' {
  return verdictOf(code)?.failure === 'throttled' ? 'throttled' : 'transient';
}

/**
 * A failed call of the SDK as the sinks' own error.
 *
 * @param stays whether the SDK had time to mend by itself what it can
 */
export function sinkErrorOf(error: unknown, target: AwsTarget, stays: boolean): SinkError {
  const { failure, code, mend } = classifyAwsError(error);
  const message = messageOf(error).split('\n', 1)[0]!;
  const down = mend !== undefined && (failure === 'down' || stays);
  return new SinkError(down ? 'down' : failure, `${target.action} on ${target.name}: ${code}: ${message}`, {
    code,
    ...(down ? { mend: mendOf(mend, target) } : {}),
    cause: error,
  });
}
