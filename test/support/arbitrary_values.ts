import fc from 'fast-check';
import { bitsOf, STALE_NAN } from '../../src/record.ts';
import { concat } from './protobuf_writer.ts';

const SPECIAL_DOUBLES = [
  0x7ff0000000000002n, // the stale marker
  0x7ff8000000000001n, // Prometheus's NaN
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0xfff8000000000000n, // 0/0 on x86
  0xffffffffffffffffn,
  0x7ff0000000000000n, // infinity
  0xfff0000000000000n,
  0x0000000000000000n,
  0x8000000000000000n, // minus zero
  0x0000000000000001n, // the smallest
  0x7fefffffffffffffn, // the largest
];

/** Where the digits of a number, or the way to write it, change. */
const EDGES = [1e-7, 9.999999e-7, 1e-6, 0.1, 0.5, 999, 1e3, 1e5 / 3, 999999.999999999, 1e6, 999999999, 1e9, 2 ** 31]
  .concat([1e12, 1e15, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 1e20, 1e21, 1e22])
  .flatMap((edge) => [edge, -edge]);

/** A NaN with any payload but that of the stale marker. */
export const nanBits: fc.Arbitrary<bigint> = fc
  .tuple(fc.constantFrom(0x7ff0n, 0xfff0n), fc.bigInt({ min: 1n, max: 0xfffffffffffffn }))
  .map(([head, payload]) => (head << 48n) | payload)
  .filter((bits) => bits !== STALE_NAN);

/** The bits of a double. */
export const doubleBits: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(...SPECIAL_DOUBLES),
  fc.constantFrom(...EDGES.map(bitsOf)),
  fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  fc.double({ noNaN: true }).map(bitsOf),
  fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map(bitsOf),
  fc.maxSafeInteger().map(bitsOf),
  // Decimals, as most values are that are not integers.
  fc.tuple(fc.maxSafeInteger(), fc.nat(20)).map(([digits, scale]) => bitsOf(digits / 10 ** scale)),
  nanBits,
);

export const int64: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(...[31n, 32n, 53n, 63n].flatMap((power) => [-(2n ** power), 2n ** power - 1n])),
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
  fc.bigInt({ min: 1_500_000_000_000n, max: 1_900_000_000_000n }),
);

/** Any character that UTF-8 has; those of each length in bytes are as frequent. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0x7ff }),
    fc.integer({ min: 0x800, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x10000, max: 0x10ffff }),
  )
  .map((codePoint) => String.fromCodePoint(codePoint));

export function unicodeText(constraints: Omit<fc.StringConstraints, 'unit'> = {}): fc.Arbitrary<string> {
  return fc.string({ unit: character, ...constraints });
}

/** What JSON escapes, what it does not although one may think so, and characters at the edges of UTF-8's lengths. */
export const awkwardText = fc.string({
  unit: fc.constantFrom(
    ...Array.from(
      '"\\/\b\f\n\r\t\0\u001f !#[]<>&\u007f\u0080\u07ff\u0800\u2028\u2029\ud7ff\ue000\ufeff\uffff\u{10000}\u{10ffff}a',
    ),
  ),
  maxLength: 12,
});
export const plainText = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });

const INVALID_UTF8 = [
  [0x80], // a continuation without its start
  [0xc0, 0x80], // overlong
  [0xc1, 0xbf],
  [0xe0, 0x9f, 0xbf],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xed, 0xa0, 0x80], // a surrogate
  [0xed, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80], // past U+10FFFF
  [0xf5, 0x80, 0x80, 0x80],
  [0xff],
  [0xc3], // cut off
  [0xe2, 0x82],
  [0xf0, 0x9f, 0x98],
  [0xc3, 0x28], // a start without its continuation
  [0xe2, 0x28, 0xa1],
  [0xf0, 0x9f, 0x28, 0x80],
].map((bytes) => Uint8Array.from(bytes));

/** UTF-8. */
export const textBytes: fc.Arbitrary<Uint8Array> = fc
  .oneof({ arbitrary: plainText, weight: 4 }, awkwardText, unicodeText({ maxLength: 12 }))
  .map((text) => new TextEncoder().encode(text));

/** Bytes that are mostly UTF-8. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { arbitrary: textBytes, weight: 30 },
  fc.tuple(textBytes, fc.constantFrom(...INVALID_UTF8), textBytes).map((parts) => concat(...parts)),
  fc.uint8Array({ maxLength: 6 }),
);
