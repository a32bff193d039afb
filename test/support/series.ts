import { bitsOf } from '../../src/record.ts';
import { bytesField, concat, fixed64Field, seriesField, varintField } from './protobuf_writer.ts';

/*
 * The messages of remote write 1.0, each from its fields in their order:
 *
 *     seriesOf(label(name('__name__'), value('up')), sample(valueOne, time(5)))
 */
export const ONE = bitsOf(1);

export const seriesOf = (...fields: readonly Uint8Array[]) => bytesField(1, concat(...fields));
export const label = (...fields: readonly Uint8Array[]) => bytesField(1, concat(...fields));
export const name = (text: string | Uint8Array) => bytesField(1, text);
export const value = (text: string | Uint8Array) => bytesField(2, text);
export const sample = (...fields: readonly Uint8Array[]) => bytesField(2, concat(...fields));
export const valueOne = fixed64Field(1, ONE);
export const time = (milliseconds: number | bigint) => varintField(2, milliseconds);

/** A series as Prometheus writes it, with the value 1 at each of the times. */
export function series(labels: Readonly<Record<string, string>>, ...times: readonly (number | bigint)[]): Uint8Array {
  return seriesField(
    Object.entries(labels),
    times.map((milliseconds) => [ONE, milliseconds]),
  );
}
