import { ConfigError } from './errors.ts';
import { NO_LABEL_LIMITS, type LabelLimits } from './wire/label_column.ts';
import { bytes, count, duration, listenAddress, oneOf, option, url, type ListenAddress } from './option.ts';

/** Every setting of `serve`. Flags win over the environment; an empty variable counts as unset. README's table is tested against this. */
export const OPTIONS = {
  streamName: option({
    flag: '--stream-name',
    env: 'STREAM_NAME',
    placeholder: '<name|arn>',
    help: 'Kinesis data stream that receives the records, by name or ARN',
    parse: parseStream,
  }),
  deliveryStreamName: option({
    flag: '--delivery-stream-name',
    env: 'DELIVERY_STREAM_NAME',
    placeholder: '<name>',
    help: 'Firehose delivery stream (Direct PUT) that receives the records without a Kinesis stream, by name',
    parse: parseDeliveryStream,
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
    parse: listenAddress,
  }),
  webConfigFile: option({
    flag: '--web.config.file',
    env: 'WEB_CONFIG_FILE',
    placeholder: '<file>',
    unset: 'plain HTTP, open to all',
    help: "TLS, mutual TLS, passwords and headers, in the form of Prometheus's own web configuration file",
    parse: (text) => text,
  }),
  packing: option({
    flag: '--packing',
    env: 'PACKING',
    placeholder: '<packing>',
    unset: 'none',
    help: 'what a record holds: none (one line), lines (many) or gzip (many, as one gzip member); the same lines in S3',
    parse: oneOf(['none', 'lines', 'gzip']),
  }),
  recordBytes: option({
    flag: '--record-bytes',
    env: 'RECORD_BYTES',
    placeholder: '<bytes>',
    unset: '25600',
    help: 'what a packed record aims at, partition key included: a billing unit of Kinesis, five of Firehose',
    parse: bytes('1KiB', '1000KiB'),
  }),
  flushIntervalMs: option({
    flag: '--flush-interval',
    env: 'FLUSH_INTERVAL',
    placeholder: '<duration>',
    default: '200ms',
    help: 'longest wait of a line for its record or batch to fill; with packing none a lone sender never waits',
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
  maxFutureMs: option({
    flag: '--max-future',
    env: 'MAX_FUTURE',
    placeholder: '<duration>',
    unset: 'any time is accepted',
    help: 'reject what is dated further in the future than this (400); by default a wrong clock loses no data',
    parse: duration('1s', '36500d'),
  }),
  maxLabelsPerSeries: option({
    flag: '--max-labels-per-series',
    env: 'MAX_LABELS_PER_SERIES',
    placeholder: '<count>',
    unset: 'no limit',
    help: 'reject series with more labels than this, __name__ included (400); the rest of the request is archived',
    parse: count(1, 1_000_000),
  }),
  maxLabelNameBytes: option({
    flag: '--max-label-name-bytes',
    env: 'MAX_LABEL_NAME_BYTES',
    placeholder: '<bytes>',
    unset: 'no limit',
    help: 'reject series with a longer label name (400)',
    parse: bytes('8B', '1MiB'),
  }),
  maxLabelValueBytes: option({
    flag: '--max-label-value-bytes',
    env: 'MAX_LABEL_VALUE_BYTES',
    placeholder: '<bytes>',
    unset: 'no limit',
    help: 'reject series with a longer label value, the name of the metric included (400)',
    parse: bytes('1B', '1MiB'),
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
    parse: url,
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

/** Where a stream of AWS is; what is undefined is left to the SDK. */
interface AwsLocation {
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
}

/** Where records go. */
export type Destination =
  | ({ readonly kind: 'kinesis'; readonly stream: string } & AwsLocation)
  | ({ readonly kind: 'firehose'; readonly deliveryStream: string } & AwsLocation)
  | { readonly kind: 'directory'; readonly dir: string; readonly retentionMs: number | undefined };

export interface Config {
  readonly destination: Destination;
  readonly listenAddr: ListenAddress;
  /** undefined: plain HTTP, open to all. */
  readonly webConfigFile: string | undefined;
  readonly packing: OptionValue<'packing'>;
  readonly recordBytes: number;
  readonly flushIntervalMs: number;
  readonly deliveryTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly maxInFlightBytes: number;
  readonly maxBodyBytes: number;
  readonly maxRequestLinesBytes: number;
  /** undefined: any time is accepted. */
  readonly maxFutureMs: number | undefined;
  readonly labelLimits: LabelLimits;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export type LogLevel = OptionValue<'logLevel'>;
export type LogFormat = OptionValue<'logFormat'>;

const DEFAULT_ARCHIVE_DIR = './archive';

const STREAM = labelOf('streamName');
const DELIVERY_STREAM = labelOf('deliveryStreamName');
const DIRECTORY = labelOf('archiveDir');

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
    // As in Prometheus, an empty path is none.
    webConfigFile: given.webConfigFile === '' ? undefined : given.webConfigFile,
    ...resolvePacking(given),
    flushIntervalMs: withDefault('flushIntervalMs'),
    deliveryTimeoutMs: withDefault('deliveryTimeoutMs'),
    shutdownTimeoutMs: withDefault('shutdownTimeoutMs'),
    maxInFlightBytes: withDefault('maxInFlightBytes'),
    maxBodyBytes: withDefault('maxBodyBytes'),
    maxRequestLinesBytes: withDefault('maxRequestLinesBytes'),
    maxFutureMs: given.maxFutureMs,
    labelLimits: resolveLabelLimits(given),
    logLevel: withDefault('logLevel'),
    logFormat: withDefault('logFormat'),
  });
}

function resolveDestination(given: GivenOptions): Destination {
  const { streamName, deliveryStreamName, archiveDir, archiveRetentionMs, region, endpointUrl } = given;
  const chosen = [
    streamName !== undefined && STREAM,
    deliveryStreamName !== undefined && DELIVERY_STREAM,
    archiveDir !== undefined && archiveDir !== 'none' && DIRECTORY,
  ].filter((label) => label !== false);
  if (chosen.length === 2) {
    throw new ConfigError(`two destinations: both ${chosen.join(' and ')} are given; leave one of them out`);
  }
  if (chosen.length > 2) {
    throw new ConfigError(`three destinations: ${chosen.join(', ')} are given; leave two of them out`);
  }
  if (archiveRetentionMs !== undefined && (streamName ?? deliveryStreamName) !== undefined) {
    throw new ConfigError(
      `${labelOf('archiveRetentionMs')} works on a local archive only; leave it out with ${chosen.join()}`,
    );
  }
  if (streamName !== undefined) return { kind: 'kinesis', stream: streamName, region, endpointUrl };
  if (deliveryStreamName !== undefined) {
    return { kind: 'firehose', deliveryStream: deliveryStreamName, region, endpointUrl };
  }
  if (archiveDir === 'none') {
    throw new ConfigError(
      `no destination: give ${STREAM} for a Kinesis data stream, ${DELIVERY_STREAM} for a Firehose delivery stream, ` +
        `or ${DIRECTORY} for a local directory`,
    );
  }
  if (endpointUrl !== undefined) {
    throw new ConfigError(
      `--endpoint-url works with ${STREAM} or ${DELIVERY_STREAM} only; give one of them, or leave it out`,
    );
  }
  return { kind: 'directory', dir: archiveDirOrDefault(archiveDir), retentionMs: archiveRetentionMs };
}

/** An option as messages name it. */
function labelOf(name: 'streamName' | 'deliveryStreamName' | 'archiveDir' | 'archiveRetentionMs'): string {
  return `${OPTIONS[name].flag} (${OPTIONS[name].env})`;
}

function resolveLabelLimits({ maxLabelsPerSeries, maxLabelNameBytes, maxLabelValueBytes }: GivenOptions): LabelLimits {
  if ((maxLabelsPerSeries ?? maxLabelNameBytes ?? maxLabelValueBytes) === undefined) return NO_LABEL_LIMITS;
  return Object.freeze({
    maxLabels: maxLabelsPerSeries ?? Infinity,
    maxNameBytes: maxLabelNameBytes ?? Infinity,
    maxValueBytes: maxLabelValueBytes ?? Infinity,
  });
}

/** A billing unit of Kinesis, https://aws.amazon.com/kinesis/data-streams/pricing/, and five of Firehose. */
const DEFAULT_RECORD_BYTES = 25 * 1024;

function resolvePacking(given: GivenOptions): Pick<Config, 'packing' | 'recordBytes'> {
  const { packing, recordBytes, streamName, deliveryStreamName } = given;
  if (packing !== undefined && (streamName ?? deliveryStreamName) === undefined) {
    throw new ConfigError('--packing (PACKING) works with a stream; a directory always holds gzip, so leave it out');
  }
  if (recordBytes !== undefined && (packing ?? 'none') === 'none') {
    throw new ConfigError(
      '--record-bytes (RECORD_BYTES) works with --packing lines or gzip; give one of them, or leave it out',
    );
  }
  return { packing: packing ?? 'none', recordBytes: recordBytes ?? DEFAULT_RECORD_BYTES };
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

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html: DeliveryStreamName
const DELIVERY_STREAM_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;

function parseDeliveryStream(text: string): string {
  if (DELIVERY_STREAM_NAME.test(text)) return text;
  throw new ConfigError(
    'expected the name of a delivery stream (1 to 64 of a-z A-Z 0-9 _ . -), which is what follows the / in its ARN',
  );
}
