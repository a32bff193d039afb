import { bitsOf } from '../../src/record.ts';
import { bytesField, concat, fixed64Field, join, varint, varintField } from './protobuf_writer.ts';

/** Series by what they say, as large as a test wants them, in either version of remote write. */
export interface EncodedSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly values: readonly number[];
}

const TIME = 1_795_000_000_000;

/** Each value with the time that all share. */
export function encodeSeries(version: 1 | 2, series: readonly EncodedSeries[]): Uint8Array {
  if (version === 1) return join(series.map(seriesV1));
  const refs = new Map([['', 0]]);
  const refOf = (text: string): number => {
    const ref = refs.get(text) ?? refs.size;
    refs.set(text, ref);
    return ref;
  };
  const messages = series.map((one) => {
    const labels = bytesField(1, join(one.labels.flat().map((text) => varint(refOf(text)))));
    return bytesField(5, concat(labels, join(one.values.map(sample))));
  });
  return join([...[...refs.keys()].map((text) => bytesField(4, text)), ...messages]);
}

function seriesV1({ labels, values }: EncodedSeries): Uint8Array {
  const fields = labels.map(([name, value]) => bytesField(1, concat(bytesField(1, name), bytesField(2, value))));
  return bytesField(1, join([...fields, ...values.map(sample)]));
}

function sample(value: number): Uint8Array {
  return bytesField(2, concat(fixed64Field(1, bitsOf(value)), varintField(2, TIME)));
}

/** A line without its labels besides the name, at a value of one digit. */
const BARE_BYTES = '{"name":"up","time":1795000000000,"value":1,"labels":{"__name__":"up"}}\n'.length;
const LABEL_BYTES = 120;

/** A series whose lines are as long as that. */
export function seriesOfLine(bytes: number, values: readonly number[] = [1]): EncodedSeries {
  const labels: [string, string][] = [['__name__', 'up']];
  for (let rest = bytes - BARE_BYTES; rest > 0;) {
    const name = `l${String(labels.length).padStart(4, '0')}`;
    const taken = rest <= LABEL_BYTES ? rest : Math.min(LABEL_BYTES, rest - 20);
    labels.push([name, 'v'.repeat(taken - name.length - 6)]);
    rest -= taken;
  }
  return { labels, values };
}
