import { bytesField, concat, join, varint, varintField } from './protobuf_writer.ts';

/*
 * The messages of remote write 2.0, each from its fields in their order. Samples are those of series.ts, and may have a start:
 *
 *     concat(symbolsOf(['', '__name__', 'up']), seriesOf(refs(1, 2), sample(valueOne, time(5), start(3))))
 */
export const symbolsOf = (list: readonly (string | Uint8Array)[]) => join(list.map((text) => bytesField(4, text)));
export const seriesOf = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
/** Packed references of a series or of an exemplar. */
export const refs = (...list: readonly number[]) => bytesField(1, join(list.map((ref) => varint(ref))));
export const start = (milliseconds: number | bigint) => varintField(3, milliseconds);
export const histogram = (...fields: readonly Uint8Array[]) => bytesField(3, concat(...fields));
export const histogramStart = (milliseconds: number | bigint) => varintField(17, milliseconds);
export const exemplar = (...fields: readonly Uint8Array[]) => bytesField(4, concat(...fields));
export const metadata = (...fields: readonly Uint8Array[]) => bytesField(5, concat(...fields));
export const created = (milliseconds: number | bigint) => varintField(6, milliseconds);
