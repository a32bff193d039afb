import { describe, expect, test } from 'vitest';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { bytesField, concat, join, varint } from '../../support/protobuf_writer.ts';
import { label, name, sample, seriesOf, time, value, valueOne } from '../../support/series.ts';

const PLAIN = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f];
const SPECIAL = [0x00, 0x1f, 0x22, 0x5c, 0x80, 0xff];
const LENGTHS = [...Array.from({ length: 34 }, (_, index) => index + 1), 47, 48, 49, 63, 64, 65, 80, 100];

/** Texts of a length with each of the bytes at each of the places. */
function texts(length: number, bytes: readonly number[]): Uint8Array[] {
  return Array.from({ length: length * bytes.length }, (_, index) => {
    const text = new Uint8Array(length).fill(0x62);
    text[Math.floor(index / bytes.length)] = bytes[index % bytes.length]!;
    return text;
  });
}

type Label = readonly [name: Uint8Array | string, value: Uint8Array | string];

function requestOf(version: 1 | 2, series: readonly (readonly Label[])[]): Uint8Array {
  const one = sample(valueOne, time(1));
  if (version === 1) {
    return join(series.map((labels) => seriesOf(...labels.map((pair) => label(name(pair[0]), value(pair[1]))), one)));
  }
  const symbols = series.flat(2);
  let ref = 1;
  const messages = series.map((labels) => {
    const refs = join(labels.flatMap(() => [varint(ref++), varint(ref++)]));
    return bytesField(5, concat(bytesField(1, refs), one));
  });
  return join([bytesField(4, ''), ...symbols.map((symbol) => bytesField(4, symbol)), ...messages]);
}

describe.each([1, 2] as const)('texts of version %d', (version) => {
  const both = new KernelAndAlone();

  /** Each as a value, as the metric's name and as the name of a label, which stands behind the metric's where it begins with a letter. */
  function labelsOf(text: Uint8Array): Label[][] {
    const metric: Label = ['__name__', 'up'];
    const own: Label = [text, 'v'];
    return [
      [metric, ['l', text]],
      [['__name__', text]],
      Buffer.compare(text, Buffer.from('__name__')) < 0 ? [own, metric] : [metric, own],
    ];
  }

  test.each(LENGTHS)('%d bytes, with any byte at any place', (length) => {
    const plain = texts(length, PLAIN).flatMap(labelsOf);
    both.expectSame(requestOf(version, plain), { version });
    expect(both.kernel.takenLines).toBe(plain.length);
    const special = texts(length, SPECIAL).flatMap(labelsOf);
    both.expectSame(requestOf(version, special), { version });
    expect(both.kernel.takenLines).toBe(0);
  });

  test('names in any order, each of them the start of another', () => {
    const names = ['', 'a', 'b', 'ab', 'ba', 'abb', 'aba', '_', '__', '__name_', '__name__0', '__name_`', '~', '\x7f'];
    const pairs = names.flatMap((one) =>
      names.map((other): Label[] => [
        [one, 'v'],
        [other, 'w'],
      ]),
    );
    const series = pairs.flatMap(([one, other]) =>
      [0, 1, 2].map((at) => [one!, other!].toSpliced(at, 0, ['__name__', 'up'])),
    );
    const sorted = series.filter((labels) =>
      labels.every(([own], at) => own !== '' && (at === 0 || labels[at - 1]![0] < own)),
    );
    both.expectSame(requestOf(version, series), { version });
    expect(both.kernel.takenLines).toBe(sorted.length);
  });
});
