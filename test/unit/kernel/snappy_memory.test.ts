import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src/errors.ts';
import { Kernel } from '../../../src/kernel/kernel.ts';
import { decodeSnappy, readDeclaredLength } from '../../../src/wire/snappy.ts';
import { concat, varint } from '../../support/protobuf_writer.ts';
import { seeded } from '../../support/seeded.ts';
import { damaged, snappyBlock } from '../../support/snappy_blocks.ts';
import { forTries, timeoutOf } from '../../support/tries.ts';

/*
 * The kernel's memory as assembly/memory.ts has it: a page of tables, the body, the request, all that is written of it. Between them are 64 bytes that
 * what stands before them may run over to.
 */
const kernel = new Kernel();
const memory = new Uint8Array(kernel.request.buffer);
const requestAt = kernel.request.byteOffset;
const SPARE_BYTES = 64;
const BODY_BYTES = kernel.request.length;
const bodyAt = requestAt - SPARE_BYTES - BODY_BYTES;
/** What a decoder writes behind the last byte of its output, all of which is one step of 16 bytes. */
const STEP_BYTES = 15;
const WATCHED_BYTES = 4096;
const CANARY = 0xa5;
const canaries = new Uint8Array(WATCHED_BYTES).fill(CANARY);
const tables = memory.slice(0, bodyAt);

const MAX_BYTES = 2 ** 32;

function outcomeOf(decode: () => Uint8Array): Uint8Array | string {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_snappy') return error.message;
    throw error;
  }
}

/** 0 where the block is refused before it is decoded. */
function declaredLength(block: Uint8Array): number {
  let length = 0;
  outcomeOf(() => {
    ({ length } = readDeclaredLength(block, MAX_BYTES));
    return block;
  });
  return length;
}

function areCanaries(from: number, to: number): boolean {
  return Buffer.compare(memory.subarray(from, to), canaries.subarray(0, to - from)) === 0;
}

/** Holds the kernel to the decoder in TypeScript, and to its place. */
function expectSame(block: Uint8Array): void {
  const expected = outcomeOf(() => decodeSnappy(block, MAX_BYTES));
  const length = declaredLength(block);
  const watchedFrom = requestAt + length + STEP_BYTES;
  memory.fill(CANARY, requestAt - SPARE_BYTES, watchedFrom + WATCHED_BYTES);
  const decoded = outcomeOf(() => kernel.tryDecodeSnappy(block, MAX_BYTES) ?? decodeSnappy(block, MAX_BYTES));
  if (typeof expected === 'string' || typeof decoded === 'string') expect(decoded).toBe(expected);
  else {
    expect(Buffer.compare(expected, decoded)).toBe(0);
    expect(decoded.buffer, 'the kernel did it').toBe(memory.buffer);
  }
  if (!areCanaries(requestAt - SPARE_BYTES, requestAt)) throw new Error('it wrote before the request');
  if (!areCanaries(watchedFrom, watchedFrom + WATCHED_BYTES)) throw new Error('it wrote behind the request');
}

const TRIES = 2_500;

describe('a block decodes as it does without the kernel, within the memory for it', () => {
  test(
    'generated, whole and damaged',
    () => {
      const everythingElse = requestAt + 1_000_000;
      memory.fill(CANARY, everythingElse);
      forTries(TRIES, (random) => {
        const block = snappyBlock(random);
        expectSame(block);
        expectSame(damaged(random, block));
      });
      expect(memory.indexOf(CANARY, everythingElse)).toBe(everythingElse);
      expect(memory.subarray(everythingElse).every((byte) => byte === CANARY)).toBe(true);
      expect(Buffer.compare(memory.subarray(0, bodyAt), tables)).toBe(0);
    },
    timeoutOf(TRIES),
  );

  test('cut off at every offset, with every bit flipped', () => {
    for (let seed = 0; seed < 20; seed++) {
      const block = snappyBlock(seeded(seed));
      for (let end = 0; end < block.length; end++) expectSame(block.subarray(0, end));
      for (let bit = 0; bit < 8 * block.length; bit++) {
        const flipped = block.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expectSame(flipped);
      }
    }
  });

  test.each([1, 2, 3, 4])(
    'a literal whose length takes %d bytes, cut off, with what the block before had behind it',
    (extra) => {
      const text = new Uint8Array(70).fill(0x61);
      const block = concat(
        varint(text.length),
        Uint8Array.of((59 + extra) << 2, text.length - 1, 0, 0, 0).subarray(0, 1 + extra),
        text,
      );
      for (let end = block.length - 1; end >= 0; end--) {
        expectSame(block);
        expectSame(block.subarray(0, end));
      }
    },
  );

  test('a literal of 4 GiB, which is none of 0 bytes', () => {
    for (const declared of [0, 3]) {
      const rest = declared === 0 ? new Uint8Array(0) : Uint8Array.of(2 << 2, 0x61, 0x62, 0x63);
      expectSame(concat(varint(declared), Uint8Array.of(63 << 2, 0xff, 0xff, 0xff, 0xff), rest));
    }
  });

  test.each([-1, 0, 1])('a block as large as the memory for it, and %d bytes', (more) => {
    // The length takes four bytes, as do the tag and the length of the literal, and one more.
    const text = new Uint8Array(BODY_BYTES + more - 9);
    for (let at = 0; at < text.length; at++) text[at] = at % 251;
    const length = text.length - 1;
    const block = concat(
      varint(text.length),
      Uint8Array.of(63 << 2, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff, 0),
      text,
    );
    expect(block.length).toBe(BODY_BYTES + more);
    const decoded = kernel.tryDecodeSnappy(block, MAX_BYTES) ?? decodeSnappy(block, MAX_BYTES);
    expect(Buffer.compare(decoded, text)).toBe(0);
    expect(decoded.buffer === memory.buffer).toBe(more <= 0);
  });

  test.each([-1, 0, 1])('a request as large as the memory for it, and %d bytes', (more) => {
    memory.fill(CANARY, requestAt + kernel.request.length + STEP_BYTES, kernel.lines.byteOffset);
    const size = kernel.request.length + more;
    const copies = Math.floor((size - 3) / 64);
    const last = size - 3 - 64 * copies;
    // Three letters, and copies of them that overlap their own output.
    const block = new Uint8Array([
      ...varint(size),
      ...[2 << 2, 0x61, 0x62, 0x63],
      ...Array.from({ length: copies }, () => [(63 << 2) | 2, 3, 0]).flat(),
      ...(last === 0 ? [] : [((last - 1) << 2) | 2, 3, 0]),
    ]);
    const decoded = kernel.tryDecodeSnappy(block, MAX_BYTES) ?? decodeSnappy(block, MAX_BYTES);
    expect(Buffer.compare(decoded, decodeSnappy(block, MAX_BYTES))).toBe(0);
    expect(decoded.buffer === memory.buffer).toBe(more <= 0);
    expect(areCanaries(requestAt + kernel.request.length + STEP_BYTES, kernel.lines.byteOffset)).toBe(true);
  });
});
