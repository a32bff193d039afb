import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PutKernel } from '../../../src/kernel/put_kernel.ts';
import type { Lines } from '../../../src/record.ts';
import { writePutBody, type StreamField } from '../../../src/sinks/aws_put_body.ts';
import type { Batch } from '../../../src/sinks/sink.ts';
import { shardOf } from '../../support/fake_kinesis.ts';
import { linesOf } from '../../support/lines.ts';
import { plainPutBody } from '../../support/plain_put_body.ts';

const kernel = new PutKernel();

/** Lines of any bytes: what they say is nothing to the sink. */
const anyLines: fc.Arbitrary<Lines> = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(0xffff_ffff)), { minLength: 1, maxLength: 12 })
  .map((records) => {
    let end = 0;
    return {
      bytes: Uint8Array.from(Buffer.concat(records.map(([bytes]) => bytes))),
      ends: Uint32Array.from(records, ([bytes]) => (end += bytes.length)),
      hashes: Uint32Array.from(records, ([, hash]) => hash),
    };
  });

const anySpan = anyLines.chain((lines) =>
  fc
    .tuple(fc.nat(lines.ends.length), fc.nat(lines.ends.length))
    .map(([a, b]) => ({ lines, from: Math.min(a, b), to: Math.max(a, b) })),
);

/** Lines of these lengths, of any bytes. */
function linesOfLengths(lengths: readonly number[]): Lines {
  let end = 0;
  const ends = Uint32Array.from(lengths, (length) => (end += length));
  const bytes = Uint8Array.from({ length: end }, (_, index) => Math.imul(index + end, 0x9e37_79b1) >>> 24);
  return { bytes, ends, hashes: ends.map((_, index) => Math.imul(index + end, 0x85eb_ca6b)) };
}

const anyBatch: fc.Arbitrary<Batch> = fc
  .array(anySpan, { minLength: 1, maxLength: 4 })
  .filter((batch) => batch.some(({ from, to }) => from < to));

describe.each<{ operation: string; partitionKeys: boolean; streams: StreamField[]; documented: string }>([
  {
    operation: 'PutRecords',
    partitionKeys: true,
    streams: [
      ...['history', 'odd', 'a', 'x'.repeat(128)].map((name) => ({ StreamName: name })),
      { StreamARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/history' },
    ],
    documented:
      '{"StreamName":"history","Records":[{"Data":"eyJhIjoxfQo=","PartitionKey":"000000ab"},' +
      '{"Data":"eyJiIjoyMn0K","PartitionKey":"ffffffff"}]}',
  },
  {
    operation: 'PutRecordBatch',
    partitionKeys: false,
    streams: ['history', 'odd', 'a', 'x'.repeat(64)].map((name) => ({ DeliveryStreamName: name })),
    documented: '{"DeliveryStreamName":"history","Records":[{"Data":"eyJhIjoxfQo="},{"Data":"eyJiIjoyMn0K"}]}',
  },
])('the body of $operation', ({ partitionKeys, streams, documented }) => {
  const write = (stream: StreamField, batch: Batch) => writePutBody(kernel, batch, { stream, partitionKeys });
  // toEqual would go through megabytes item by item.
  const expectPlain = (stream: StreamField, batch: Batch) => {
    expect(Buffer.compare(write(stream, batch), plainPutBody(stream, batch, partitionKeys))).toBe(0);
  };
  const expectPlainOfAll = (lines: Lines) => {
    expectPlain(streams[0]!, [{ lines, from: 0, to: lines.ends.length }]);
  };

  test('reads as documented', () => {
    const lines = linesOf(['{"a":1}', '{"b":22}'], (index) => [0xab, 0xffff_ffff][index]!);
    expect(new TextDecoder().decode(write(streams[0]!, [{ lines, from: 0, to: 2 }]))).toBe(documented);
  });

  test('is what the plain objects are as JSON', () => {
    fc.assert(fc.property(fc.constantFrom(...streams), anyBatch, expectPlain), { numRuns: 1_000 });
  });

  test('holds lines of every length and every byte', () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const lines = linesOfLengths(Array.from({ length: 256 }, (_, length) => length));
    const bytes = Buffer.concat(Array.from({ length: 256 }, (_, length) => everyByte.subarray(0, length)));
    expectPlainOfAll({ ...lines, bytes: new Uint8Array(bytes) });
  });

  test('holds more lines, and longer ones, than are written at once', () => {
    expectPlainOfAll(linesOfLengths(Array.from({ length: 1_500 }, (_, index) => index % 97)));
    expectPlainOfAll(linesOfLengths(Array.from({ length: 900 }, (_, index) => 190 + (index % 41))));
    for (const length of [128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 1_000 * 1024])
      expectPlainOfAll(linesOfLengths([5, length, 0, 7, length]));
    expectPlainOfAll(linesOfLengths([200, 200]));
  });

  test('is written over what a used buffer held, and nothing behind it', () => {
    const used = new Uint8Array(1_000).fill(0xee);
    const batch = [{ lines: linesOfLengths([3, 4, 5]), from: 0, to: 3 }];
    const body = writePutBody(kernel, batch, { stream: streams[0]!, partitionKeys, take: () => used });
    expect(Buffer.compare(body, plainPutBody(streams[0]!, batch, partitionKeys))).toBe(0);
    expect(used.subarray(body.length).every((byte) => byte === 0xee)).toBe(true);
  });
});

test('10,000 series spread over 64 shards', () => {
  const shards = 64;
  const lines = linesOf(Array.from({ length: 10_000 }, (_, index) => String(index)));
  const batch = [{ lines, from: 0, to: 10_000 }];
  const body = writePutBody(kernel, batch, { stream: { StreamName: 'history' }, partitionKeys: true });
  const { Records } = JSON.parse(new TextDecoder().decode(body)) as { Records: { PartitionKey: string }[] };
  const counts = Array.from({ length: shards }, () => 0);
  for (const { PartitionKey } of Records) counts[shardOf(PartitionKey, shards)]!++;
  expect(Math.max(...counts)).toBeLessThan((1.3 * 10_000) / shards);
  expect(Math.min(...counts)).toBeGreaterThan(0);
});
