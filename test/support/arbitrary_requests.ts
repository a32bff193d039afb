import fc from 'fast-check';
import { anyBytes, awkwardText, doubleBits, int64, plainText, textBytes } from './arbitrary_values.ts';
import {
  bytesField,
  concat,
  fixed32Field,
  fixed64Field,
  groupField,
  tag,
  varint,
  varintField,
} from './protobuf_writer.ts';

/*
 * Generated remote write 1.0 requests with all that the wire format allows: fields absent, empty, repeated and in any order, numbers longer than
 * they have to be, unknown fields, known fields of a wrong wire type. Most of them decode, and most of their series can be archived.
 */

type Bytes = fc.Arbitrary<Uint8Array>;

const LABEL_NAMES =
  'job instance a ab abc b le A _ __a __name __name__x __name_` 1 10 2 z __proto__ constructor toString length'
    .split(' ')
    .concat(['', ' ', 'a b', 'a.b', 'é', 'ÿ', '\ue000', '\ufeff', '\ufeffa', '\uffff', '\u{10000}', '😀']);

const labelName: Bytes = fc.oneof(
  { arbitrary: fc.constantFrom(...LABEL_NAMES).map((name) => new TextEncoder().encode(name)), weight: 8 },
  { arbitrary: textBytes, weight: 2 },
  anyBytes,
);

const fieldNumber = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 29 - 1 }));
const padding = fc.oneof({ arbitrary: fc.constant(0), weight: 12 }, fc.nat(4));

/** A field of any number and any wire type. */
const anyField: Bytes = fc.oneof(
  fc.tuple(fieldNumber, int64, padding).map(([number, value, extra]) => varintField(number, value, extra)),
  fc.tuple(fieldNumber, doubleBits).map(([number, bits]) => fixed64Field(number, bits)),
  fc.tuple(fieldNumber, fc.nat()).map(([number, bits]) => fixed32Field(number, bits)),
  fc.tuple(fieldNumber, fc.uint8Array({ maxLength: 8 })).map(([number, bytes]) => bytesField(number, bytes)),
  fc
    .tuple(fieldNumber, fieldNumber, int64)
    .map(([number, inner, value]) => groupField(number, groupField(inner, varintField(1, value)))),
);

/** What no field may be. */
const brokenField: Bytes = fc.oneof(
  fc.constantFrom(6, 7).chain((wireType) => fieldNumber.map((number) => tag(number, wireType))),
  fieldNumber.map((number) => tag(number, 4)),
  fieldNumber.map((number) => tag(number, 3)),
  fc.tuple(fieldNumber, fieldNumber).map(([start, end]) => concat(tag(start, 3), tag(end, 4))),
  fc.constantFrom(0, 1, 2, 5).map((wireType) => concat(tag(0, wireType), new Uint8Array(8))),
  fc.constant(concat(tag(20, 0), Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]))),
  fc.constant(concat(tag(20, 2), Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f]))),
  fc.constant(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x1f, 0])),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
);

/** Fields in any order, now and then with one that does not belong there. */
function message(fields: fc.Arbitrary<readonly Uint8Array[]>): Bytes {
  const odd = fc.oneof(
    { arbitrary: fc.constant([]), weight: 240 },
    { arbitrary: fc.array(anyField, { minLength: 1, maxLength: 2 }), weight: 30 },
    { arbitrary: fc.tuple(brokenField), weight: 1 },
  );
  return fc.tuple(fields, odd, fc.nat()).map(([known, unknown, shift]) => {
    const all = [...known];
    unknown.forEach((field, index) => all.splice((shift + index) % (known.length + 1), 0, field));
    return concat(...all);
  });
}

/** None, one or, rarely, several of a field. */
function some(field: Bytes): fc.Arbitrary<readonly Uint8Array[]> {
  return fc.oneof(
    { arbitrary: fc.tuple(field), weight: 30 },
    fc.constant([]),
    fc.array(field, { minLength: 2, maxLength: 3 }),
  );
}

/** All of several lists, in their order or in any. */
function mixed(...lists: readonly fc.Arbitrary<readonly Uint8Array[]>[]): fc.Arbitrary<readonly Uint8Array[]> {
  const inOrder = fc.tuple(...lists).map((parts) => parts.flat());
  const shuffled = inOrder.chain((parts) => fc.shuffledSubarray(parts, { minLength: parts.length }));
  return fc.oneof({ arbitrary: inOrder, weight: 4 }, shuffled);
}

function lengthDelimited(number: number, content: Bytes): Bytes {
  return fc.tuple(content, padding).map(([bytes, extra]) => bytesField(number, bytes, extra));
}

function label(name: Bytes, value: Bytes): Bytes {
  return lengthDelimited(1, message(mixed(some(lengthDelimited(1, name)), some(lengthDelimited(2, value)))));
}

const plainLabel: Bytes = fc
  .tuple(labelName, textBytes)
  .map(([name, value]) => bytesField(1, concat(bytesField(1, name), bytesField(2, value))));
const metricName: Bytes = fc
  .oneof(
    { arbitrary: fc.constantFrom('up', 'node_cpu_seconds_total', 'http.requests', 'größe'), weight: 20 },
    plainText,
    awkwardText,
  )
  .map((name) => bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, name))));

const labels: fc.Arbitrary<readonly Uint8Array[]> = mixed(
  fc.oneof({ arbitrary: fc.tuple(metricName), weight: 30 }, some(metricName)),
  fc.oneof(
    { arbitrary: fc.uniqueArray(plainLabel, { maxLength: 6, selector: nameKey }), weight: 20 },
    { arbitrary: fc.array(label(labelName, anyBytes), { maxLength: 4 }), weight: 2 },
  ),
);

/** The name of a label that is encoded plainly. */
function nameKey(field: Uint8Array): string {
  return Buffer.from(field.subarray(4, 4 + field[3]!)).toString('latin1');
}

const time: Bytes = fc
  .tuple(int64, padding)
  .map(([value, extra]) => varintField(2, value, varint(value).length + extra > 10 ? 0 : extra));
const sample = lengthDelimited(2, message(mixed(some(doubleBits.map((bits) => fixed64Field(1, bits))), some(time))));

const exemplar = lengthDelimited(
  3,
  message(
    mixed(
      fc.array(label(labelName, anyBytes), { maxLength: 2 }),
      some(doubleBits.map((bits) => fixed64Field(2, bits))),
      some(int64.map((value) => varintField(3, value))),
    ),
  ),
);

/** Numbers of a repeated field: packed, and then one of them on its own. */
function packed(number: number, values: readonly (number | bigint)[]): Uint8Array {
  return concat(
    bytesField(number, concat(...values.map((value) => varint(value)))),
    varintField(number, values[0] ?? 0),
  );
}

const histogram = lengthDelimited(
  4,
  message(
    mixed(
      some(int64.map((count) => varintField(1, count))),
      some(doubleBits.map((sum) => fixed64Field(3, sum))),
      some(fc.integer({ min: 0, max: 16 }).map((schema) => varintField(4, schema))),
      some(
        fc
          .tuple(fc.nat(9), fc.nat(9))
          .map(([offset, length]) => bytesField(11, concat(varintField(1, offset), varintField(2, length)))),
      ),
      some(fc.array(int64, { maxLength: 3 }).map((deltas) => packed(12, deltas))),
      some(
        fc
          .uint8Array({ maxLength: 9 })
          .map((bytes) => bytesField(13, bytes.subarray(0, 8 * Math.floor(bytes.length / 8)))),
      ),
      some(int64.map((value) => varintField(15, value))),
    ),
  ),
);

const samples = fc.oneof(
  { arbitrary: fc.tuple(sample), weight: 12 },
  { arbitrary: fc.array(sample, { maxLength: 4 }), weight: 4 },
  fc.constant([]),
);
const rarely = (field: Bytes) => fc.oneof({ arbitrary: fc.constant([]), weight: 8 }, fc.array(field, { maxLength: 2 }));

const series = lengthDelimited(1, message(mixed(labels, samples, rarely(exemplar), rarely(histogram))));

const metadata = lengthDelimited(
  3,
  message(
    mixed(
      some(fc.nat(9).map((type) => varintField(1, type))),
      some(lengthDelimited(2, anyBytes)),
      some(lengthDelimited(4, anyBytes)),
    ),
  ),
);

/** A prometheus.WriteRequest of up to ten series. */
export const writeRequests: Bytes = message(mixed(fc.array(series, { maxLength: 10 }), rarely(metadata)));
