import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spanBytes, type Batch, type Rejected, type SinkLimits, type Span } from '../../../src/sinks/sink.ts';
import { BufferPool } from '../../../src/buffer_pool.ts';
import { LineQueue, type Waiting } from '../../../src/write/batch.ts';
import { createPacker, halve, type Packing } from '../../../src/write/pack.ts';
import { batchOf, linesOf, textsOf } from '../../support/lines.ts';

const LIMITS: SinkLimits = {
  maxRecordsPerCall: 500,
  maxBytesPerCall: 5 * 1024 ** 2,
  overheadBytesPerRecord: 8,
  maxRecordBytes: 1_000_000,
  billingUnitBytes: 25_600,
  maxCallsInFlight: 8,
};
const RECORD_BYTES = 1_024;
const pool = new BufferPool();

function packerOf(packing: Packing, limits: Partial<SinkLimits> = {}) {
  let calls = 0;
  const random = () => (calls++ * 0.618_034) % 1;
  return createPacker({ packing, recordBytes: RECORD_BYTES, limits: { ...LIMITS, ...limits }, pool, random });
}

/** The bytes of each record of a batch. */
function recordsOf(batch: Batch): Uint8Array[] {
  return batch.flatMap(({ lines, from, to }) =>
    Array.from({ length: to - from }, (_, index) => spanBytes({ lines, from: from + index, to: from + index + 1 })),
  );
}

/** The bytes that Firehose makes of a batch. */
function concatenate(packing: Packing, batch: Batch): Uint8Array {
  const bytes = Buffer.concat(recordsOf(batch));
  return packing === 'gzip' ? gunzipSync(bytes) : bytes;
}

const rejection = (index: number): Rejected => ({ index, failure: 'transient', code: 'InternalFailure', message: '' });
const textsOfSpans = (spans: readonly Span[]) => spans.flatMap((span) => textsOf(spanBytes(span)));

const PACKINGS = ['none', 'lines', 'gzip'] as const;

describe.each(PACKINGS)('packing %s', (packing) => {
  const texts = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => text.replaceAll('\n', '')),
    {
      minLength: 1,
      maxLength: 40,
    },
  );

  test('gives the same lines in the same order, whatever was not taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(texts, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.boolean()),
        async (requests, coin) => {
          const { batch, sort } = await packerOf(packing).pack(requests.map(batchOf));
          expect(textsOf(concatenate(packing, batch))).toEqual(requests.flat());

          const records = recordsOf(batch);
          const refused = records.flatMap((_, index) => (coin.next().value === true ? [index] : []));
          const { accepted, rejected } = sort(refused.map(rejection));
          expect(rejected.map(({ rejection: { index } }) => index)).toEqual(refused);
          const back = [...accepted, ...rejected.flatMap((one) => one.spans)];
          expect(textsOfSpans(back).toSorted()).toEqual(requests.flat().toSorted());
          expect(accepted.length + rejected.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe.each(['lines', 'gzip'] as const)('a packed record (%s)', (packing) => {
  test('is filled up to its size, key included, and its key is random', async () => {
    const packer = packerOf(packing);
    const lines = linesOf(
      Array.from({ length: 20_000 }, (_, index) => `{"name":"metric_${index % 50}","value":${index}}`),
    );
    const records: Uint8Array[] = [];
    const keys = new Set<number>();
    // The compression is learnt from the first records.
    const queue = new LineQueue<Waiting>();
    queue.add({ lines, queuedAtMs: 0, ranges: [] });
    while (queue.fills(packer.fill)) {
      const { batch } = await packer.pack([queue.take(packer.fill), queue.take(packer.fill)]);
      records.push(...recordsOf(batch));
      for (const span of batch) keys.add(span.lines.hashes[0]!);
    }
    const sizes = records.slice(10, -2).map(({ length }) => length + LIMITS.overheadBytesPerRecord);
    expect(sizes.length).toBeGreaterThan(1);
    for (const size of sizes) expect(size).toBeGreaterThan(0.8 * RECORD_BYTES);
    expect(sizes.filter((size) => size > RECORD_BYTES).length / sizes.length).toBeLessThanOrEqual(0.2);
    expect(keys.size).toBeGreaterThan(10);
  });

  test('holds a line that is longer than its size, alone', async () => {
    const texts = ['a', 'x'.repeat(20 * RECORD_BYTES), 'b'];
    const { batch } = await packerOf(packing).pack(texts.map((text) => batchOf([text])));
    expect(textsOf(concatenate(packing, batch))).toEqual(texts);
  });

  test('never grows over what the sink takes, however badly its lines compress', async () => {
    const packer = packerOf(packing, { maxRecordBytes: 10_000 });
    const noise = Array.from({ length: packer.maxLineBytes - 1 }, () =>
      String.fromCharCode(33 + Math.floor(Math.random() * 90)),
    );
    const { batch } = await packer.pack([batchOf([noise.join('')])]);
    expect(recordsOf(batch)[0]!.length).toBeLessThanOrEqual(10_000);
  });
});

test('halves hold every line once, the first one more where they are uneven', () => {
  const spans = [...batchOf(['a', 'b', 'c']), ...batchOf(['d']), ...batchOf(['e', 'f', 'g'])];
  const [first, second] = halve(spans);
  expect(textsOfSpans(first)).toEqual(['a', 'b', 'c', 'd']);
  expect(textsOfSpans(second)).toEqual(['e', 'f', 'g']);
  expect(halve(batchOf(['a'])).map(textsOfSpans)).toEqual([['a'], []]);
});
