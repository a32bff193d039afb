import { afterEach, beforeEach, expect, onTestFinished } from 'vitest';
import { SinkError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import type { AwsClientOptions } from '../../src/aws_client.ts';
import { openFirehoseSink } from '../../src/sinks/firehose.ts';
import { openKinesisSink } from '../../src/sinks/kinesis.ts';
import type { Sink } from '../../src/sinks/sink.ts';
import { FAKE_CREDENTIALS } from './aws_env.ts';
import type { Behaviour, FakeAws, FakeAwsOptions } from './fake_aws.ts';
import { startFakeFirehose } from './fake_firehose.ts';
import { startFakeKinesis } from './fake_kinesis.ts';
import { batchOf } from './lines.ts';
import type { Throughput } from './token_bucket.ts';

const STREAM = 'history';
export const REGION = 'eu-west-1';

export type SinkOptions = Omit<AwsClientOptions, 'log'>;

/** A service that a sink puts records on, with what the tests of all of them need to know of each. */
export interface AwsService<Fake extends FakeAws = FakeAws> {
  readonly name: string;
  /** What the sink's messages call the stream. */
  readonly target: string;
  readonly what: string;
  readonly action: string;
  readonly keyMend: string;
  /** The code of a record for which there is no room. */
  readonly throttled: string;
  startFake(options?: FakeAwsOptions & { readonly throughput?: Throughput }): Promise<Fake>;
  openSink(options: AwsClientOptions): Promise<Sink>;
}

export const KINESIS = {
  name: 'Kinesis',
  target: `stream ${STREAM}`,
  what: 'stream',
  action: 'kinesis:PutRecords',
  keyMend: 'allow kms:GenerateDataKey on it',
  throttled: 'ProvisionedThroughputExceededException',
  startFake: ({ throughput, ...options } = {}) =>
    startFakeKinesis({ ...options, ...(throughput && { shards: 1, shardLimits: throughput }) }),
  openSink: (options) => openKinesisSink({ stream: STREAM, ...options }),
} as const satisfies AwsService;

export const FIREHOSE = {
  name: 'Firehose',
  target: `delivery stream ${STREAM}`,
  what: 'delivery stream',
  action: 'firehose:PutRecordBatch',
  keyMend: 'allow kms:GenerateDataKey and kms:Decrypt on it',
  throttled: 'ServiceUnavailableException',
  startFake: ({ throughput, ...options } = {}) =>
    startFakeFirehose({ ...options, ...(throughput && { quota: throughput }) }),
  openSink: (options) => openFirehoseSink({ deliveryStream: STREAM, ...options }),
} as const satisfies AwsService;

export const AWS_SERVICES: readonly AwsService[] = [KINESIS, FIREHOSE];

export interface ServiceUnderTest<Fake extends FakeAws> {
  /** A new one for each test. */
  readonly fake: Fake;
  /** A sink on the fake; closed after the test. */
  open(options?: Partial<SinkOptions>): Promise<Sink>;
}

/** Starts a service's fake for each test, and checks after it that the sink kept the rules and logged nothing. */
export function useService<Fake extends FakeAws>(service: AwsService<Fake>): ServiceUnderTest<Fake> {
  let fake: Fake;
  let logged: string[];
  beforeEach(async () => {
    logged = [];
    fake = await service.startFake({ stream: STREAM, secretAccessKey: FAKE_CREDENTIALS.secretAccessKey });
  });
  afterEach(async () => {
    await fake.close();
    expect(fake.violations).toEqual([]);
    expect(logged).toEqual([]);
  });
  return {
    get fake() {
      return fake;
    },
    async open(options = {}) {
      const log = createLog({ level: 'debug', format: 'logfmt', write: (line) => void logged.push(line) });
      const sink = await service.openSink({ region: REGION, endpointUrl: fake.url, log, ...options });
      onTestFinished(() => sink.close());
      return sink;
    },
  };
}

export const LINES = ['{"line":0}', '{"line":1}', '{"line":2}'];

export function sendLines(sink: Sink, signal = new AbortController().signal): ReturnType<Sink['send']> {
  return sink.send(batchOf(LINES), signal);
}

/** The error that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<SinkError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SinkError);
  return error as SinkError;
}

export function error(status: number, type: string, message?: string): Behaviour & { readonly kind: 'error' } {
  return { kind: 'error', status, type, ...(message === undefined ? {} : { message }) };
}
