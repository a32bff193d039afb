import { MASKS } from './memory';

/*
 * Texts, 16 bytes at a time: what stands behind their end is read and overwritten along with them.
 */

/** Of the texts that were copied since it was cleared: not zero where JSON does not write one as it is. */
export let special: v128 = i64x2.splat(0);
/** Of the text that was copied last: the hash of src/wire/text_words.ts. */
export let textHash: u32 = 0;

@inline
export function clearSpecial(): void {
  special = i64x2.splat(0);
}

/** Copies a text that is not empty, and looks at it. */
@inline
export function copyText(pos: usize, from: usize, length: usize): void {
  let hash: u32 = 0;
  let marks = special;
  let rest = <i32>length;
  while (true) {
    let text = v128.load(from);
    // The hash takes words of four bytes, the last one filled up with spaces.
    if (rest < 16) text = v128.bitselect(text, i8x16.splat(0x20), v128.load(MASKS + (16 - rest)));
    v128.store(pos, text);
    marks = v128.or(marks, marksOf(text));
    hash = hashWord(hash, i32x4.extract_lane(text, 0));
    if (rest > 4) {
      hash = hashWord(hash, i32x4.extract_lane(text, 1));
      if (rest > 8) {
        hash = hashWord(hash, i32x4.extract_lane(text, 2));
        if (rest > 12) hash = hashWord(hash, i32x4.extract_lane(text, 3));
      }
    }
    if (rest <= 16) break;
    rest -= 16;
    from += 16;
    pos += 16;
  }
  special = marks;
  textHash = hash;
}

/** Looks at a text that is not empty without copying it; returns whether JSON writes it as it is. */
export function isPlain(from: usize, length: usize): bool {
  let hash: u32 = 0;
  let marks = i64x2.splat(0);
  for (let rest = <i32>length; rest > 0; rest -= 16) {
    let text = v128.load(from);
    if (rest < 16) text = v128.bitselect(text, i8x16.splat(0x20), v128.load(MASKS + (16 - rest)));
    marks = v128.or(marks, marksOf(text));
    hash = hashWord(hash, i32x4.extract_lane(text, 0));
    if (rest > 4) hash = hashWord(hash, i32x4.extract_lane(text, 1));
    if (rest > 8) hash = hashWord(hash, i32x4.extract_lane(text, 2));
    if (rest > 12) hash = hashWord(hash, i32x4.extract_lane(text, 3));
    from += 16;
  }
  textHash = hash;
  return !v128.any_true(marks);
}

@inline
export function copyBytes(pos: usize, from: usize, length: usize): usize {
  const end = pos + length;
  do {
    v128.store(pos, v128.load(from));
    pos += 16;
    from += 16;
  } while (pos < end);
  return end;
}

/** Whether a text stands behind another in byte order. */
@inline
export function isAfter(at: usize, length: usize, other: usize, otherLength: usize): bool {
  const least = min(length, otherLength);
  for (let index: usize = 0; index < least; index++) {
    const byte = load<u8>(at + index);
    const otherByte = load<u8>(other + index);
    if (byte != otherByte) return byte > otherByte;
  }
  return length > otherLength;
}

/** `__name__` */
const METRIC_NAME: u64 = 0x5f5f_656d_616e_5f5f;

@inline
export function isMetricName(at: usize, length: usize): bool {
  return length == 8 && load<u64>(at) == METRIC_NAME;
}

/** One step of the hash of a text, and of a label: of its value's hash on its name's. */
@inline
export function hashWord(hash: u32, word: u32): u32 {
  const product = (hash ^ word) * 0x5bd1e995;
  return product ^ (product >>> 15);
}

/** The finalizer of the hash of a series. */
@inline
export function spread(hash: u32): u32 {
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
  return hash ^ (hash >>> 16);
}

/** Control characters, quotes, backslashes and what is not ASCII: as signed bytes, the first and the last are less than a space. */
@inline
function marksOf(text: v128): v128 {
  const quotes = v128.or(i8x16.eq(text, i8x16.splat(0x22)), i8x16.eq(text, i8x16.splat(0x5c)));
  return v128.or(i8x16.lt_s(text, i8x16.splat(0x20)), quotes);
}
