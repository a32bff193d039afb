import fc from 'fast-check';
import { doubleBits, int64 } from './arbitrary_values.ts';
import {
  bytesField,
  concat,
  fixed32Field,
  fixed64Field,
  groupField,
  join,
  tag,
  varint,
  varintField,
  WIRE_TYPE,
} from './protobuf_writer.ts';

/*
 * What the wire format allows of any message: fields absent, empty, repeated and in any order, numbers longer than they have to be, unknown fields,
 * known fields of a wrong wire type; and, rarely, what it does not allow.
 */

export type Bytes = fc.Arbitrary<Uint8Array>;
export type Fields = fc.Arbitrary<readonly Uint8Array[]>;

const fieldNumber = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 29 - 1 }));
/** Bytes by which a varint is longer than it has to be. */
export const padding = fc.oneof({ arbitrary: fc.constant(0), weight: 12 }, fc.nat(4));

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
export function message(fields: Fields): Bytes {
  const odd = fc.oneof(
    { arbitrary: fc.constant([]), weight: 240 },
    { arbitrary: fc.array(anyField, { minLength: 1, maxLength: 2 }), weight: 30 },
    { arbitrary: fc.tuple(brokenField), weight: 1 },
  );
  return fc.tuple(fields, odd, fc.nat()).map(([known, unknown, shift]) => {
    const all = [...known];
    unknown.forEach((field, index) => all.splice((shift + index) % (known.length + 1), 0, field));
    return join(all);
  });
}

/** None, one or, rarely, several of a field. */
export function some(field: Bytes): Fields {
  return fc.oneof(
    { arbitrary: fc.tuple(field), weight: 30 },
    fc.constant([]),
    fc.array(field, { minLength: 2, maxLength: 3 }),
  );
}

/** Mostly none of a field, else one or two. */
export function sometimes(field: Bytes): Fields {
  return fc.oneof({ arbitrary: fc.constant([]), weight: 4 }, fc.array(field, { minLength: 1, maxLength: 2 }));
}

/** All of several lists, in their order or in any. */
export function mixed(...lists: readonly Fields[]): Fields {
  const inOrder = fc.tuple(...lists).map((parts) => parts.flat());
  const shuffled = inOrder.chain((parts) => fc.shuffledSubarray(parts, { minLength: parts.length }));
  return fc.oneof({ arbitrary: inOrder, weight: 4 }, shuffled);
}

export function lengthDelimited(number: number, content: Bytes): Bytes {
  return fc.tuple(content, padding).map(([bytes, extra]) => bytesField(number, bytes, extra));
}

/** A number as a varint that is as long as it may be. */
export function paddedVarintField(number: number, value: bigint | number, extra: number): Uint8Array {
  return varintField(number, value, varint(value).length + extra > 10 ? 0 : extra);
}

/** How the numbers of a repeated field stand on the wire: all of them packed, each on its own, in two runs, or a run and then one by one. */
export interface Packing {
  readonly form: 'packed' | 'unpacked' | 'split' | 'mixed';
  readonly cut: number;
}

export const packings: fc.Arbitrary<Packing> = fc.record({
  form: fc.oneof(
    { arbitrary: fc.constant('packed' as const), weight: 6 },
    fc.constantFrom('unpacked' as const, 'split' as const, 'mixed' as const),
  ),
  cut: fc.nat(5),
});

/** The fields of repeated numbers; each of `values` is one, encoded. An empty list is no field or, where it is packed, may be an empty one. */
export function numberFields(
  number: number,
  wireType: typeof WIRE_TYPE.varint | typeof WIRE_TYPE.fixed64,
  { values, packing }: { readonly values: readonly Uint8Array[]; readonly packing: Packing },
): Uint8Array[] {
  const { form, cut } = packing;
  const run = (part: readonly Uint8Array[]) => bytesField(number, join(part));
  const single = (value: Uint8Array) => concat(tag(number, wireType), value);
  switch (form) {
    case 'packed':
      return values.length === 0 ? [] : [run(values)];
    case 'unpacked':
      return values.map(single);
    case 'split':
      return [run(values.slice(0, cut)), run(values.slice(cut))];
    case 'mixed':
      return [run(values.slice(0, cut)), ...values.slice(cut).map(single)];
  }
}
