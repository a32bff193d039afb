import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import SnappyJS from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src/errors.ts';
import { Kernel } from '../../../src/kernel/kernel.ts';
import { decodeSnappy } from '../../../src/wire/snappy.ts';
import { concat, varint } from '../../support/protobuf_writer.ts';

const NO_LIMIT = 2 ** 32;
const fixtures = readdirSync(new URL('../../fixtures/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.bin'))
  .map((name) => [name, new Uint8Array(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)))] as const);

/** Bytes that compress: pieces of what came before, and noise. */
const compressible = fc
  .array(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.tuple(fc.nat(), fc.nat(90))), { maxLength: 60 })
  .map((parts) => {
    let bytes = new Uint8Array(0);
    for (const part of parts) {
      const [back, length] = Array.isArray(part) ? part : [0, 0];
      const start = bytes.length === 0 ? 0 : back % bytes.length;
      bytes = new Uint8Array(concat(bytes, Array.isArray(part) ? bytes.subarray(start, start + length) : part));
    }
    return bytes;
  });

const kernel = new Kernel();

/** What both decoders say of a block. */
function decode(block: Uint8Array, maxBytes = NO_LIMIT): Uint8Array | string {
  const decoded = outcomeOf(() => decodeSnappy(block, maxBytes));
  // What the block before was must not make up for what this one lacks.
  kernel.request.fill(0xee, 0, 4096);
  const decodedByKernel = outcomeOf(() => kernel.tryDecodeSnappy(block, maxBytes) ?? decodeSnappy(block, maxBytes));
  if (typeof decoded === 'string') expect(decodedByKernel).toBe(decoded);
  else {
    expect(Buffer.compare(decoded, decodedByKernel as Uint8Array)).toBe(0);
    expect((decodedByKernel as Uint8Array).buffer, 'it did it by itself').toBe(kernel.request.buffer);
  }
  return decoded;
}

/** The output, or the message of the RequestError. Anything else that is thrown is a fault. */
function outcomeOf(decoding: () => Uint8Array): Uint8Array | string {
  try {
    return decoding();
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_snappy') return error.message;
    throw error;
  }
}

/** A block by hand: what it declares, then its elements. */
function blockOf(declared: number, ...elements: readonly (readonly number[])[]): Uint8Array {
  return concat(varint(declared), ...elements.map((element) => Uint8Array.from(element)));
}

function declaredLength(block: Uint8Array): number {
  const bytes = block.slice(0, block.findIndex((byte) => byte < 0x80) + 1);
  return bytes.reduce((length, byte, index) => length + (byte & 0x7f) * 2 ** (7 * index), 0);
}

const literal = (text: string) => [(text.length - 1) << 2, ...Buffer.from(text)];

describe('what snappyjs compressed', () => {
  test.each(fixtures)('%s', (_, block) => {
    expect(Buffer.compare(decode(block) as Uint8Array, SnappyJS.uncompress(block))).toBe(0);
  });

  test('generated data', () => {
    fc.assert(
      fc.property(fc.oneof(compressible, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        const block = SnappyJS.compress(bytes);
        expect(decode(block)).toEqual(bytes);
        expect(decode(block, bytes.length)).toEqual(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  test('more than 64 KiB, which snappy compresses in pieces', () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) >>> (index % 13));
    expect(Buffer.compare(decode(SnappyJS.compress(bytes)) as Uint8Array, bytes)).toBe(0);
  });
});

describe('every element of the format', () => {
  const long = 'x'.repeat(300);
  test.each<[string, Uint8Array, string]>([
    ['nothing', Uint8Array.of(0), ''],
    ['a length longer than it has to be', Uint8Array.of(0x82, 0x80, 0, ...literal('ab')), 'ab'],
    ['a literal', blockOf(3, literal('abc')), 'abc'],
    [
      'a literal with its length in 1 byte',
      blockOf(61, [60 << 2, 60, ...Buffer.from(long.slice(0, 61))]),
      long.slice(0, 61),
    ],
    ['a literal with its length in 2 bytes', blockOf(300, [61 << 2, 43, 1, ...Buffer.from(long)]), long],
    ['a literal with its length in 3 bytes', blockOf(300, [62 << 2, 43, 1, 0, ...Buffer.from(long)]), long],
    ['a literal with its length in 4 bytes', blockOf(300, [63 << 2, 43, 1, 0, 0, ...Buffer.from(long)]), long],
    ['a copy with an offset of 11 bits', blockOf(8, literal('abcd'), [0x01, 4]), 'abcdabcd'],
    ['a copy with an offset of 16 bits', blockOf(6, literal('abcd'), [(1 << 2) | 2, 4, 0]), 'abcdab'],
    ['a copy with an offset of 32 bits', blockOf(6, literal('abcd'), [(1 << 2) | 3, 3, 0, 0, 0]), 'abcdbc'],
    ['a copy of its own output', blockOf(12, literal('ab'), [(9 << 2) | 2, 1, 0]), 'abbbbbbbbbbb'],
    ['a copy of its own output, three apart', blockOf(13, literal('abc'), [(9 << 2) | 2, 3, 0]), 'abcabcabcabca'],
    ['a copy of its own output, five apart', blockOf(25, literal('abcde'), [(19 << 2) | 2, 5, 0]), 'abcde'.repeat(5)],
  ])('%s', (_, block, text) => {
    expect(Buffer.from(decode(block) as Uint8Array).toString()).toBe(text);
  });

  test('copies and literals of every length up to every distance from the end', () => {
    for (let length = 1; length <= 64; length++) {
      for (let offset = 1; offset <= 6; offset++) {
        for (let rest = 0; rest <= 4; rest++) {
          const start = 'abcdef'.slice(0, offset);
          const end = 'uvwxyz'.slice(0, rest);
          const copied = start.repeat(64).slice(0, length);
          const copy = [((length - 1) << 2) | 2, offset, 0];
          const tail = rest === 0 ? [] : [literal(end)];
          const block = blockOf(offset + length + rest, literal(start), copy, ...tail);
          expect(Buffer.from(decode(block) as Uint8Array).toString()).toBe(start + copied + end);
          const longLiteral = length > 60 ? [60 << 2, length - 1, ...Buffer.from(copied)] : literal(copied);
          const literals = blockOf(length + rest, longLiteral, ...tail);
          expect(Buffer.from(decode(literals) as Uint8Array).toString()).toBe(copied + end);
        }
      }
    }
  });
});

describe('what is no block', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing at all', new Uint8Array(0), 'it ends within its length'],
    ['half a length', Uint8Array.of(0x80), 'it ends within its length'],
    ['a length of 33 bits', concat(varint(2 ** 32), Uint8Array.of(0, 0)), 'its length is no 32-bit varint'],
    ['a length of six bytes', Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0), 'its length is no 32-bit varint'],
    ['a length too long', blockOf(4, literal('abc')), 'it holds 3 bytes and declares 4'],
    ['a length too short', blockOf(2, literal('abc')), 'it holds more bytes than it declares'],
    ['a length too short for a copy', blockOf(6, literal('abcd'), [0x01, 4]), 'it holds more bytes than it declares'],
    ['elements behind the last byte', blockOf(3, literal('abc'), literal('d')), 'it holds more bytes than it declares'],
    ['a literal cut off', blockOf(9, [8 << 2, 0x61]), 'a literal is cut off at byte 2'],
    ['a literal cut off in its length', blockOf(9, [61 << 2, 0]), 'a literal is cut off at byte 2'],
    ['a literal of 4 GiB', blockOf(9, [63 << 2, 0xff, 0xff, 0xff, 0xff, 0x61]), 'a literal is cut off at byte 6'],
    ['a literal of 2 GiB', blockOf(9, [63 << 2, 0xff, 0xff, 0xff, 0x7f, 0x61]), 'a literal is cut off at byte 6'],
    ['a copy cut off', blockOf(8, literal('abcd'), [0x01]), 'a copy is cut off at byte 7'],
    ['a copy with an offset of 16 bits cut off', blockOf(8, literal('abcd'), [0x02, 1]), 'a copy is cut off at byte 7'],
    [
      'a copy with an offset of 32 bits cut off',
      blockOf(8, literal('abcd'), [0x03, 1, 0, 0]),
      'a copy is cut off at byte 7',
    ],
    ['a copy of offset 0', blockOf(8, literal('abcd'), [0x01, 0]), 'a copy at byte 8 reaches before the start'],
    [
      'a copy from before the start',
      blockOf(8, literal('abcd'), [0x01, 5]),
      'a copy at byte 8 reaches before the start',
    ],
    ['a copy at the start', blockOf(4, [0x01, 1]), 'a copy at byte 3 reaches before the start'],
    [
      'a copy from 4 GiB before',
      blockOf(8, literal('abcd'), [0x03, 0xff, 0xff, 0xff, 0xff]),
      'a copy at byte 11 reaches before the start',
    ],
    ['the framed format', Uint8Array.from([0xff, 6, 0, 0, ...Buffer.from('sNaPpY')]), ''],
  ])('%s', (_, block, message) => {
    expect(decode(block)).toContain('the body is not a valid snappy block: ');
    expect(decode(block)).toContain(message);
  });

  test('a block that is cut off, at every offset', () => {
    for (const bytes of fc.sample(compressible, 50)) {
      const block = SnappyJS.compress(bytes);
      for (let end = 0; end < block.length; end++) expect(typeof decode(block.subarray(0, end))).toBe('string');
    }
    const [, fixture] = fixtures[0]!;
    for (let end = 0; end < fixture.length; end += 97) expect(typeof decode(fixture.subarray(0, end))).toBe('string');
  });

  test('a block with any of its bytes changed to any other is refused, or has the length that it declares', () => {
    for (const bytes of fc.sample(compressible, 4)) {
      const block = SnappyJS.compress(bytes).slice(0, 200);
      for (let at = 0; at < block.length; at++) {
        const original = block[at]!;
        for (let byte = 0; byte < 256; byte++) {
          block[at] = byte;
          const decoded = decode(block, 1e6);
          if (typeof decoded !== 'string') expect(decoded.length).toBe(declaredLength(block));
        }
        block[at] = original;
      }
    }
  });

  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = decode(bytes, 1e6);
        // snappyjs knows no block that the strict decoder does not; where both decode, they agree.
        if (typeof decoded !== 'string') expect(new Uint8Array(SnappyJS.uncompress(bytes))).toEqual(decoded);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('memory', () => {
  test.each<[string, Uint8Array, number, string]>([
    ['declares 4 GiB in 10 bytes', concat(varint(2 ** 32 - 1), new Uint8Array(5)), NO_LIMIT, 'cannot hold'],
    ['declares 300 MB in 10 MB', concat(varint(300_000_000), new Uint8Array(10_000_000)), NO_LIMIT, 'cannot hold'],
    [
      'declares more than the limit',
      concat(varint(100_000_001), new Uint8Array(10_000_000)),
      100_000_000,
      'over the limit of 100000000',
    ],
  ])('is not taken for a block that %s', (_, block, maxBytes, message) => {
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 10; count++) expect(decode(block, maxBytes)).toContain(message);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test('the limit itself is allowed', () => {
    expect(decode(blockOf(3, literal('abc')), 3)).toEqual(new Uint8Array(Buffer.from('abc')));
    expect(decode(blockOf(3, literal('abc')), 2)).toContain('over the limit of 2 ');
  });

  test('a request that is larger than the kernel has room for is decoded all the same', () => {
    const bytes = new Uint8Array(kernel.request.length + 1).fill(7);
    expect(
      Buffer.compare(
        kernel.tryDecodeSnappy(SnappyJS.compress(bytes), NO_LIMIT) ?? decodeSnappy(SnappyJS.compress(bytes), NO_LIMIT),
        bytes,
      ),
    ).toBe(0);
  });
});
