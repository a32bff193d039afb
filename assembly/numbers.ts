import { LEADING_DIGITS, THREE_DIGITS } from './memory';
import {
  INFINITY,
  INFINITY_BYTES,
  NAN,
  NAN_BYTES,
  NEGATIVE_INFINITY,
  NEGATIVE_INFINITY_BYTES,
  NEGATIVE_ZERO,
  NEGATIVE_ZERO_BYTES,
  STALE,
  STALE_BYTES,
  writeLongPiece,
  writePiece,
} from './pieces';

/*
 * Numbers as JSON tokens, the same characters as src/write/json_number.ts writes, which see for why they are right.
 *
 * Each function writes at `pos` and returns the offset behind what it wrote; a few bytes behind that are overwritten.
 */

/** What String(value) is, written by JavaScript; its length. */
declare function writeShortestDouble(pos: usize, value: f64): usize;

// As in src/record.ts.
const STALE_NAN: u64 = 0x7ff0_0000_0000_0002;
const ORDINARY_NAN: u64 = 0x7ff8_0000_0000_0001;

export function fillDigits(): void {
  for (let number: u32 = 0; number < 1000; number++) {
    const word = 0x303030 + number / 100 + (((number / 10) % 10) << 8) + ((number % 10) << 16);
    store<u32>(THREE_DIGITS + 4 * number, word);
    const zeros: u32 = number >= 100 ? 0 : number >= 10 ? 1 : 2;
    store<u32>(LEADING_DIGITS + 4 * number, (word >>> (8 * zeros)) | ((3 - zeros) << 24));
  }
}

export function writeInteger(pos: usize, value: u64): usize {
  if (value < 1_000_000_000) return writeSmallInteger(pos, <u32>value);
  const billions = value / 1_000_000_000;
  return writeNineDigits(writeInteger(pos, billions), <u32>(value - billions * 1_000_000_000));
}

/**
 * Writes the value of a sample, whose 8 bytes are at `at`, from the token itself to what goes with it.
 *
 * @returns 0 for what is left to JavaScript: a NaN whose bits have to be told
 */
export function writeValue(pos: usize, at: usize): usize {
  const value = load<f64>(at);
  const magnitude = Math.abs(value);
  if (magnitude < 9_007_199_254_740_992) {
    const whole = <u64>magnitude;
    if (<f64>whole == magnitude) {
      if (load<i64>(at) < 0) {
        if (whole == 0) return writePiece(pos, NEGATIVE_ZERO, NEGATIVE_ZERO_BYTES);
        store<u8>(pos++, 0x2d);
      }
      return writeInteger(pos, whole);
    }
    const next = writeDecimal(pos, value);
    if (next != pos) return next;
  }
  if (magnitude == Infinity) return value > 0 ? writePiece(pos, INFINITY, INFINITY_BYTES) : writePiece(pos, NEGATIVE_INFINITY, NEGATIVE_INFINITY_BYTES);
  if (isNaN(value)) {
    const bits = load<u64>(at);
    if (bits == STALE_NAN) return writeLongPiece(pos, STALE, STALE_BYTES);
    return bits == ORDINARY_NAN ? writePiece(pos, NAN, NAN_BYTES) : 0;
  }
  return pos + writeShortestDouble(pos, value);
}

/** Writes a double that has few decimals; returns `pos` for any other. */
function writeDecimal(pos: usize, value: f64): usize {
  const magnitude = Math.abs(value);
  if (magnitude < 1e-6 || magnitude >= 1e12) return pos;
  const isSmall = magnitude < 1e6;
  const scale: f64 = isSmall ? 1e9 : 1e3;
  const scaled = Math.floor(magnitude * scale + 0.5);
  if (scaled / scale != magnitude) return pos;
  if (value < 0) store<u8>(pos++, 0x2d);
  const units = <u64>scaled;
  const whole = units / (isSmall ? 1_000_000_000 : 1_000);
  pos = writeInteger(pos, whole);
  store<u8>(pos++, 0x2e);
  if (isSmall) pos = writeNineDigits(pos, <u32>(units - whole * 1_000_000_000));
  else pos = writeThreeDigits(pos, <u32>(units - whole * 1_000));
  while (load<u8>(pos - 1) == 0x30) pos--;
  return pos;
}

function writeSmallInteger(pos: usize, value: u32): usize {
  if (value < 1_000) return writeLeadingDigits(pos, value);
  const thousands = value / 1_000;
  if (value < 1_000_000) return writeThreeDigits(writeLeadingDigits(pos, thousands), value - thousands * 1_000);
  const millions = value / 1_000_000;
  pos = writeLeadingDigits(pos, millions);
  pos = writeThreeDigits(pos, thousands - millions * 1_000);
  return writeThreeDigits(pos, value - thousands * 1_000);
}

function writeNineDigits(pos: usize, value: u32): usize {
  const thousands = value / 1_000;
  const millions = value / 1_000_000;
  pos = writeThreeDigits(pos, millions);
  pos = writeThreeDigits(pos, thousands - millions * 1_000);
  return writeThreeDigits(pos, value - thousands * 1_000);
}

@inline
function writeLeadingDigits(pos: usize, value: u32): usize {
  const word = load<u32>(LEADING_DIGITS + 4 * value);
  store<u32>(pos, word);
  return pos + (word >>> 24);
}

@inline
function writeThreeDigits(pos: usize, value: u32): usize {
  store<u32>(pos, load<u32>(THREE_DIGITS + 4 * value));
  return pos + 3;
}
