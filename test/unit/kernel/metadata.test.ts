import { describe, expect, test } from 'vitest';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { bytesField, concat, varint, varintField } from '../../support/protobuf_writer.ts';
import { sample, time, valueOne } from '../../support/series.ts';

const SYMBOLS = concat(...['', '__name__', 'up', 'down', 'help', 'bytes', 'x'].map((text) => bytesField(4, text)));
const one = sample(valueOne, time(5));

const type = (number: number | bigint) => varintField(1, number);
const help = (ref: number | bigint) => varintField(3, ref);
const unit = (ref: number | bigint) => varintField(4, ref);
const metadata = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
const seriesOf = (name: number, ...fields: readonly Uint8Array[]) =>
  bytesField(5, concat(bytesField(1, concat(varint(1), varint(name))), ...fields));
const times = (count: number, field: Uint8Array) => new Array<Uint8Array>(count).fill(field);

const both = new KernelAndAlone();

describe('metadata behind the samples of a series', () => {
  test.each<[string, Uint8Array, number]>([
    ['none', new Uint8Array(0), 3],
    ['empty', metadata(), 3],
    ['type, help and unit', metadata(type(1), help(4), unit(5)), 3],
    ['in another order', metadata(unit(5), type(1), help(4)), 3],
    ['of each field the last counts', metadata(type(2), help(4), type(1), help(5), unit(4), unit(0)), 3],
    ['numbers longer than they have to be', metadata(varintField(1, 1, 3), varintField(3, 4, 6)), 3],
    ['127 bytes', metadata(...times(62, type(1)), varintField(3, 4, 1)), 3],
    ['128 bytes', metadata(...times(63, type(1)), help(4)), 0],
    ['a type that is not known', metadata(type(1_000)), 3],
    ['the largest type that there may be', metadata(type(2 ** 31 - 1)), 3],
    ['a larger type', metadata(type(2 ** 31)), 0],
    ['a type that is 1 as 32 bits', metadata(type(2n ** 32n + 1n)), 0],
    ['a negative type', metadata(type(-1)), 0],
    ['help that is not there', metadata(type(1), help(7)), 3],
    ['a unit that is not there', metadata(type(1), unit(2 ** 31 - 1)), 3],
    ['help that is not there, far off', metadata(help(2n ** 32n - 1n)), 0],
    ['help that is 4 as 32 bits', metadata(help(2n ** 32n + 4n)), 0],
    ['a field that is not known', metadata(type(1), varintField(2, 1)), 0],
    ['a field of another wire type', metadata(bytesField(1, 'x')), 0],
    ['twice', concat(metadata(type(1)), metadata(help(4))), 0],
    ['before a field that is not known', concat(metadata(type(1)), varintField(15, 1)), 0],
    ['before a start of the series', concat(metadata(type(1)), varintField(6, 1)), 0],
    ['before a sample', concat(metadata(type(1)), one), 0],
  ])('%s', (_, fields, taken) => {
    const series = [2, 3, 2].map((name) => seriesOf(name, one, fields));
    both.expectSame(concat(SYMBOLS, ...series), { version: 2 });
    expect(both.kernel.takenLines).toBe(taken);
  });

  // Its first byte, taken for the whole of it, says where the series ends, and its second is the tag of a field.
  test('a length of two bytes that goes beyond the series', () => {
    for (let first = 0x80; first <= 0xff; first++) {
      for (const second of [0x08, 0x18, 0x20]) {
        const fields = first % 2 === 0 ? [second, 0] : [second, 0x80, 0];
        while (fields.length < first) fields.push(0x08, 0);
        const message = Uint8Array.of(0x2a, first, ...fields);
        both.expectSame(concat(SYMBOLS, seriesOf(2, one, message)), { version: 2 });
      }
    }
  });

  test('cut off at any byte', () => {
    const message = metadata(type(1), help(4), unit(5));
    for (let end = 0; end < message.length; end++) {
      both.expectSame(concat(SYMBOLS, seriesOf(2, one, message.subarray(0, end)), seriesOf(3, one)), { version: 2 });
    }
  });
});

test('what series of two names have is told apart, also where both are kept in one place', () => {
  const entries = both.kernel.memo.length / 4;
  const fill = 'x'.repeat(entries - 'up'.length - 5);
  const texts = ['', '__name__', 'up', fill, 'no', 'help', 'other'];
  const symbols = concat(...texts.map((text) => bytesField(4, text)));
  const [up, no] = ['up', 'no'].map((text) => Buffer.from(symbols).indexOf(text));
  expect(no! - up!).toBe(entries);

  const first = metadata(type(1), help(5));
  const other = metadata(type(2), help(6));
  both.expectSame(concat(symbols, ...[2, 4, 2, 4].map((name) => seriesOf(name, one, first))), { version: 2 });
  expect(both.kernel.takenLines).toBe(4);

  const series = [2, 4, 2, 2, 4, 4, 2].flatMap((name) => [seriesOf(name, one, first), seriesOf(name, one, other)]);
  both.expectSame(concat(symbols, ...series, ...times(3, seriesOf(4, one, other))), { version: 2 });
  expect(both.kernel.takenLines).toBe(17);
});

test('what an earlier request had counts for nothing', () => {
  const request = (helpRef: number) => concat(SYMBOLS, ...times(2, seriesOf(2, one, metadata(type(1), help(helpRef)))));
  for (const ref of [4, 4, 6, 9, 9, 4]) {
    both.expectSame(request(ref), { version: 2 });
    expect(both.kernel.takenLines).toBe(2);
  }
});
