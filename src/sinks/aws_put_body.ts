import { countRecordBytes, type PutKernel } from '../kernel/put_kernel.ts';
import type { Batch } from './sink.ts';

/** Characters of a partition key: a series' 32-bit hash in hexadecimal, so that a series keeps its shard. */
export const PARTITION_KEY_CHARS = 8;

const CLOSE = ']}';

/** What a call is for, by the field of its body: `{StreamName}` or `{StreamARN}` for Kinesis, `{DeliveryStreamName}` for Firehose. */
export type StreamField = Readonly<Record<string, string>>;

/** What the bodies of a sink have in common. */
export interface PutBodyForm {
  /** All ASCII, as the names of streams are. */
  readonly stream: StreamField;
  /** Whether a record has one: Kinesis finds its shard by it, Firehose has no shards. */
  readonly partitionKeys: boolean;
}

export interface PutBodyOptions extends PutBodyForm {
  /** Where the body is written. */
  readonly take?: TakeBuffer;
}

/** Gives a buffer of at least so many bytes, of any content. */
export type TakeBuffer = (bytes: number) => Uint8Array<ArrayBuffer>;

/**
 * The JSON body of a PutRecords or a PutRecordBatch call, written straight as bytes, without an object per record:
 *
 *     {"StreamName":"…","Records":[{"Data":"<base64 of the line>","PartitionKey":"<8 hex digits>"},…]}
 *     {"DeliveryStreamName":"…","Records":[{"Data":"<base64 of the line>"},…]}
 *
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
 *
 * @param batch at least one record
 * @returns a view of what `take` gave, or a buffer of its own
 */
export function writePutBody(kernel: PutKernel, batch: Batch, options: PutBodyOptions): Uint8Array {
  const { stream, partitionKeys, take = (bytes: number) => new Uint8Array(bytes) } = options;
  const head = `${JSON.stringify(stream).slice(0, -1)},"Records":[`;
  // The end stands in the place of the comma behind the last record.
  const around = head.length + CLOSE.length - 1;
  const size = batch.reduce((sum, span) => sum + countRecordBytes({ ...span, partitionKeys }), around);
  const { buffer, byteOffset } = take(size);
  const body = Buffer.from(buffer, byteOffset, size);
  let pos = body.write(head, 'latin1');
  for (const span of batch) pos = kernel.writeRecords(body, pos, { ...span, partitionKeys });
  body.write(CLOSE, pos - 1, 'latin1');
  return body;
}
