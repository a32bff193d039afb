import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { clientSettings, type AwsClientOptions } from '../aws_client.ts';
import { MAX_ATTEMPTS, openOperation } from './aws_operation.ts';
import { PutSink } from './aws_put.ts';
import { PUT_RECORDS_ANSWER } from './aws_put_answer.ts';
import { PARTITION_KEY_CHARS } from './aws_put_body.ts';
import type { Sink, SinkLimits } from './sink.ts';

const MIB = 1024 ** 2;

export const KINESIS_LIMITS: SinkLimits = {
  // "Each PutRecords request can support up to 500 records." Sizes count before base64, keys included:
  // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
  maxRecordsPerCall: 500,
  // AWS takes 10 MiB by now. The older limit is kinder to memory and to emulators.
  maxBytesPerCall: 5 * MIB,
  overheadBytesPerRecord: PARTITION_KEY_CHARS,
  // Kinesis takes 1 MiB a record unless the stream is set to more; Firehose, which reads the stream, 1,000 KiB:
  // https://docs.aws.amazon.com/firehose/latest/dev/limits.html
  maxRecordBytes: 1_000 * 1024 - PARTITION_KEY_CHARS,
  // A PUT payload unit is 25 KB: https://aws.amazon.com/kinesis/data-streams/pricing/
  billingUnitBytes: 25 * 1024,
  maxCallsInFlight: 16,
};

export interface KinesisSinkOptions extends AwsClientOptions {
  /** Name or ARN. */
  readonly stream: string;
}

/**
 * A sink that puts each line on a Kinesis data stream, in the shard of its series.
 *
 * @throws ConfigError when no region is to be found
 */
export async function openKinesisSink({ stream, ...options }: KinesisSinkOptions): Promise<Sink> {
  const calls = { maxSockets: KINESIS_LIMITS.maxCallsInFlight, maxAttempts: MAX_ATTEMPTS };
  const client = new KinesisClient(clientSettings(options, calls));
  const field = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  const operation = await openOperation(
    client,
    (prepare, sendOptions) => client.send(prepare(new PutRecordsCommand({ ...field, Records: [] })), sendOptions),
    'stream',
  );
  return new PutSink(operation, {
    name: 'Kinesis',
    limits: KINESIS_LIMITS,
    target: {
      name: `stream ${stream}`,
      region: operation.region,
      option: '--stream-name (STREAM_NAME)',
      action: 'kinesis:PutRecords',
      // https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
      keyMend: 'allow kms:GenerateDataKey on it',
    },
    body: { stream: field, partitionKeys: true },
    answer: PUT_RECORDS_ANSWER,
  });
}
