import { MASKS } from './masks';

/*
 * Texts, 16 bytes at a time: what stands behind their end is read and overwritten along with them.
 */

/** Of the texts that were copied since they were cleared: not zero where JSON escapes a byte; the sign bits of what is not ASCII. */
let escapes: v128 = i64x2.splat(0);
let foreign: v128 = i64x2.splat(0);
/** Of the text that was copied last: the hash of src/wire/text_words.ts. */
export let textHash: u32 = 0;

@inline
export function clearMarks(): void {
  escapes = i64x2.splat(0);
  foreign = i64x2.splat(0);
}

/** Whether JSON escapes no byte of the texts that were copied. */
@inline
export function areUnescaped(): bool {
  return !v128.any_true(escapes);
}

/** Whether all of the texts that were copied is ASCII. */
@inline
export function areAscii(): bool {
  return i8x16.bitmask(foreign) == 0;
}

/** Copies a text that is not empty, and looks at it. */
@inline
export function copyText(pos: usize, from: usize, length: usize): void {
  let hash: u32 = 0;
  let rest = <i32>length;
  while (true) {
    const text = loadText(from, rest);
    v128.store(pos, text);
    mark(text);
    hash = hashOf(hash, text, rest);
    if (rest <= 16) break;
    rest -= 16;
    from += 16;
    pos += 16;
  }
  textHash = hash;
}

/** Looks at a text that is not empty without copying it; returns whether JSON writes it as it is. */
export function isPlain(at: usize, length: usize): bool {
  let from = at;
  let hash: u32 = 0;
  clearMarks();
  for (let rest = <i32>length; rest > 0; rest -= 16) {
    const text = loadText(from, rest);
    mark(text);
    hash = hashOf(hash, text, rest);
    from += 16;
  }
  textHash = hash;
  return areUnescaped() && (areAscii() || isUtf8(at, length));
}

/** The next 16 bytes of a text of which `rest` are left: what is behind its end is spaces, as the hash has it. */
@inline
function loadText(from: usize, rest: i32): v128 {
  const text = v128.load(from);
  return rest < 16 ? v128.bitselect(text, i8x16.splat(0x20), v128.load(MASKS + (16 - rest))) : text;
}

/** The hash goes on with as many words of four bytes as the text has begun. */
@inline
function hashOf(hash: u32, text: v128, rest: i32): u32 {
  hash = hashWord(hash, i32x4.extract_lane(text, 0));
  if (rest > 4) {
    hash = hashWord(hash, i32x4.extract_lane(text, 1));
    if (rest > 8) {
      hash = hashWord(hash, i32x4.extract_lane(text, 2));
      if (rest > 12) hash = hashWord(hash, i32x4.extract_lane(text, 3));
    }
  }
  return hash;
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

@inline
function mark(text: v128): void {
  const quotes = v128.or(i8x16.eq(text, i8x16.splat(0x22)), i8x16.eq(text, i8x16.splat(0x5c)));
  escapes = v128.or(escapes, v128.or(quotes, i8x16.lt_u(text, i8x16.splat(0x20))));
  foreign = v128.or(foreign, text);
}

/** Whether a text is valid UTF-8, by the table that src/write/json_string.ts has. */
export function isUtf8(at: usize, length: usize): bool {
  const end = at + length;
  while (at < end) {
    const lead: u32 = load<u8>(at);
    if (lead < 0x80) {
      at++;
      continue;
    }
    let bytes: usize = 2;
    let least: u32 = 0x80;
    let most: u32 = 0xbf;
    if (lead >= 0xe0 && lead <= 0xef) {
      bytes = 3;
      if (lead == 0xe0) least = 0xa0;
      else if (lead == 0xed) most = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      bytes = 4;
      if (lead == 0xf0) least = 0x90;
      else if (lead == 0xf4) most = 0x8f;
    } else if (lead < 0xc2 || lead > 0xdf) return false;
    if (at + bytes > end) return false;
    const second: u32 = load<u8>(at, 1);
    if (second < least || second > most) return false;
    for (let index: usize = 2; index < bytes; index++) if ((load<u8>(at + index) & 0xc0) != 0x80) return false;
    at += bytes;
  }
  return true;
}
