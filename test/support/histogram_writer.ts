import { numberFields, type Packing } from './arbitrary_wire.ts';
import type { PlainHistogram, PlainSpan } from './oracle_messages.ts';
import {
  bytesField,
  concat,
  fixed64,
  fixed64Field,
  varint,
  varintField,
  WIRE_TYPE,
  zigzag,
} from './protobuf_writer.ts';

export interface HistogramStyle {
  readonly packing: Packing;
  /** Whether fields that are 0 stand on the wire too. Members of a oneof always do: 0 is not the same as none. */
  readonly writesZeros: boolean;
}

/** As Prometheus writes it. */
const PLAIN: HistogramStyle = { packing: { form: 'packed', cut: 0 }, writesZeros: false };

/** The fields of a message Histogram, in their order. The field start_timestamp is one of version 2 only. */
export function histogramFields(histogram: PlainHistogram, style: HistogramStyle = PLAIN): Uint8Array[] {
  const { packing, writesZeros } = style;
  const varints = (number: number, value: bigint | number) =>
    BigInt(value) === 0n && !writesZeros ? [] : [varintField(number, value)];
  const doubles = (number: number, bits: bigint) => (bits === 0n && !writesZeros ? [] : [fixed64Field(number, bits)]);
  const spans = (number: number, list: readonly PlainSpan[]) =>
    list.map(({ offset, length }) => bytesField(number, concat(...varints(1, zigzag(offset)), ...varints(2, length))));
  const deltas = (number: number, list: readonly bigint[]) =>
    numberFields(number, WIRE_TYPE.varint, { values: list.map((delta) => varint(zigzag(delta))), packing });
  const counts = (number: number, list: readonly bigint[]) =>
    numberFields(number, WIRE_TYPE.fixed64, { values: list.map(fixed64), packing });

  const { countInt, countFloat, zeroCountInt, zeroCountFloat } = histogram;
  return [
    ...(countInt === undefined ? [] : [varintField(1, countInt)]),
    ...(countFloat === undefined ? [] : [fixed64Field(2, countFloat)]),
    ...doubles(3, histogram.sum),
    ...varints(4, zigzag(histogram.schema)),
    ...doubles(5, histogram.zeroThreshold),
    ...(zeroCountInt === undefined ? [] : [varintField(6, zeroCountInt)]),
    ...(zeroCountFloat === undefined ? [] : [fixed64Field(7, zeroCountFloat)]),
    ...spans(8, histogram.negativeSpans),
    ...deltas(9, histogram.negativeDeltas),
    ...counts(10, histogram.negativeCounts),
    ...spans(11, histogram.positiveSpans),
    ...deltas(12, histogram.positiveDeltas),
    ...counts(13, histogram.positiveCounts),
    ...varints(14, histogram.resetHint),
    ...varints(15, histogram.time),
    ...counts(16, histogram.customValues),
    ...varints(17, histogram.start),
  ];
}
