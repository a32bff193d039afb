import { below, pick, type Random } from './plain_series.ts';
import { concat, join, varint } from './protobuf_writer.ts';

/** A generated snappy block with elements of every kind, which mostly is valid. */
export function snappyBlock(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  let written = 0;
  const count = below(random, 12);
  for (let index = 0; index < count; index++) {
    const isLiteral = written === 0 || random() < 0.4;
    const { bytes, length } = isLiteral ? literal(random) : copy(random, written);
    parts.push(bytes);
    written += length;
  }
  const declared = random() < 0.9 ? written : Math.max(0, written + below(random, 41) - 20);
  return concat(varint(declared, random() < 0.02 ? 1 : 0), join(parts));
}

interface Element {
  readonly bytes: Uint8Array;
  /** Of its output. */
  readonly length: number;
}

const LITERAL_BYTES = [1, 2, 4, 8, 15, 16, 17, 31, 32, 33, 59, 60, 61, 62, 64, 255, 256, 257, 300];

function literal(random: Random): Element {
  const length = random() < 0.5 ? pick(random, LITERAL_BYTES) : 1 + below(random, 70);
  const text = Uint8Array.from({ length }, () => below(random, 256));
  // A length of one to four bytes behind the tag, mostly not longer than it has to be.
  const least = length <= 60 ? 0 : length <= 256 ? 1 : 2;
  const extra = random() < 0.9 ? least : least + below(random, 5 - least);
  const tag = extra === 0 ? length - 1 : 59 + extra;
  return { bytes: concat(Uint8Array.of(tag << 2, ...littleEndian(length - 1, extra)), text), length };
}

function copy(random: Random, written: number): Element {
  const offset = offsetOf(random, written);
  const type = pick(random, [1, 2, 2, 3]);
  if (type === 1 && offset < 2 ** 11) {
    const length = 4 + below(random, 8);
    return { bytes: Uint8Array.of(1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset & 0xff), length };
  }
  const length = 1 + below(random, 64);
  const bytes = type === 3 ? 4 : 2;
  return { bytes: Uint8Array.of((bytes === 4 ? 3 : 2) | ((length - 1) << 2), ...littleEndian(offset, bytes)), length };
}

/** Mostly of what was written last, where a copy overlaps its own output; seldom of what never was. */
function offsetOf(random: Random, written: number): number {
  const share = random();
  if (share < 0.01) return pick(random, [0, written + 1, written + 16, 2 ** 15]);
  if (share < 0.6) return Math.min(written, 1 + below(random, 40));
  return share < 0.65 ? written : 1 + below(random, written);
}

function littleEndian(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (value / 2 ** (8 * index)) & 0xff);
}

/** The same block cut off, or with some bits or bytes changed. */
export function damaged(random: Random, block: Uint8Array): Uint8Array {
  if (block.length === 0 || random() < 0.2) return block.slice(0, below(random, block.length + 1));
  const copied = block.slice();
  for (let count = 1 + below(random, 3); count > 0; count--) {
    const at = below(random, copied.length);
    if (random() < 0.5) copied[at]! ^= 1 << below(random, 8);
    else copied[at] = pick(random, [0x00, 0x01, 0x7f, 0x80, 0xf0, 0xf4, 0xf8, 0xfc, 0xfd, 0xfe, 0xff]);
  }
  return copied;
}
