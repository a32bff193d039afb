import { describe, expect, test } from 'vitest';
import { OPTIONS, resolveConfig, type GivenOptions } from '../../src/config.ts';
import { ConfigError } from '../../src/errors.ts';
import { parseDuration, type Option } from '../../src/option.ts';

describe('every option', () => {
  test.each(Object.entries<Option<unknown>>(OPTIONS))('%s has a default that it accepts, and help', (_, option) => {
    if (option.default !== undefined) expect(option.parse(option.default)).toBeDefined();
    expect(option.default === undefined || option.unset === undefined).toBe(true);
    expect(option.flag).toMatch(/^--[a-z][a-z.-]+$/);
    expect(option.help).not.toMatch(/\.$/);
  });

  test.each([
    ['listenAddr', ':9501', { host: undefined, port: 9501 }],
    ['listenAddr', '127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['listenAddr', '[::1]:80', { host: '::1', port: 80 }],
    ['flushIntervalMs', '1s500ms', 1_500],
    ['shutdownTimeoutMs', '0s', 0],
    ['maxBodyBytes', '1000000', 1_000_000],
    ['maxBodyBytes', '2MiB', 2_097_152],
    ['maxLabelsPerSeries', '30', 30],
    ['maxLabelValueBytes', '1kB', 1_000],
    ['archiveRetentionMs', '1w', 604_800_000],
    ['streamName', 'metrics_1.a-b', 'metrics_1.a-b'],
    [
      'streamName',
      'arn:aws:kinesis:eu-west-1:123456789012:stream/metrics',
      'arn:aws:kinesis:eu-west-1:123456789012:stream/metrics',
    ],
    ['deliveryStreamName', 'metrics_1.a-b', 'metrics_1.a-b'],
    ['deliveryStreamName', 'x'.repeat(64), 'x'.repeat(64)],
    ['deliveryStreamName', 'none', 'none'],
    ['endpointUrl', 'http://127.0.0.1:4567', 'http://127.0.0.1:4567'],
    ['logFormat', 'json', 'json'],
  ] as const)('%s takes %s', (name, text, value) => {
    expect(OPTIONS[name].parse(text)).toEqual(value);
  });

  test.each([
    ['listenAddr', '9501', ':9501'],
    ['listenAddr', ':65536', '65535'],
    ['listenAddr', '::1:80', '[ipv6]'],
    ['flushIntervalMs', '0s', '1ms'],
    ['flushIntervalMs', '11s', '10s'],
    ['deliveryTimeoutMs', '25', 'such as 25s'],
    ['deliveryTimeoutMs', '1.5s', 'such as 25s'],
    ['maxBodyBytes', '1TiB', '512MiB'],
    ['maxBodyBytes', '-1', '1KiB'],
    ['maxInFlightBytes', '1e9', '1MiB'],
    ['streamName', 'no spaces', 'ARN'],
    ['streamName', 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/x', 'ARN'],
    ['deliveryStreamName', '', '1 to 64'],
    ['deliveryStreamName', 'x'.repeat(65), '1 to 64'],
    ['deliveryStreamName', 'no spaces', 'a-z A-Z 0-9 _ . -'],
    ['deliveryStreamName', 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/x', 'what follows the / in its ARN'],
    ['endpointUrl', 'localhost:4567', 'http'],
    ['logLevel', 'verbose', 'debug, info, warn, error'],
  ] as const)('%s refuses %s, naming the bound or the form', (name, text, hint) => {
    expect(() => OPTIONS[name].parse(text)).toThrow(ConfigError);
    expect(() => OPTIONS[name].parse(text)).toThrow(hint);
  });
});

test.each([
  ['', undefined],
  ['5', undefined],
  ['1m1h', undefined],
  ['1w2d3h4m5s6ms', 788_645_006],
])('the duration %o is %o ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

describe('the destination', () => {
  test.each<[string, GivenOptions, object]>([
    ['is ./archive when nothing is given', {}, { kind: 'directory', dir: './archive' }],
    [
      'is the directory',
      { archiveDir: '/data', archiveRetentionMs: 5 },
      { kind: 'directory', dir: '/data', retentionMs: 5 },
    ],
    [
      'is the stream',
      { streamName: 's', region: 'r', endpointUrl: 'http://x' },
      { kind: 'kinesis', stream: 's', region: 'r', endpointUrl: 'http://x' },
    ],
    ['is the stream in the image', { streamName: 's', archiveDir: 'none' }, { kind: 'kinesis', stream: 's' }],
    [
      'is the delivery stream',
      { deliveryStreamName: 'd', region: 'r', endpointUrl: 'http://x' },
      { kind: 'firehose', deliveryStream: 'd', region: 'r', endpointUrl: 'http://x' },
    ],
    [
      'is the delivery stream in the image',
      { deliveryStreamName: 'd', archiveDir: 'none' },
      { kind: 'firehose', deliveryStream: 'd', region: undefined, endpointUrl: undefined },
    ],
    ['is a delivery stream of any name', { deliveryStreamName: 'none' }, { kind: 'firehose', deliveryStream: 'none' }],
  ])('%s', (_, given, destination) => {
    const resolved = resolveConfig(given).destination;
    expect(resolved).toMatchObject(destination);
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  test.each<[string, GivenOptions, string]>([
    [
      'a stream and a directory',
      { streamName: 's', archiveDir: './a' },
      'two destinations: both --stream-name (STREAM_NAME) and --archive-dir (ARCHIVE_DIR) are given; leave one of them out',
    ],
    [
      'a delivery stream and a directory',
      { deliveryStreamName: 'd', archiveDir: './a' },
      'two destinations: both --delivery-stream-name (DELIVERY_STREAM_NAME) and --archive-dir (ARCHIVE_DIR) are given; leave one',
    ],
    [
      'both streams',
      { streamName: 's', deliveryStreamName: 'd' },
      'two destinations: both --stream-name (STREAM_NAME) and --delivery-stream-name (DELIVERY_STREAM_NAME) are given; leave one',
    ],
    [
      'both streams in the image',
      { streamName: 's', deliveryStreamName: 'd', archiveDir: 'none' },
      'two destinations: both --stream-name (STREAM_NAME) and --delivery-stream-name (DELIVERY_STREAM_NAME)',
    ],
    [
      'both streams and a directory',
      { streamName: 's', deliveryStreamName: 'd', archiveDir: './a' },
      'three destinations: --stream-name (STREAM_NAME), --delivery-stream-name (DELIVERY_STREAM_NAME), ' +
        '--archive-dir (ARCHIVE_DIR) are given; leave two of them out',
    ],
    [
      'none',
      { archiveDir: 'none' },
      'no destination: give --stream-name (STREAM_NAME) for a Kinesis data stream, ' +
        '--delivery-stream-name (DELIVERY_STREAM_NAME) for a Firehose delivery stream, or --archive-dir (ARCHIVE_DIR)',
    ],
    [
      'retention without an archive',
      { streamName: 's', archiveRetentionMs: 5 },
      '--archive-retention (ARCHIVE_RETENTION) works on a local archive only; leave it out with --stream-name (STREAM_NAME)',
    ],
    [
      'retention of a delivery stream',
      { deliveryStreamName: 'd', archiveRetentionMs: 5 },
      'leave it out with --delivery-stream-name (DELIVERY_STREAM_NAME)',
    ],
    [
      'an endpoint without a stream',
      { endpointUrl: 'http://x' },
      '--endpoint-url works with --stream-name (STREAM_NAME) or --delivery-stream-name (DELIVERY_STREAM_NAME) only',
    ],
  ])('of %s stops the start', (_, given, message) => {
    expect(() => resolveConfig(given)).toThrow(ConfigError);
    expect(() => resolveConfig(given)).toThrow(message);
  });

  test('fills in the defaults of the other options', () => {
    expect(resolveConfig({})).toMatchObject({
      deliveryTimeoutMs: 25_000,
      maxBodyBytes: 33_554_432,
      logFormat: 'logfmt',
    });
  });
});
