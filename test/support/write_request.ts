import SnappyJS from 'snappyjs';
import { bitsOf } from '../../src/record.ts';
import { WriteRequest } from '../../src/wire/messages.ts';

export interface PlainSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [value: number, timeMs: number])[];
}

/** A compressed remote write 1.0 body, encoded by protobufjs and snappyjs. */
export function writeRequest(series: readonly PlainSeries[]): Uint8Array {
  const encoder = new TextEncoder();
  const timeseries = series.map(({ labels, samples }) => ({
    labels: Object.entries(labels).map(([name, value]) => ({
      name: encoder.encode(name),
      value: encoder.encode(value),
    })),
    samples: samples.map(([value, timeMs]) => ({ value: long(bitsOf(value)), timestamp: long(BigInt(timeMs)) })),
  }));
  return SnappyJS.compress(WriteRequest.encode({ timeseries }).finish());
}

/** Series `metric_0`, `metric_1`, … with one sample each. */
export function someSeries(count: number, timeMs = 1_700_000_000_000): PlainSeries[] {
  return Array.from({ length: count }, (_, index) => ({
    labels: { __name__: `metric_${index}`, job: 'test' },
    samples: [[index, timeMs]],
  }));
}

/** 64 bits as protobufjs takes them. */
export function long(bits: bigint): { low: number; high: number; unsigned: boolean } {
  return { low: Number(BigInt.asIntN(32, bits)), high: Number(BigInt.asIntN(32, bits >> 32n)), unsigned: true };
}
