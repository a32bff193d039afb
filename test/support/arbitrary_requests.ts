import fc from 'fast-check';
import { anyHistograms, staleHistograms, validHistograms } from './arbitrary_histograms.ts';
import { anyBytes, awkwardText, doubleBits, int64, plainText, textBytes } from './arbitrary_values.ts';
import {
  lengthDelimited,
  message,
  mixed,
  packings,
  padding,
  paddedVarintField,
  some,
  sometimes,
  type Bytes,
  type Fields,
} from './arbitrary_wire.ts';
import { BROKEN_HISTOGRAMS } from './broken_histograms.ts';
import { histogramFields } from './histogram_writer.ts';
import { bytesField, concat, fixed64Field, varintField } from './protobuf_writer.ts';

/*
 * Generated remote write 1.0 requests with all that the wire format allows. Most of them decode, and most of their series can be archived.
 */

const LABEL_NAMES =
  'job instance a ab abc b le A _ __a __name __name__x __name_` 1 10 2 z __proto__ constructor toString length'
    .split(' ')
    .concat(['', ' ', 'a b', 'a.b', 'é', 'ÿ', '\ue000', '\ufeff', '\ufeffa', '\uffff', '\u{10000}', '😀']);

export const labelName: Bytes = fc.oneof(
  { arbitrary: fc.constantFrom(...LABEL_NAMES).map((name) => new TextEncoder().encode(name)), weight: 8 },
  { arbitrary: textBytes, weight: 2 },
  anyBytes,
);

export const metricName: Bytes = fc
  .oneof(
    { arbitrary: fc.constantFrom('up', 'node_cpu_seconds_total', 'http.requests', 'größe'), weight: 20 },
    plainText,
    awkwardText,
  )
  .map((name) => new TextEncoder().encode(name));

function label(name: Bytes, value: Bytes): Bytes {
  return lengthDelimited(1, message(mixed(some(lengthDelimited(1, name)), some(lengthDelimited(2, value)))));
}

const plainLabel: Bytes = fc
  .tuple(labelName, textBytes)
  .map(([name, value]) => bytesField(1, concat(bytesField(1, name), bytesField(2, value))));
const nameLabel: Bytes = metricName.map((name) =>
  bytesField(1, concat(bytesField(1, '__name__'), bytesField(2, name))),
);

const labels: Fields = mixed(
  fc.oneof({ arbitrary: fc.tuple(nameLabel), weight: 30 }, some(nameLabel)),
  fc.oneof(
    { arbitrary: fc.uniqueArray(plainLabel, { maxLength: 6, selector: nameKey }), weight: 20 },
    { arbitrary: fc.array(label(labelName, anyBytes), { maxLength: 4 }), weight: 2 },
  ),
);

/** The name of a label that is encoded plainly. */
function nameKey(field: Uint8Array): string {
  return Buffer.from(field.subarray(4, 4 + field[3]!)).toString('latin1');
}

/** A number of type int64. */
export function timeField(number: number): Bytes {
  return fc.tuple(int64, padding).map(([value, extra]) => paddedVarintField(number, value, extra));
}

export function doubleField(number: number): Bytes {
  return doubleBits.map((bits) => fixed64Field(number, bits));
}

/** A type of metadata, or a number that is none. */
export const typeField: Bytes = fc
  .oneof({ arbitrary: fc.nat(7), weight: 8 }, fc.constantFrom(8, -1), int64)
  .map((type) => varintField(1, type));

/** A few bytes as any field of a histogram, in any wire type that one of them has. */
const histogramNoise: Fields = fc.array(
  fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 17 }), int64).map(([number, value]) => varintField(number, value)),
    fc.tuple(fc.integer({ min: 1, max: 17 }), doubleBits).map(([number, bits]) => fixed64Field(number, bits)),
    fc
      .tuple(fc.integer({ min: 8, max: 16 }), fc.uint8Array({ maxLength: 16 }))
      .map(([number, bytes]) => bytesField(number, bytes)),
  ),
  { maxLength: 4 },
);

/** The content of a message Histogram: mostly a valid one. */
export const histogramMessage: Bytes = message(
  mixed(
    fc
      .record({
        histogram: fc.oneof(
          { arbitrary: validHistograms, weight: 10 },
          { arbitrary: fc.oneof(...BROKEN_HISTOGRAMS.map(([, histograms]) => histograms)), weight: 3 },
          { arbitrary: staleHistograms, weight: 2 },
          { arbitrary: anyHistograms, weight: 1 },
        ),
        style: fc.record({ packing: packings, writesZeros: fc.boolean() }),
      })
      .map(({ histogram, style }) => histogramFields(histogram, style)),
    fc.oneof({ arbitrary: fc.constant([]), weight: 12 }, histogramNoise),
  ),
);

const sample = lengthDelimited(2, message(mixed(some(doubleField(1)), some(timeField(2)))));
const samples: Fields = fc.oneof(
  { arbitrary: fc.tuple(sample), weight: 12 },
  { arbitrary: fc.array(sample, { maxLength: 4 }), weight: 4 },
  fc.constant([]),
);

const exemplarLabels: Fields = fc.oneof(
  fc.constant([]),
  fc.uniqueArray(plainLabel, { maxLength: 3, selector: nameKey }),
  fc.array(label(labelName, anyBytes), { maxLength: 2 }),
);
const exemplar = lengthDelimited(3, message(mixed(exemplarLabels, some(doubleField(2)), some(timeField(3)))));

const series = lengthDelimited(
  1,
  message(mixed(labels, samples, sometimes(exemplar), sometimes(lengthDelimited(4, histogramMessage)))),
);

const metadata = lengthDelimited(
  3,
  message(
    mixed(
      some(typeField),
      some(lengthDelimited(2, fc.oneof(metricName, anyBytes))),
      some(lengthDelimited(4, metadataText(anyBytes))),
      some(lengthDelimited(5, metadataText(anyBytes))),
    ),
  ),
);

/** Few different ones, so that the same metadata comes twice. */
export function metadataText(other: Bytes): Bytes {
  const common = fc.constantFrom('', 'seconds', 'Is it "up"?').map((text) => new TextEncoder().encode(text));
  return fc.oneof({ arbitrary: common, weight: 5 }, other);
}

/** A prometheus.WriteRequest of up to ten series. */
export const writeRequests: Bytes = message(
  mixed(fc.array(series, { maxLength: 10 }), fc.oneof(sometimes(metadata), fc.array(metadata, { maxLength: 6 }))),
);
