import { createHash } from 'node:crypto';
import { startFakeAws, type FakeAws, type FakeAwsOptions } from './fake_aws.ts';
import { entryBytes, readPutRecords, type PutRecordsEntry } from './put_records_rules.ts';
import { TokenBucket, type Throughput } from './token_bucket.ts';

const MIB = 1024 ** 2;

export interface FakeKinesisOptions extends FakeAwsOptions {
  readonly shards?: number;
  /** What a shard takes; AWS's are 1,000 records and 1 MiB a second. Without it shards take everything. */
  readonly shardLimits?: Throughput;
}

export type FakeKinesis = FakeAws<PutRecordsEntry>;

/** Kinesis as PutRecords sees it. */
export function startFakeKinesis(options: FakeKinesisOptions = {}): Promise<FakeKinesis> {
  const { shards = 4, shardLimits } = options;
  const rules = { stream: 'history', maxRecordBytes: MIB, maxCallBytes: 10 * MIB, ...options };
  const buckets = Array.from({ length: shards }, () => new TokenBucket(shardLimits));
  return startFakeAws<PutRecordsEntry>({
    ...options,
    service: 'kinesis',
    target: 'Kinesis_20131202.PutRecords',
    readInput: (input) => readPutRecords(input, rules),
    refuse: (entry) =>
      buckets[shardOf(entry.partitionKey, shards)]!.tryTake(entryBytes(entry))
        ? undefined
        : 'ProvisionedThroughputExceededException',
    acceptedEntry: ({ partitionKey }, call, index) => ({
      // 56 digits, as Kinesis's are.
      SequenceNumber: `49${String(call).padStart(48, '0')}${String(index).padStart(6, '0')}`,
      ShardId: `shardId-${String(shardOf(partitionKey, shards)).padStart(12, '0')}`,
    }),
    answerOf: (entries, failed) => ({ FailedRecordCount: failed, Records: entries }),
  });
}

/** The shard of a partition key where `shards` of them share the range of MD5 equally. */
export function shardOf(partitionKey: string, shards: number): number {
  const hash = createHash('md5').update(partitionKey).digest().readUInt32BE(0);
  return Math.floor((hash * shards) / 2 ** 32);
}
