import { startFakeAws, type FakeAws, type FakeAwsOptions } from './fake_aws.ts';
import { readPutRecordBatch, type PutRecordBatchEntry } from './put_record_batch_rules.ts';
import { TokenBucket, type Throughput } from './token_bucket.ts';

const MIB = 1024 ** 2;

export interface FakeFirehoseOptions extends FakeAwsOptions {
  /** What the delivery stream takes; AWS's quota is 5 MiB a second in its large regions. Without it everything is taken. */
  readonly quota?: Throughput;
}

export interface FakeFirehose extends FakeAws<PutRecordBatchEntry> {
  /** What comes to lie in S3, uncompressed: Firehose puts one record right behind the other. */
  s3Bytes(): Buffer;
}

/** A delivery stream as Direct PUT sees it. */
export async function startFakeFirehose(options: FakeFirehoseOptions = {}): Promise<FakeFirehose> {
  const rules = { stream: 'history', maxRecordBytes: 1_024_000, maxCallBytes: 4 * MIB, ...options };
  const bucket = new TokenBucket(options.quota);
  const fake = await startFakeAws<PutRecordBatchEntry>({
    ...options,
    service: 'firehose',
    target: 'Firehose_20150804.PutRecordBatch',
    readInput: (input) => readPutRecordBatch(input, rules),
    refuse: ({ data }) => (bucket.tryTake(data.length) ? undefined : 'ServiceUnavailableException'),
    acceptedEntry: (_, call, index) => ({ RecordId: Buffer.from(`call ${call} record ${index}`).toString('base64') }),
    answerOf: (entries, failed) => ({ Encrypted: false, FailedPutCount: failed, RequestResponses: entries }),
  });
  return Object.assign(fake, { s3Bytes: () => Buffer.concat(fake.records.map(({ data }) => data)) });
}
