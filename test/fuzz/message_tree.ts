import { tag, varint, WIRE_TYPE } from '../support/protobuf_writer.ts';

/*
 * A request as a tree of fields that can be bent anywhere and written again, which protobuf's own libraries do not do: they write what is valid.
 */

/** What a field holds, by its place in a message. */
export type Holds = MessageName | 'varint' | 'double' | 'text' | 'varints' | 'doubles' | 'unknown';
export type MessageName = keyof typeof MESSAGES;

/* What the fields of each message hold, by their numbers; proto/ has their names. */
const LABEL = { 1: 'text', 2: 'text' } as const;
const SAMPLE = { 1: 'double', 2: 'varint', 3: 'varint' } as const;
const HISTOGRAM = {
  1: 'varint',
  2: 'double',
  3: 'double',
  4: 'varint',
  5: 'double',
  6: 'varint',
  7: 'double',
  8: 'span',
  9: 'varints',
  10: 'doubles',
  11: 'span',
  12: 'varints',
  13: 'doubles',
  14: 'varint',
  15: 'varint',
  16: 'doubles',
  17: 'varint',
} as const;
const MESSAGES = {
  request1: { 1: 'series1', 3: 'metadata1' },
  series1: { 1: 'label', 2: 'sample', 3: 'exemplar1', 4: 'histogram' },
  label: LABEL,
  sample: SAMPLE,
  exemplar1: { 1: 'label', 2: 'double', 3: 'varint' },
  metadata1: { 1: 'varint', 2: 'text', 4: 'text', 5: 'text' },
  histogram: HISTOGRAM,
  span: { 1: 'varint', 2: 'varint' },
  request2: { 4: 'text', 5: 'series2' },
  series2: { 1: 'varints', 2: 'sample', 3: 'histogram', 4: 'exemplar2', 5: 'metadata2', 6: 'varint' },
  exemplar2: { 1: 'varints', 2: 'double', 3: 'varint' },
  metadata2: { 1: 'varint', 3: 'varint', 4: 'varint' },
} as const satisfies Record<string, Record<number, string>>;

export interface Field {
  number: number;
  wireType: number;
  readonly holds: Holds;
  /** As it stands behind the tag and, of what has one, the length; fields where it is a message. */
  content: Uint8Array | Field[];
  /** What is said of its length in the place of the truth. */
  length?: Uint8Array;
}

/**
 * Reads a valid message. What it is not known to hold stays as it is.
 *
 * @throws RangeError when it is cut off
 */
export function readFields(bytes: Uint8Array, message: MessageName): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('cut off');
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = number();
    const wireType = key % 8;
    const fieldNumber = Math.floor(key / 8);
    const known: Readonly<Record<number, Holds>> = MESSAGES[message];
    const holds = known[fieldNumber] ?? 'unknown';
    const from = at;
    if (wireType === WIRE_TYPE.varint) number();
    else if (wireType === WIRE_TYPE.fixed64) at += 8;
    else if (wireType === WIRE_TYPE.fixed32) at += 4;
    else if (wireType === WIRE_TYPE.bytes) {
      const length = number();
      const content = bytes.subarray(at, at + length);
      at += length;
      fields.push({
        number: fieldNumber,
        wireType,
        holds,
        content: holds in MESSAGES ? readFields(content, holds as MessageName) : content,
      });
      continue;
    } else {
      // A group: the rest is left together.
      fields.push({ number: fieldNumber, wireType, holds: 'unknown', content: bytes.subarray(from) });
      return fields;
    }
    fields.push({ number: fieldNumber, wireType, holds, content: bytes.subarray(from, at) });
  }
  return fields;
}

export function cloneFields(fields: readonly Field[]): Field[] {
  return fields.map((field) => ({
    ...field,
    content: Array.isArray(field.content) ? cloneFields(field.content) : field.content,
  }));
}

/** Writes the tree as it is. */
export function writeFields(fields: readonly Field[]): Buffer {
  const parts: Uint8Array[] = [];
  write(fields, parts);
  return Buffer.concat(parts);
}

/** @returns how many bytes there are more */
function write(fields: readonly Field[], parts: Uint8Array[]): number {
  let written = 0;
  const push = (part: Uint8Array) => {
    parts.push(part);
    written += part.length;
  };
  for (const { number, wireType, content, length } of fields) {
    push(number < 16 ? SMALL[number * 8 + wireType]! : tag(number, wireType));
    if (wireType === WIRE_TYPE.bytes) {
      const at = parts.push(EMPTY) - 1;
      const contentBytes = Array.isArray(content) ? write(content, parts) : parts.push(content) && content.length;
      parts[at] = length ?? SMALL[contentBytes] ?? varint(contentBytes);
      written += parts[at].length + contentBytes;
    } else if (Array.isArray(content)) written += write(content, parts);
    else push(content);
    if (wireType === WIRE_TYPE.startGroup && Array.isArray(content)) push(tag(number, WIRE_TYPE.endGroup));
  }
  return written;
}

const EMPTY = new Uint8Array(0);
/** The varints of one byte, which most are. */
const SMALL = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));
