import protobuf from 'protobufjs';
import { remoteWriteV1, remoteWriteV2 } from '../src/wire/descriptors.ts';

/*
 * What one writes at first: protobufjs decodes to objects, JSON.stringify encodes them. It loses stale markers, other NaNs, infinities and −0,
 * does not sort, and knows samples only.
 */

const WriteRequest = typeOf(remoteWriteV1, 'prometheus.WriteRequest');
const WriteRequestV2 = typeOf(remoteWriteV2, 'io.prometheus.write.v2.Request');

interface PlainSample {
  readonly value: number;
  readonly timestamp: unknown;
}

interface PlainRequest {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly PlainSample[];
  }[];
}

interface PlainRequestV2 {
  readonly symbols: readonly string[];
  readonly timeseries: readonly { readonly labelsRefs: readonly number[]; readonly samples: readonly PlainSample[] }[];
}

export function flattenByLibraries(request: Uint8Array): Uint8Array {
  const { timeseries } = WriteRequest.decode(request) as unknown as PlainRequest;
  let lines = '';
  for (const { labels, samples } of timeseries) {
    lines += linesOf(Object.fromEntries(labels.map(({ name, value }) => [name, value])), samples);
  }
  return Buffer.from(lines);
}

export function flattenByLibrariesV2(request: Uint8Array): Uint8Array {
  const { symbols, timeseries } = WriteRequestV2.decode(request) as unknown as PlainRequestV2;
  let lines = '';
  for (const { labelsRefs, samples } of timeseries) {
    const labels: Record<string, string> = {};
    for (let index = 0; index < labelsRefs.length; index += 2) {
      labels[symbols[labelsRefs[index]!]!] = symbols[labelsRefs[index + 1]!]!;
    }
    lines += linesOf(labels, samples);
  }
  return Buffer.from(lines);
}

function linesOf(labels: Readonly<Record<string, string>>, samples: readonly PlainSample[]): string {
  let lines = '';
  for (const { value, timestamp } of samples) {
    lines += `${JSON.stringify({ name: labels['__name__'], time: Number(timestamp), value, labels })}\n`;
  }
  return lines;
}

function typeOf(descriptor: object, name: string): protobuf.Type {
  // protobufjs takes a copy: it changes what it is given.
  return protobuf.Root.fromJSON(JSON.parse(JSON.stringify(descriptor)) as protobuf.INamespace).lookupType(name);
}
