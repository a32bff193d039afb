import { MASKS } from './masks';

/*
 * The records in the body of a call: base64 of lines, 12 bytes at a time, and the JSON around it.
 */

/** `{"Data":"` */
const OPEN: usize = memory.data<u8>([
  0x7b, 0x22, 0x44, 0x61, 0x74, 0x61, 0x22, 0x3a, 0x22, 0, 0, 0, 0, 0, 0, 0,
]);
const OPEN_BYTES: usize = 9;
/** `","PartitionKey":"` but for the last two characters. */
const KEY: usize = memory.data<u8>([
  0x22, 0x2c, 0x22, 0x50, 0x61, 0x72, 0x74, 0x69, 0x74, 0x69, 0x6f, 0x6e, 0x4b, 0x65, 0x79, 0x22,
]);
/** `:"` */
const KEY_END: u16 = 0x22_3a;
const KEY_BYTES: usize = 18;
/** `"},`, and a byte that the next record is written over. */
const CLOSE: u32 = 0x2c_7d_22;
const CLOSE_BYTES: usize = 3;
const PADDING: u8 = 0x3d;

/**
 * Writes records one behind the other, each with a comma behind it.
 *
 * @param from where the first line is
 * @param lines what the ends count from
 * @param ends where each line ends, four bytes each, and as many hashes behind them
 * @returns where the next record goes
 */
export function writeRecords(from: usize, lines: usize, ends: usize, count: usize, partitionKeys: bool, out: usize): usize {
  const hashes = 4 * count;
  const stop = ends + hashes;
  for (; ends < stop; ends += 4) {
    const end = lines + load<u32>(ends);
    v128.store(out, v128.load(OPEN));
    out = writeBase64(out + OPEN_BYTES, from, end);
    from = end;
    if (partitionKeys) {
      v128.store(out, v128.load(KEY));
      store<u16>(out, KEY_END, 16);
      out += KEY_BYTES;
      writeHex(out, load<u32>(ends + hashes));
      out += 8;
    }
    store<u32>(out, CLOSE);
    out += CLOSE_BYTES;
  }
  return out;
}

/** Reads and writes up to 16 bytes more than there are. */
@inline
function writeBase64(out: usize, from: usize, end: usize): usize {
  while (from + 12 <= end) {
    v128.store(out, toBase64(v128.load(from)));
    from += 12;
    out += 16;
  }
  const rest = end - from;
  if (rest == 0) return out;
  // What stands behind the line is another one.
  v128.store(out, toBase64(v128.and(v128.load(from), v128.load(MASKS + 16 - rest))));
  const triples = (rest + 2) / 3;
  out += 4 * triples;
  const missing = 3 * triples - rest;
  if (missing > 0) store<u8>(out - 1, PADDING);
  if (missing > 1) store<u8>(out - 2, PADDING);
  return out;
}

/** 16 characters of the first 12 bytes: http://0x80.pl/notesen/2016-01-12-sse-base64-encoding.html */
@inline
function toBase64(bytes: v128): v128 {
  // Each three bytes become a number of 24 bits, and its four parts of 6 bits a byte each, the highest first.
  const triples = i8x16.shuffle(bytes, bytes, 2, 1, 0, 0, 5, 4, 3, 3, 8, 7, 6, 6, 11, 10, 9, 9);
  const first = v128.and(i32x4.shr_u(triples, 18), i32x4.splat(0x3f));
  const second = v128.and(i32x4.shr_u(triples, 4), i32x4.splat(0x3f00));
  const third = v128.and(i32x4.shl(triples, 10), i32x4.splat(0x3f_0000));
  const fourth = v128.and(i32x4.shl(triples, 24), i32x4.splat(0x3f00_0000));
  const digits = v128.or(v128.or(first, second), v128.or(third, fourth));
  // What is added to a digit: by 0 for a lower case letter, 1 to 10 for a decimal digit, 11 for +, 12 for /, 13 for an upper case letter.
  const kinds = v128.or(
    i8x16.sub_sat_u(digits, i8x16.splat(51)),
    v128.and(i8x16.lt_s(digits, i8x16.splat(26)), i8x16.splat(13)),
  );
  const offsets = i8x16(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
  return i8x16.add(digits, i8x16.swizzle(offsets, kinds));
}

/** Writes eight hexadecimal digits, and eight bytes more. */
@inline
function writeHex(out: usize, value: u32): void {
  const bytes = i32x4.splat(bswap<u32>(value));
  const low = v128.and(bytes, i8x16.splat(0xf));
  const high = v128.and(i32x4.shr_u(bytes, 4), i8x16.splat(0xf));
  const nibbles = i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 0, 16, 1, 17, 2, 18, 3, 19);
  const digits = i8x16(0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66);
  v128.store(out, i8x16.swizzle(digits, nibbles));
}
