import { describe, expect, test } from 'vitest';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { bytesField, concat, fixed64Field, join, varint, varintField } from '../../support/protobuf_writer.ts';
import { ONE } from '../../support/series.ts';

/*
 * Lengths and numbers that are longer than they have to be, and lengths that say something else than where a message ends. The kernel reads many of them
 * as one byte.
 */
const both = new KernelAndAlone();

/** Tags, and where the length of a varint changes. */
const BYTES = [0x00, 0x01, 0x08, 0x09, 0x0a, 0x10, 0x12, 0x18, 0x20, 0x22, 0x2a, 0x7f, 0x80, 0xff];

interface Paddings {
  readonly series?: number;
  readonly label?: number;
  readonly name?: number;
  readonly value?: number;
  readonly refs?: number;
  readonly sample?: number;
  readonly time?: number;
}

function requestOf(version: 1 | 2, { series, label, name, value, refs, sample, time }: Paddings): Uint8Array {
  const one = bytesField(2, concat(fixed64Field(1, ONE), varintField(2, 1_795_000_000_000, time)), sample);
  const field = (own: string, text: string) =>
    bytesField(1, concat(bytesField(1, own, name), bytesField(2, text, value)), label);
  const labels =
    version === 1
      ? concat(field('__name__', 'up'), field('job', 'node'))
      : bytesField(1, join([1, 2, 3, 4].map((ref) => varint(ref, name))), refs);
  const symbols = ['', '__name__', 'up', 'job', 'node'].map((text) => bytesField(4, text, value));
  const message = bytesField(version === 1 ? 1 : 5, concat(labels, one, one), series);
  return concat(...(version === 1 ? [] : symbols), message, message);
}

describe.each([1, 2] as const)('version %d', (version) => {
  test.each(['series', 'label', 'name', 'value', 'refs', 'sample', 'time'] as const)('%s, padded', (place) => {
    for (let padding = 0; padding <= 4; padding++) {
      const request = requestOf(version, { [place]: padding });
      both.expectSame(request, { version });
      if (padding === 0) expect(both.kernel.takenLines).toBe(4);
      for (let end = 0; end < request.length; end++) both.expectSame(request.subarray(0, end), { version });
    }
  });

  test('another byte instead of each', () => {
    const request = requestOf(version, {});
    for (let at = 0; at < request.length; at++) {
      const changed = request.slice();
      for (const byte of [...BYTES, request[at]! ^ 0x80, request[at]! + 1, request[at]! - 1]) {
        changed[at] = byte;
        both.expectSame(changed, { version });
      }
    }
  });
});

test('a label whose length takes two bytes, the first of which says where it seems to end', () => {
  const one = bytesField(2, concat(fixed64Field(1, ONE), varintField(2, 5)));
  const metricName = bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, 'up')));
  for (let first = 0x80; first < 0xfc; first++) {
    const nameBytes = first >> 1;
    const text = concat(bytesField(1, 'n'.repeat(nameBytes)), bytesField(2, 'v'.repeat(first - 4 - nameBytes)));
    // Its second byte is the tag of the name: so long the label is then, or the series is too short for it.
    for (const samples of [1, 120]) {
      const label = concat(Uint8Array.of(0x0a, first), text, ...new Array<Uint8Array>(samples).fill(one));
      both.expectSame(bytesField(1, concat(metricName, label)), { version: 1 });
      expect(both.kernel.takenLines).toBe(0);
    }
  }
});

describe('a number that runs over the end of what it is in', () => {
  const one = bytesField(2, concat(fixed64Field(1, ONE), varintField(2, 5)));
  const series = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
  // Of so many symbols one is called what the number is together with the byte that follows, the tag of a sample.
  const symbols = bytesField(4, '');
  const texts = Array.from({ length: 2_400 }, (_, index) =>
    index === 0 ? '__name__' : `n${String(index).padStart(4, '0')}`,
  );
  const table = concat(symbols, ...texts.map((text) => bytesField(4, text)));
  const plain = series(bytesField(1, Uint8Array.of(1, 2)), one);

  test.each<[string, Uint8Array]>([
    ['the reference of a value', series(bytesField(1, Uint8Array.of(1, 2, 3, 0x84)), Uint8Array.of(0x12), one)],
    ['the reference of a name', series(bytesField(1, Uint8Array.of(1, 2, 0x83)), Uint8Array.of(0x12, 4), one)],
    ['the type of metadata', series(bytesField(1, Uint8Array.of(1, 2)), one, bytesField(5, Uint8Array.of(0x08, 0x81)))],
    ['the help of metadata', series(bytesField(1, Uint8Array.of(1, 2)), one, bytesField(5, Uint8Array.of(0x18, 0x81)))],
    [
      'a time',
      series(bytesField(1, Uint8Array.of(1, 2)), bytesField(2, Uint8Array.of(0x10, 0x85)), Uint8Array.of(0x05), one),
    ],
    ['the length of a symbol', Uint8Array.of(0x22, 0x80)],
    ['the length of a series', Uint8Array.of(0x2a, 0x80)],
  ])('%s', (_, odd) => {
    for (const request of [
      concat(table, odd),
      concat(table, odd, plain),
      concat(table, odd, Uint8Array.of(0), plain),
    ]) {
      both.expectSame(request, { version: 2 });
    }
  });
});

describe('a length of more bytes than there are, which added to where it stands is a place before it', () => {
  const one = bytesField(2, concat(fixed64Field(1, ONE), varintField(2, 5)));
  const labels = bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, 'up')));
  const symbols = concat(...['', '__name__', 'up'].map((text) => bytesField(4, text)));
  const refs = bytesField(1, Uint8Array.of(1, 2));

  test.each<[string, 1 | 2, (length: Uint8Array) => Uint8Array]>([
    ['of a series', 1, (length) => concat(Uint8Array.of(0x0a), length, labels, one)],
    ['of a label', 1, (length) => bytesField(1, concat(Uint8Array.of(0x0a), length, labels, one))],
    ['of a sample', 1, (length) => bytesField(1, concat(labels, Uint8Array.of(0x12), length, one))],
    ['of a symbol', 2, (length) => concat(symbols, Uint8Array.of(0x22), length, bytesField(5, concat(refs, one)))],
    ['of a series', 2, (length) => concat(symbols, Uint8Array.of(0x2a), length, refs, one)],
    ['of references', 2, (length) => concat(symbols, bytesField(5, concat(Uint8Array.of(0x0a), length, refs, one)))],
    [
      'of metadata',
      2,
      (length) => concat(symbols, bytesField(5, concat(refs, one, Uint8Array.of(0x2a), length, refs))),
    ],
  ])('%s: version %d', (_, version, requestOf) => {
    for (const power of [31n, 32n, 35n, 49n, 56n, 63n, 64n]) {
      for (let more = -40n; more <= 40n; more++) both.expectSame(requestOf(varint(2n ** power + more)), { version });
    }
  });
});
