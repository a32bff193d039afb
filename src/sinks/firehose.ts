import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { clientSettings, type AwsClientOptions } from '../aws_client.ts';
import { MAX_ATTEMPTS, openOperation } from './aws_operation.ts';
import { PutSink } from './aws_put.ts';
import { PUT_RECORD_BATCH_ANSWER } from './aws_put_answer.ts';
import type { Sink, SinkLimits } from './sink.ts';

const MIB = 1024 ** 2;

export const FIREHOSE_LIMITS: SinkLimits = {
  // "Each PutRecordBatch request supports up to 500 records. Each record in the request can be as large as 1,000 KB (before base64 encoding),
  // up to a limit of 4 MB for the entire request." https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
  // These are KiB and MiB: https://docs.aws.amazon.com/firehose/latest/dev/limits.html
  maxRecordsPerCall: 500,
  // Before base64 too: four of the largest records were seen to go in one call, https://github.com/kolide/fleet/pull/2022
  maxBytesPerCall: 4 * MIB,
  overheadBytesPerRecord: 0,
  maxRecordBytes: 1_000 * 1024,
  // Each record is rounded up to 5 KiB: https://aws.amazon.com/firehose/pricing/
  billingUnitBytes: 5 * 1024,
  maxCallsInFlight: 16,
};

export interface FirehoseSinkOptions extends AwsClientOptions {
  /** By name: the API takes no ARN. */
  readonly deliveryStream: string;
}

/**
 * A sink that puts each line on a Firehose delivery stream whose source is Direct PUT. Firehose lays records down one right behind the other,
 * so the newline that ends each line is the one that stands in S3.
 *
 * @throws ConfigError when no region is to be found
 */
export async function openFirehoseSink({ deliveryStream, ...options }: FirehoseSinkOptions): Promise<Sink> {
  const calls = { maxSockets: FIREHOSE_LIMITS.maxCallsInFlight, maxAttempts: MAX_ATTEMPTS };
  const client = new FirehoseClient(clientSettings(options, calls));
  const field = { DeliveryStreamName: deliveryStream };
  const operation = await openOperation(
    client,
    (prepare, sendOptions) => client.send(prepare(new PutRecordBatchCommand({ ...field, Records: [] })), sendOptions),
    'delivery stream',
  );
  return new PutSink(operation, {
    name: 'Firehose',
    limits: FIREHOSE_LIMITS,
    target: {
      name: `delivery stream ${deliveryStream}`,
      region: operation.region,
      option: '--delivery-stream-name (DELIVERY_STREAM_NAME)',
      action: 'firehose:PutRecordBatch',
      // Callers need both: of new delivery streams since April 2026, of older ones from March 2027, says AWS's notice in
      // https://github.com/ministryofjustice/modernisation-platform/issues/12957. Besides, Firehose itself needs a grant on the key:
      // https://docs.aws.amazon.com/firehose/latest/APIReference/API_StartDeliveryStreamEncryption.html
      keyMend:
        'allow kms:GenerateDataKey and kms:Decrypt on it, and where Firehose lost its grant on it, start the encryption again',
    },
    body: { stream: field, partitionKeys: false },
    answer: PUT_RECORD_BATCH_ANSWER,
  });
}
