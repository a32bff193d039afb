import fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../src/errors.ts';
import { tagOf, VARINT, WireReader } from '../../../src/wire/protobuf.ts';
import {
  concat,
  fixed32Field,
  fixed64Field,
  groupField,
  tag,
  varint,
  varintField,
} from '../../support/protobuf_writer.ts';

/** Bytes among which varints of every length, tags and lengths are frequent. */
const wireBytes = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 14 }),
    fc.array(fc.constantFrom(0, 1, 7, 8, 0x0f, 0x10, 0x7f, 0x80, 0x81, 0xff), { minLength: 1, maxLength: 14 }),
    fc
      .tuple(
        fc.array(fc.constantFrom(0x80, 0x81, 0xff), { maxLength: 12 }),
        fc.nat(0x7f),
        fc.array(fc.nat(255), { maxLength: 3 }),
      )
      .map(([more, last, rest]) => [...more, last, ...rest]),
  )
  .map((bytes) => Uint8Array.from(bytes));

function readerOf(bytes: Uint8Array): WireReader {
  const reader = new WireReader();
  reader.reset(bytes);
  return reader;
}

/** What was read and where the reader stands then; undefined when it is refused. */
function outcome<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    // protobufjs's own errors are not ours.
    expect(error instanceof RequestError ? error.code : 'invalid_protobuf').toBe('invalid_protobuf');
    return undefined;
  }
}

describe('reads and refuses what protobufjs does', () => {
  const readings: Record<
    string,
    [ours: (reader: WireReader) => unknown, theirs: (reader: protobuf.Reader) => unknown]
  > = {
    tags: [(reader) => [reader.tag(), reader.pos], (reader) => [reader.tag(), reader.pos]],
    lengths: [
      (reader) => [reader.lengthEnd(), reader.pos],
      (reader) => {
        const end = reader.size() + reader.pos;
        if (end > reader.len) throw new RangeError('past the end');
        return [end, reader.pos];
      },
    ],
    integers: [
      (reader) => {
        reader.varint64();
        return [reader.low, reader.high, reader.pos];
      },
      (reader) => {
        const { low, high } = reader.int64() as unknown as { low: number; high: number };
        return [low, high, reader.pos];
      },
    ],
    fields: [
      (reader) => {
        while (reader.pos < reader.end) reader.skip(reader.tag(), 0);
        return reader.pos;
      },
      (reader) => {
        while (reader.pos < reader.len) {
          const next = reader.tag();
          reader.skipType(next & 7, 0, next >>> 3);
        }
        return reader.pos;
      },
    ],
  };

  test.each(Object.entries(readings))('%s', (_, [ours, theirs]) => {
    fc.assert(
      fc.property(wireBytes, (bytes) => {
        expect(outcome(() => ours(readerOf(bytes)))).toEqual(outcome(() => theirs(protobuf.Reader.create(bytes))));
      }),
      { numRuns: 5000 },
    );
  });

  test('groups in groups', () => {
    let nested = new Uint8Array(0);
    for (let depth = 0; depth <= 102; depth++) {
      const ours = outcome(() => {
        const reader = readerOf(nested);
        while (reader.pos < reader.end) reader.skip(reader.tag(), 0);
        return reader.pos;
      });
      const theirs = outcome(() => {
        const reader = protobuf.Reader.create(nested);
        while (reader.pos < reader.len) {
          const next = reader.tag();
          reader.skipType(next & 7, 0, next >>> 3);
        }
        return reader.pos;
      });
      expect(ours).toBe(theirs);
      nested = new Uint8Array(groupField(1, concat(nested, varintField(2, 1))));
    }
  });
});

test('fields of every type are skipped', () => {
  const bytes = concat(
    varintField(1, -1),
    fixed64Field(2, 1n),
    fixed32Field(3, 1),
    groupField(5, groupField(6, varintField(1, 1))),
    tag(2 ** 29 - 1, 2),
    varint(3, 2),
    new Uint8Array(3),
  );
  const reader = readerOf(bytes);
  const tags: number[] = [];
  while (reader.pos < reader.end) {
    tags.push(reader.tag());
    reader.skip(tags.at(-1)!, 0);
  }
  expect(tags).toEqual([tagOf(1, VARINT), tagOf(2, 1), tagOf(3, 5), tagOf(5, 3), tagOf(2 ** 29 - 1, 2)]);
});

test('nothing is read past the end of the message that the caller set', () => {
  const bytes = concat(varintField(1, 300), varintField(2, 1));
  const reader = readerOf(bytes);
  reader.end = 2;
  reader.tag();
  expect(() => {
    reader.varint64();
  }).toThrow('cut off at byte 2');
});
