import { encodeRecord, nameOf, sortLabels, type Kind, type Label } from '../../src/record.ts';
import { WriteRequest } from '../../src/wire/messages.ts';

/** A 64-bit number as protobufjs gives it. */
interface Long {
  readonly low: number;
  readonly high: number;
}

/** protobufjs gives an empty array for bytes that are not there. */
type ByteList = Uint8Array | readonly number[];

interface DecodedSeries {
  readonly labels: readonly { readonly name: ByteList; readonly value: ByteList }[];
  readonly samples: readonly { readonly value: Long; readonly timestamp: Long }[];
  readonly exemplars: readonly unknown[];
  readonly histograms: readonly unknown[];
}

interface DecodedRequest {
  readonly timeseries: readonly DecodedSeries[];
  readonly metadata: readonly unknown[];
}

export interface OracleResult {
  readonly lines: readonly string[];
  readonly received: Readonly<Record<Kind, number>>;
  readonly skipped: Readonly<Record<Kind, number>>;
  readonly rejected: Readonly<Record<string, number>>;
}

/**
 * What the archive holds of a remote write 1.0 request, the plain way: protobufjs decodes, objects are made, `encodeRecord` encodes.
 *
 * @returns undefined when the body can't be decoded
 */
export function flattenPlainly(request: Uint8Array): OracleResult | undefined {
  const decoded = tryDecode(request);
  if (!decoded) return undefined;
  const received = { sample: 0, histogram: 0, exemplar: 0, metadata: decoded.metadata.length };
  const skipped = { sample: 0, histogram: 0, exemplar: 0, metadata: decoded.metadata.length };
  const rejected: Record<string, number> = {};
  const lines: string[] = [];
  for (const series of decoded.timeseries) {
    const { samples, histograms, exemplars } = series;
    const count = samples.length + histograms.length + exemplars.length;
    if (count === 0) continue;
    received.sample += samples.length;
    received.histogram += histograms.length;
    received.exemplar += exemplars.length;
    const labels = decodeLabels(series);
    if (typeof labels === 'string') {
      rejected[labels] = (rejected[labels] ?? 0) + count;
      continue;
    }
    skipped.histogram += histograms.length;
    skipped.exemplar += exemplars.length;
    for (const { value, timestamp } of samples) {
      const time = BigInt.asIntN(64, bits(timestamp));
      lines.push(encodeRecord({ kind: 'sample', time, value: bits(value), labels }));
    }
  }
  return { lines, received, skipped, rejected };
}

function tryDecode(request: Uint8Array): DecodedRequest | undefined {
  try {
    return WriteRequest.decode(request) as unknown as DecodedRequest;
  } catch {
    return undefined;
  }
}

/** The labels as the archive has them, or why it can't have them. */
function decodeLabels({ labels }: DecodedSeries): Label[] | string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const text = (bytes: ByteList) => decoder.decode(Uint8Array.from(bytes));
  let decoded: Label[];
  try {
    decoded = labels.map(({ name, value }) => ({ name: text(name), value: text(value) }));
  } catch {
    return 'invalid_utf8';
  }
  const names = decoded.map(({ name }) => name);
  if (names.includes('')) return 'empty_label_name';
  if (new Set(names).size < names.length) return 'repeated_label';
  if (nameOf(decoded) === '') return 'no_metric_name';
  return sortLabels(decoded.filter(({ value }) => value !== ''));
}

function bits({ low, high }: Long): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
