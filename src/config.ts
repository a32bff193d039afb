import { ConfigError } from './errors.ts';
import { bytes, duration, oneOf, option } from './option.ts';

/** Every setting of `serve`. Flags win over the environment; an empty variable counts as unset. README's table is tested against this. */
export const OPTIONS = {
  streamName: option({
    flag: '--stream-name',
    env: 'STREAM_NAME',
    placeholder: '<name|arn>',
    help: 'Kinesis data stream that receives the records, by name or ARN',
    parse: parseStream,
  }),
  archiveDir: option({
    flag: '--archive-dir',
    env: 'ARCHIVE_DIR',
    placeholder: '<dir>',
    unset: './archive, when no stream is given',
    help: 'local directory that is the archive instead of a stream; "none" switches it off',
    parse: (text) => text,
  }),
  listenAddr: option({
    flag: '--listen-addr',
    alias: '--web.listen-address',
    env: 'LISTEN_ADDR',
    placeholder: '<host:port>',
    default: ':9501',
    help: 'address to listen on; no host means every interface',
    parse: parseListenAddress,
  }),
  flushIntervalMs: option({
    flag: '--flush-interval',
    env: 'FLUSH_INTERVAL',
    placeholder: '<duration>',
    default: '100ms',
    help: 'longest wait of a line for its batch to fill; a lone sender never waits',
    parse: duration('1ms', '10s'),
  }),
  deliveryTimeoutMs: option({
    flag: '--delivery-timeout',
    env: 'DELIVERY_TIMEOUT',
    placeholder: '<duration>',
    default: '25s',
    help: "answer 503 when a request is not delivered by then; keep it below the sender's remote_timeout (30s)",
    parse: duration('100ms', '10m'),
  }),
  shutdownTimeoutMs: option({
    flag: '--shutdown-timeout',
    env: 'SHUTDOWN_TIMEOUT',
    placeholder: '<duration>',
    default: '8s',
    help: 'time to deliver what is in flight after SIGTERM; keep it below the 10s of `docker stop`',
    parse: duration('0s', '10m'),
  }),
  maxInFlightBytes: option({
    flag: '--max-in-flight-bytes',
    env: 'MAX_IN_FLIGHT_BYTES',
    placeholder: '<bytes>',
    default: '128MiB',
    help: 'memory for requests in flight; past it writes are answered 503 at once',
    parse: bytes('1MiB', '64GiB'),
  }),
  maxBodyBytes: option({
    flag: '--max-body-bytes',
    env: 'MAX_BODY_BYTES',
    placeholder: '<bytes>',
    default: '32MiB',
    help: 'largest request, as sent (413) and as declared by its snappy header (400)',
    parse: bytes('1KiB', '512MiB'),
  }),
  maxRequestLinesBytes: option({
    flag: '--max-request-lines-bytes',
    env: 'MAX_REQUEST_LINES_BYTES',
    placeholder: '<bytes>',
    default: '64MiB',
    help: 'most bytes of lines that one request may become (413)',
    parse: bytes('64KiB', '1GiB'),
  }),
  region: option({
    flag: '--region',
    env: 'AWS_REGION',
    placeholder: '<region>',
    unset: "the AWS SDK's own chain",
    help: 'AWS region of the stream',
    parse: (text) => text,
  }),
  endpointUrl: option({
    flag: '--endpoint-url',
    placeholder: '<url>',
    unset: "the AWS SDK's own, AWS_ENDPOINT_URL included",
    help: 'endpoint of the AWS service: an emulator, or a PrivateLink address',
    parse: parseUrl,
  }),
  archiveRetentionMs: option({
    flag: '--archive-retention',
    env: 'ARCHIVE_RETENTION',
    placeholder: '<duration>',
    unset: 'keep all',
    help: 'local archive only: whole hours older than this are removed',
    parse: duration('1h', '36500d'),
  }),
  logLevel: option({
    flag: '--log.level',
    env: 'LOG_LEVEL',
    placeholder: '<level>',
    default: 'info',
    help: 'least severity to log: debug, info, warn or error',
    parse: oneOf(['debug', 'info', 'warn', 'error']),
  }),
  logFormat: option({
    flag: '--log.format',
    env: 'LOG_FORMAT',
    placeholder: '<format>',
    default: 'logfmt',
    help: 'logfmt or json, on stderr',
    parse: oneOf(['logfmt', 'json']),
  }),
} as const;

type OptionName = keyof typeof OPTIONS;
type OptionValue<Name extends OptionName> = ReturnType<(typeof OPTIONS)[Name]['parse']>;

/** Values as the command line and the environment gave them, defaults filled in. */
export type GivenOptions = { readonly [Name in OptionName]?: OptionValue<Name> };

export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** Where records go. */
export type Destination =
  | {
      readonly kind: 'kinesis';
      readonly stream: string;
      readonly region: string | undefined;
      readonly endpointUrl: string | undefined;
    }
  | { readonly kind: 'directory'; readonly dir: string; readonly retentionMs: number | undefined };

export interface Config {
  readonly destination: Destination;
  readonly listenAddr: ListenAddress;
  readonly flushIntervalMs: number;
  readonly deliveryTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxInFlightBytes: number;
  readonly maxBodyBytes: number;
  readonly maxRequestLinesBytes: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export type LogLevel = OptionValue<'logLevel'>;
export type LogFormat = OptionValue<'logFormat'>;

const DEFAULT_ARCHIVE_DIR = './archive';

/**
 * Checks the settings against each other.
 *
 * @throws ConfigError naming the options and the mend
 */
export function resolveConfig(given: GivenOptions): Config {
  const withDefault = <Name extends OptionName>(name: Name): OptionValue<Name> =>
    (given[name] ?? OPTIONS[name].parse(OPTIONS[name].default ?? '')) as OptionValue<Name>;
  return Object.freeze({
    destination: Object.freeze(resolveDestination(given)),
    listenAddr: withDefault('listenAddr'),
    flushIntervalMs: withDefault('flushIntervalMs'),
    deliveryTimeoutMs: withDefault('deliveryTimeoutMs'),
    shutdownTimeoutMs: withDefault('shutdownTimeoutMs'),
    maxInFlightBytes: withDefault('maxInFlightBytes'),
    maxBodyBytes: withDefault('maxBodyBytes'),
    maxRequestLinesBytes: withDefault('maxRequestLinesBytes'),
    logLevel: withDefault('logLevel'),
    logFormat: withDefault('logFormat'),
  });
}

function resolveDestination(given: GivenOptions): Destination {
  const { streamName, archiveDir, archiveRetentionMs, region, endpointUrl } = given;
  const directory =
    archiveDir === 'none' ? undefined : (archiveDir ?? (streamName === undefined ? DEFAULT_ARCHIVE_DIR : undefined));
  if (streamName !== undefined && directory !== undefined) {
    throw new ConfigError(
      'two destinations: both --stream-name (STREAM_NAME) and --archive-dir (ARCHIVE_DIR) are given; leave one of them out',
    );
  }
  if (streamName !== undefined) {
    if (archiveRetentionMs !== undefined) {
      throw new ConfigError(
        '--archive-retention (ARCHIVE_RETENTION) works on a local archive only; leave it out with --stream-name',
      );
    }
    return { kind: 'kinesis', stream: streamName, region, endpointUrl };
  }
  if (directory === undefined) {
    throw new ConfigError(
      'no destination: give --stream-name (STREAM_NAME) for a Kinesis data stream, or --archive-dir (ARCHIVE_DIR) for a local directory',
    );
  }
  if (endpointUrl !== undefined) {
    throw new ConfigError(
      '--endpoint-url works with --stream-name (STREAM_NAME) only; give the stream, or leave it out',
    );
  }
  return { kind: 'directory', dir: directory, retentionMs: archiveRetentionMs };
}

/** The default of `query`, which reads what `serve` without settings wrote. */
export function archiveDirOrDefault(given: string | undefined): string {
  return given ?? DEFAULT_ARCHIVE_DIR;
}

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html: StreamName, StreamARN
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const STREAM_ARN = /^arn:aws[\w-]*:kinesis:[^:]+:\d{12}:stream\/[a-zA-Z0-9_.-]{1,128}$/;

function parseStream(text: string): string {
  if (STREAM_NAME.test(text) || STREAM_ARN.test(text)) return text;
  throw new ConfigError(
    'expected the name of a stream (1 to 128 of a-z A-Z 0-9 _ . -) or its ARN, such as arn:aws:kinesis:us-east-1:123456789012:stream/name',
  );
}

function parseListenAddress(text: string): ListenAddress {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (!parts || port > 65_535)
    throw new ConfigError('expected host:port, :port or [ipv6]:port with a port from 0 to 65535, such as :9501');
  const host = parts[1] ?? parts[2];
  return { host: host === '' ? undefined : host, port };
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new ConfigError('expected an http or https URL, such as http://127.0.0.1:4567');
  }
  return text;
}
