/** Writes protobuf's wire format piece by piece, wrong on purpose where a test wants it: https://protobuf.dev/programming-guides/encoding/. */

export const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** A varint of 64 bits. `padding` adds bytes that carry nothing: a varint may be longer than it has to be. */
export function varint(value: bigint | number, padding = 0): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  for (let count = 0; count < padding; count++) {
    bytes[bytes.length - 1]! |= 0x80;
    bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

export function tag(fieldNumber: number, wireType: number, padding = 0): Uint8Array {
  return varint((BigInt(fieldNumber) << 3n) | BigInt(wireType), padding);
}

export function varintField(fieldNumber: number, value: bigint | number, padding = 0): Uint8Array {
  return concat(tag(fieldNumber, WIRE_TYPE.varint), varint(value, padding));
}

export function fixed64(bits: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, bits), true);
  return bytes;
}

export function fixed64Field(fieldNumber: number, bits: bigint): Uint8Array {
  return concat(tag(fieldNumber, WIRE_TYPE.fixed64), fixed64(bits));
}

/** A number of type sint32 or sint64 as the number that its varint holds: 0, -1, 1, -2, … are 0, 1, 2, 3, … */
export function zigzag(value: bigint | number): bigint {
  const wide = BigInt(value);
  return wide < 0n ? -2n * wide - 1n : 2n * wide;
}

export function fixed32Field(fieldNumber: number, bits: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, bits, true);
  return concat(tag(fieldNumber, WIRE_TYPE.fixed32), bytes);
}

/** A message, a string, bytes or packed numbers. */
export function bytesField(fieldNumber: number, content: Uint8Array | string, padding = 0): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return concat(tag(fieldNumber, WIRE_TYPE.bytes), varint(bytes.length, padding), bytes);
}

export function groupField(fieldNumber: number, content: Uint8Array): Uint8Array {
  return concat(tag(fieldNumber, WIRE_TYPE.startGroup), content, tag(fieldNumber, WIRE_TYPE.endGroup));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return join(parts);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A TimeSeries field of a WriteRequest as Prometheus writes it. Samples are given by bits and time. */
export function seriesField(
  labels: readonly (readonly [name: string | Uint8Array, value: string | Uint8Array])[],
  samples: readonly (readonly [bits: bigint, time: bigint | number])[],
): Uint8Array {
  const labelFields = labels.map(([name, value]) => bytesField(1, concat(bytesField(1, name), bytesField(2, value))));
  const sampleFields = samples.map(([bits, time]) =>
    bytesField(2, concat(fixed64Field(1, bits), varintField(2, time))),
  );
  return bytesField(1, concat(join(labelFields), join(sampleFields)));
}
