import { gzipSync } from 'node:zlib';
import SnappyJS from 'snappyjs';
import { below, pick, type Random } from '../support/plain_series.ts';
import { concat, varint } from '../support/protobuf_writer.ts';
import { snappyBlock } from '../support/snappy_blocks.ts';
import { bendBytes } from './message_mutations.ts';

/** The stream identifier of snappy's framed format, which no sender of remote write uses: https://github.com/google/snappy/blob/main/framing_format.txt. */
const FRAMED = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59);

/** A message as a body: mostly a good snappy block, of any of the forms that one may have, and now and then something else. */
export function bodyOf(message: Uint8Array, random: Random): Uint8Array {
  const share = random();
  if (share < 0.7) return SnappyJS.compress(message);
  if (share < 0.88) return blockOfLiterals(message, random);
  return pick(random, BROKEN)(message, random);
}

/** Literals of any length, each with a length of any width. */
function blockOfLiterals(message: Uint8Array, random: Random): Uint8Array {
  const parts: Uint8Array[] = [varint(message.length)];
  for (let at = 0; at < message.length;) {
    const length = Math.min(message.length - at, random() < 0.5 ? 1 + below(random, 16) : 1 + below(random, 400));
    const least = length <= 60 ? 0 : length <= 256 ? 1 : 2;
    const width = random() < 0.9 ? least : least + below(random, 5 - least);
    const head = Uint8Array.from({ length: 1 + width }, (_, index) =>
      index === 0 ? (width === 0 ? length - 1 : 59 + width) << 2 : ((length - 1) >> (8 * (index - 1))) & 0xff,
    );
    parts.push(head, message.subarray(at, at + length));
    at += length;
  }
  return concat(...parts);
}

type Form = (message: Uint8Array, random: Random) => Uint8Array;

/** A good block's elements under another declared length. */
function declaring(length: (truth: number) => number | bigint): Form {
  return (message) => {
    const block = SnappyJS.compress(message);
    return concat(varint(length(message.length)), block.subarray(varint(message.length).length));
  };
}

const BROKEN: readonly Form[] = [
  declaring((truth) => truth + 1),
  declaring((truth) => Math.max(0, truth - 1)),
  declaring((truth) => truth * 2),
  declaring(() => 0),
  declaring(() => 2 ** 25),
  declaring(() => 2 ** 32 - 1),
  declaring(() => 2n ** 40n),
  (message, random) => bendBytes(SnappyJS.compress(message), random),
  (message, random) => bendBytes(SnappyJS.compress(message), random),
  (message, random) => SnappyJS.compress(message).subarray(0, below(random, message.length + 1)),
  // A copy of what never was.
  (message) =>
    concat(
      varint(message.length + 4),
      SnappyJS.compress(message).subarray(varint(message.length).length),
      Uint8Array.of(0x0e, 0xff, 0xff),
    ),
  (message) => concat(SnappyJS.compress(message), Uint8Array.of(0)),
  (_, random) => snappyBlock(random),
  (message) => concat(FRAMED, SnappyJS.compress(message)),
  (message) => message,
  (message) => gzipSync(message, { level: 1 }),
  () => new Uint8Array(0),
  () => Uint8Array.of(0),
  (_, random) => Uint8Array.from({ length: below(random, 64) }, () => below(random, 256)),
];
