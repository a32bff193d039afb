import fc from 'fast-check';
import {
  doubleField,
  histogramMessage,
  labelName,
  metadataText,
  metricName,
  timeField,
  typeField,
} from './arbitrary_requests.ts';
import { anyBytes, int64 } from './arbitrary_values.ts';
import {
  lengthDelimited,
  message,
  mixed,
  numberFields,
  packings,
  padding,
  some,
  sometimes,
  type Bytes,
  type Fields,
} from './arbitrary_wire.ts';
import { bytesField, varint, varintField, WIRE_TYPE } from './protobuf_writer.ts';

/*
 * Generated remote write 2.0 requests with all that the wire format allows. Most of them decode, and most of their series can be archived.
 *
 * What a symbol stands for is told by where it is in the table, so that references can be made without knowing the symbols:
 *
 *     0 ""   1 __name__   2… metric names   6… label names   18… values
 */
const METRIC_NAMES = { first: 2, count: 4 };
const LABEL_NAMES = { first: 6, count: 12 };
const VALUES = { first: 18, count: 14 };
const SYMBOL_COUNT = 32;

type Ref = fc.Arbitrary<number | bigint>;

function refTo({ first, count }: typeof VALUES): fc.Arbitrary<number> {
  return fc.integer({ min: first, max: first + count - 1 });
}

/** Mostly of a symbol that there is. */
const anyRef: Ref = fc.oneof(
  { arbitrary: fc.nat(SYMBOL_COUNT - 1), weight: 30 },
  fc.constantFrom<number | bigint>(SYMBOL_COUNT, 2 ** 31, 2 ** 32 - 1, 2n ** 32n + 1n, -1),
  int64,
);

const exactly = <Element>(element: fc.Arbitrary<Element>, count: number) =>
  fc.array(element, { minLength: count, maxLength: count });

const symbolTable: fc.Arbitrary<readonly Uint8Array[]> = fc
  .tuple(
    exactly(metricName, METRIC_NAMES.count),
    fc.oneof(
      {
        arbitrary: fc.uniqueArray(labelName, {
          minLength: LABEL_NAMES.count,
          maxLength: LABEL_NAMES.count,
          selector: (name) => Buffer.from(name).toString('latin1'),
        }),
        weight: 8,
      },
      exactly(labelName, LABEL_NAMES.count),
    ),
    exactly(metadataText(anyBytes), VALUES.count),
  )
  .map((parts) => [new Uint8Array(0), new TextEncoder().encode('__name__'), ...parts.flat()]);

const symbols: Fields = fc
  .tuple(
    symbolTable,
    padding,
    fc.oneof(
      { arbitrary: fc.constant({ from: 0, to: SYMBOL_COUNT }), weight: 40 },
      // Refused, unless the table then begins with an empty symbol.
      fc.constant({ from: 1, to: SYMBOL_COUNT }),
      fc.nat(SYMBOL_COUNT).map((to) => ({ from: 0, to })),
    ),
  )
  .map(([table, extra, { from, to }]) => table.slice(from, to).map((symbol) => bytesField(4, symbol, extra)));

const labelRefs: fc.Arbitrary<readonly (number | bigint)[]> = fc
  .tuple(
    fc.oneof(
      { arbitrary: refTo(METRIC_NAMES).map((ref) => [1, ref]), weight: 30 },
      fc.constant([]),
      fc.array(anyRef, { maxLength: 3 }),
    ),
    fc.uniqueArray(fc.tuple(refTo(LABEL_NAMES), fc.oneof({ arbitrary: refTo(VALUES), weight: 20 }, anyRef)), {
      maxLength: 5,
      selector: ([name]) => name,
    }),
    fc.boolean(),
  )
  .map(([name, others, isLast]) => (isLast ? [...others.flat(), ...name] : [...name, ...others.flat()]));

/** References as field 1 of a series or an exemplar. */
function refFields(refs: fc.Arbitrary<readonly (number | bigint)[]>): Fields {
  return fc.tuple(refs, packings, padding).map(([list, packing, extra]) => {
    const values = list.map((ref) => varint(ref, varint(ref).length + extra > 10 ? 0 : extra));
    return numberFields(1, WIRE_TYPE.varint, { values, packing });
  });
}

const startField = (number: number) => fc.oneof(timeField(number), fc.constant(varintField(number, 0)));
const seldom = (fields: Fields): Fields => fc.oneof({ arbitrary: fc.constant([]), weight: 2 }, fields);

const sample = lengthDelimited(
  2,
  message(mixed(some(doubleField(1)), some(timeField(2)), seldom(some(startField(3))))),
);
const samples: Fields = fc.oneof(
  { arbitrary: fc.tuple(sample), weight: 12 },
  { arbitrary: fc.array(sample, { maxLength: 4 }), weight: 4 },
  fc.constant([]),
);

const exemplarRefs = fc.oneof(fc.constant([]), { arbitrary: labelRefs, weight: 3 }, fc.array(anyRef, { maxLength: 3 }));
const exemplar = lengthDelimited(4, message(mixed(refFields(exemplarRefs), some(doubleField(2)), some(timeField(3)))));

const metadata = lengthDelimited(
  5,
  message(
    mixed(
      some(typeField),
      some(fc.oneof({ arbitrary: refTo(VALUES), weight: 8 }, anyRef).map((ref) => varintField(3, ref))),
      seldom(some(fc.oneof({ arbitrary: refTo(VALUES), weight: 8 }, anyRef).map((ref) => varintField(4, ref)))),
    ),
  ),
);

const series = lengthDelimited(
  5,
  message(
    mixed(
      refFields(labelRefs),
      samples,
      sometimes(lengthDelimited(3, histogramMessage)),
      sometimes(exemplar),
      some(metadata),
      seldom(some(startField(6))),
    ),
  ),
);

/** An io.prometheus.write.v2.Request of up to eight series. Its symbols stand before, behind or among them, mostly in their order. */
export const writeRequestsV2: Bytes = message(
  fc
    .record({
      symbols,
      allSeries: fc.array(series, { maxLength: 8 }),
      order: fc.oneof(
        { arbitrary: fc.constant('before' as const), weight: 12 },
        { arbitrary: fc.constantFrom('behind' as const, 'between' as const), weight: 6 },
        fc.constant('none' as const),
      ),
      at: fc.nat(SYMBOL_COUNT),
    })
    .map(({ symbols, allSeries, order, at }) => {
      switch (order) {
        case 'before':
          return [...symbols, ...allSeries];
        case 'behind':
          return [...allSeries, ...symbols];
        case 'between':
          return [...symbols.slice(0, at), ...allSeries, ...symbols.slice(at)];
        case 'none':
          return allSeries;
      }
    }),
);
