import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bitsOf, doubleOf, doubleToken } from '../../../src/record.ts';
import { wordOf, writeAscii, writeDouble, writeInt64 } from '../../../src/write/json_number.ts';
import { doubleBits, int64 } from '../../support/arbitrary_values.ts';

/** What is written at byte 3, once it is known that nothing before it and no more than 12 bytes behind it changed. */
function written(write: (view: DataView, pos: number) => number): string {
  const bytes = Buffer.alloc(64, 0xee);
  const end = write(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 3);
  expect(bytes.subarray(0, 3).toString('hex')).toBe('eeeeee');
  expect(bytes.subarray(end + 12).toString('hex')).toBe('ee'.repeat(64 - end - 12));
  return bytes.toString('latin1', 3, end);
}

test('finite doubles', () => {
  fc.assert(
    fc.property(doubleBits, (bits) => {
      const value = doubleOf(bits);
      if (Number.isFinite(value)) expect(written((view, pos) => writeDouble(view, pos, value))).toBe(doubleToken(bits));
    }),
    { numRuns: 10_000 },
  );
});

test('decimals of every length, and the doubles next to them', () => {
  const view = new DataView(new ArrayBuffer(64));
  for (let digits = 1; digits <= 16; digits++) {
    const numbers = fc.integer({ min: 10 ** (digits - 1), max: Math.min(10 ** digits, 2 ** 53) - 1 });
    for (let decimals = 0; decimals <= 20; decimals++) {
      for (const number of fc.sample(numbers, 20)) {
        const bits = bitsOf(number / 10 ** decimals);
        for (const value of [bits - 1n, bits, bits + 1n].flatMap((near) => [doubleOf(near), -doubleOf(near)])) {
          const text = Buffer.from(view.buffer, 0, writeDouble(view, 0, value)).toString('latin1');
          // `expect` takes longer than all the rest.
          if (text !== String(value)) expect(text).toBe(String(value));
        }
      }
    }
  }
});

test('every small integer, and around every power of ten', () => {
  const powers = Array.from({ length: 16 }, (_, power) => [10 ** power - 1, 10 ** power, 10 ** power + 1]).flat();
  for (const value of [...Array(2000).keys(), ...powers, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 60]) {
    expect(written((view, pos) => writeDouble(view, pos, value))).toBe(String(value));
    if (value > 0) expect(written((view, pos) => writeDouble(view, pos, -value))).toBe(String(-value));
  }
});

test('the whole of int64', () => {
  fc.assert(
    fc.property(int64, (value) => {
      const halves = { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
      expect(written((view, pos) => writeInt64(view, pos, halves))).toBe(String(value));
    }),
    { numRuns: 5000 },
  );
});

test('texts', () => {
  expect(written((view, pos) => writeAscii(view, pos, '"NaN"'))).toBe('"NaN"');
  expect(wordOf('abcde')).toBe(0x6463_6261);
  expect(wordOf('":"')).toBe(0x22_3a22);
  expect(wordOf('')).toBe(0);
});
