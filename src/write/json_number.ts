/**
 * Numbers as JSON tokens, written straight as bytes: the same characters as String(number), without the string.
 *
 * Each function writes at `pos` and returns the offset behind what it wrote. The caller has made room, for a dozen bytes more: digits are written
 * three at a time, in words of four bytes, before it is known which of them count.
 */

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** The digits of each number below 1,000, with leading zeros, as a little-endian word. */
const THREE_DIGITS = new Int32Array(1000).map((_, number) => wordOf(String(number).padStart(3, '0')));
/** The same without leading zeros; the top byte is the count of the digits. */
const LEADING_DIGITS = new Int32Array(1000).map((_, number) => wordOf(String(number)) | (String(number).length << 24));

/** The first four characters of an ASCII text as a little-endian word, zeros behind its end. */
export function wordOf(text: string): number {
  let word = 0;
  for (let index = 0; index < 4 && index < text.length; index++) word |= text.charCodeAt(index) << (8 * index);
  return word;
}

/** Writes an int64 given by its halves, which are signed 32-bit integers. */
export function writeInt64(
  view: DataView,
  pos: number,
  { low, high }: { readonly low: number; readonly high: number },
): number {
  if (high >= 0 && high < 2 ** 21) return writeInteger(view, pos, high * 2 ** 32 + (low >>> 0));
  return writeAscii(view, pos, String((BigInt(high) << 32n) | BigInt(low >>> 0)));
}

/** Writes a double that is neither NaN nor infinite. */
export function writeDouble(view: DataView, pos: number, value: number): number {
  const small = value | 0;
  if (small === value && small >= 0 && small < 1e9) {
    if (small === 0 && Object.is(value, -0)) return writeAscii(view, pos, '-0.0');
    return writeSmallInteger(view, pos, small);
  }
  if (Number.isSafeInteger(value)) {
    if (value > 0) return writeInteger(view, pos, value);
    view.setUint8(pos, MINUS);
    return writeInteger(view, pos + 1, -value);
  }
  const next = writeDecimal(view, pos, value);
  return next === pos ? writeAscii(view, pos, String(value)) : next;
}

/** Writes ASCII. */
export function writeAscii(view: DataView, pos: number, text: string): number {
  for (let index = 0; index < text.length; index++) view.setUint8(pos + index, text.charCodeAt(index));
  return pos + text.length;
}

/**
 * Writes a double that has few decimals; returns `pos` for any other.
 *
 * Decimals of up to 15 digits are all different doubles (DBL_DIG of C), so when one of them reads back as this double, no shorter one does,
 * and String(value) is that one. Below 1e-6 String(value) has an exponent.
 */
function writeDecimal(view: DataView, pos: number, value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 1e-6 || magnitude >= 1e12) return pos;
  const scale = magnitude < 1e6 ? 1e9 : 1e3;
  const scaled = Math.round(magnitude * scale);
  // Division rounds right, so this asks whether the decimal scaled / scale reads back as the double.
  if (scaled / scale !== magnitude) return pos;

  if (value < 0) view.setUint8(pos++, MINUS);
  const whole = Math.floor(scaled / scale);
  const decimals = (scaled - whole * scale) | 0;
  pos = writeInteger(view, pos, whole);
  view.setUint8(pos++, POINT);
  pos = scale === 1e9 ? writeNineDigits(view, pos, decimals) : writeThreeDigits(view, pos, decimals);
  while (view.getUint8(pos - 1) === ZERO) pos--;
  return pos;
}

/** Writes a safe integer that is not negative. */
function writeInteger(view: DataView, pos: number, value: number): number {
  if (value < 1e9) return writeSmallInteger(view, pos, value | 0);
  const billions = Math.floor(value / 1e9);
  return writeNineDigits(view, writeSmallInteger(view, pos, billions | 0), (value - billions * 1e9) | 0);
}

/** Writes an integer below 1e9. */
function writeSmallInteger(view: DataView, pos: number, value: number): number {
  if (value < 1e3) return writeLeadingDigits(view, pos, value);
  const thousands = (value / 1e3) | 0;
  if (value < 1e6) return writeThreeDigits(view, writeLeadingDigits(view, pos, thousands), value - thousands * 1e3);
  const millions = (value / 1e6) | 0;
  pos = writeLeadingDigits(view, pos, millions);
  pos = writeThreeDigits(view, pos, thousands - millions * 1e3);
  return writeThreeDigits(view, pos, value - thousands * 1e3);
}

function writeNineDigits(view: DataView, pos: number, value: number): number {
  const thousands = (value / 1e3) | 0;
  const millions = (value / 1e6) | 0;
  pos = writeThreeDigits(view, pos, millions);
  pos = writeThreeDigits(view, pos, thousands - millions * 1e3);
  return writeThreeDigits(view, pos, value - thousands * 1e3);
}

function writeLeadingDigits(view: DataView, pos: number, value: number): number {
  const word = LEADING_DIGITS[value]!;
  view.setInt32(pos, word, true);
  return pos + (word >>> 24);
}

function writeThreeDigits(view: DataView, pos: number, value: number): number {
  view.setInt32(pos, THREE_DIGITS[value]!, true);
  return pos + 3;
}
