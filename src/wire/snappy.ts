import { RequestError } from '../errors.ts';
import { viewOf } from './text_words.ts';

/** The most bytes of output for a byte of a block: a copy of 64 bytes takes 3. */
const MAX_EXPANSION = 64 / 3;

/** A block is decoded in pieces of so many bytes: elements may be of one byte each. */
const PIECE_BYTES = 256 * 1024;

/** The two lower bits of an element's tag. */
const LITERAL = 0;
const COPY_1 = 1;
const COPY_2 = 2;

/**
 * Decodes one block of snappy's raw format (https://github.com/google/snappy/blob/main/format_description.txt), the form that remote
 * write has, never the framed one.
 *
 * Strict: the declared length is checked before anything is allocated, every element must lie within the block and the output, and the output
 * must be exactly as long as declared.
 *
 * @param maxBytes the most that the block may declare
 * @throws RequestError invalid_snappy
 */
export function decodeSnappy(block: Uint8Array, maxBytes: number): Uint8Array {
  const { done, value } = decodeSnappySlices(block, maxBytes, NEVER).next();
  if (!done) throw new Error('decoding stopped before its time');
  return value;
}

const NEVER = () => false;

/** The same, with a stop each time that `isTimeUp`. */
export function* decodeSnappySlices(
  block: Uint8Array,
  maxBytes: number,
  isTimeUp: () => boolean,
): Generator<undefined, Uint8Array> {
  const { length: declared, next } = readDeclaredLength(block, maxBytes);
  const out = new Uint8Array(declared);
  const state = { read: next, write: 0 };
  while (state.read < block.length) {
    decodeElements(block, out, state);
    if (isTimeUp()) yield;
  }
  if (state.write !== declared) throw invalid(`it holds ${state.write} bytes and declares ${declared}`);
  return out;
}

/**
 * The length of a block's output in bytes, and where its elements start.
 *
 * @throws RequestError invalid_snappy when it is over `maxBytes`, or more than the block can hold
 */
export function readDeclaredLength(block: Uint8Array, maxBytes: number): { length: number; next: number } {
  const declared = decodeLength(block);
  const { length } = declared;
  if (length > maxBytes) throw invalid(`it declares ${length} bytes, over the limit of ${maxBytes} (--max-body-bytes)`);
  if (length > block.length * MAX_EXPANSION) {
    throw invalid(`${block.length} bytes cannot hold the ${length} that it declares`);
  }
  return declared;
}

/** A varint of 32 bits at the block's start. */
function decodeLength(block: Uint8Array): { length: number; next: number } {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block[index];
    if (byte === undefined) throw invalid('it ends within its length');
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      if (length > 0xffff_ffff) break;
      return { length, next: index + 1 };
    }
  }
  throw invalid('its length is no 32-bit varint');
}

/** Decodes the elements of one piece, from the bytes read and written before it on. */
function decodeElements(block: Uint8Array, out: Uint8Array, state: { read: number; write: number }): void {
  const source = viewOf(block);
  const target = viewOf(out);
  const end = block.length;
  const limit = out.length;
  let { read, write } = state;
  for (const stop = Math.min(end, read + PIECE_BYTES); read < stop;) {
    const tag = block[read++]!;
    const type = tag & 3;
    let length = (tag >>> 2) + 1;
    if (type === LITERAL) {
      if (length > 60) {
        const extra = length - 60;
        if (read + extra > end) throw invalid(`a literal is cut off at byte ${read}`);
        length = (littleEndian(block, read, extra) + 1) | 0;
        read += extra;
      }
      if (length <= 0 || length > end - read) throw invalid(`a literal is cut off at byte ${read}`);
      if (length > limit - write) throw invalid('it holds more bytes than it declares');
      if (length <= 16 && read + 16 <= end && write + 16 <= limit) {
        // Most literals are short: a copy of more than they hold takes less time than one of what they hold.
        for (let index = 0; index < 16; index += 4)
          target.setInt32(write + index, source.getInt32(read + index, true), true);
      } else {
        out.set(block.subarray(read, read + length), write);
      }
      read += length;
      write += length;
      continue;
    }
    let offset: number;
    if (type === COPY_1) {
      if (read >= end) throw invalid(`a copy is cut off at byte ${read}`);
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | block[read++]!;
    } else {
      const bytes = type === COPY_2 ? 2 : 4;
      if (read + bytes > end) throw invalid(`a copy is cut off at byte ${read}`);
      offset = littleEndian(block, read, bytes);
      read += bytes;
    }
    if (offset <= 0 || offset > write) throw invalid(`a copy at byte ${read} reaches before the start`);
    if (length > limit - write) throw invalid('it holds more bytes than it declares');
    // A copy may overlap its own output, so it goes forwards, in words only where they do not overlap.
    const stop = write + length;
    if (offset >= 4 && stop + 3 <= limit) {
      for (; write < stop; write += 4) target.setInt32(write, target.getInt32(write - offset, true), true);
      write = stop;
    } else {
      for (; write < stop; write++) out[write] = out[write - offset]!;
    }
  }
  state.read = read;
  state.write = write;
}

/** An integer of one to four bytes; negative from 2^31 up, which is more than any block holds. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = 0; index < count; index++) value |= bytes[at + index]! << (8 * index);
  return value;
}

function invalid(detail: string): RequestError {
  return new RequestError('invalid_snappy', `the body is not a valid snappy block: ${detail}`);
}
