import type { Batch } from '../../src/sinks/sink.ts';

/** The body of a call: objects as JSON. */
export function plainPutBody(stream: object, batch: Batch, partitionKeys: boolean): Buffer {
  const Records = batch.flatMap(({ lines: { bytes, ends, hashes }, from, to }) =>
    Array.from(ends.subarray(from, to), (end, offset) => {
      const Data = Buffer.from(bytes.subarray(ends[from + offset - 1] ?? 0, end)).toString('base64');
      const PartitionKey = hashes[from + offset]!.toString(16).padStart(8, '0');
      return partitionKeys ? { Data, PartitionKey } : { Data };
    }),
  );
  return Buffer.from(JSON.stringify({ ...stream, Records }));
}
