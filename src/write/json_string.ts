/** The most bytes that a byte of a string becomes in JSON: a control character as \u00XX. */
export const MAX_ESCAPE = 6;

/** What JSON.stringify writes for each ASCII byte. */
const ESCAPES = Array.from({ length: 0x80 }, (_, byte) =>
  new TextEncoder().encode(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

export interface WriteEscapedOptions {
  readonly from: number;
  readonly to: number;
  readonly target: Uint8Array;
  readonly pos: number;
}

/**
 * Writes source[from, to) at target[pos] as the inside of a JSON string, with the escapes of JSON.stringify.
 *
 * @returns the offset behind it, or −1 when the source is not valid UTF-8
 */
export function writeEscaped(source: Uint8Array, { from, to, target, pos: start }: WriteEscapedOptions): number {
  let pos = start;
  for (let at = from; at < to;) {
    const byte = source[at]!;
    if (byte < 0x80) {
      const escape = ESCAPES[byte]!;
      for (let index = 0; index < escape.length; index++) target[pos++] = escape[index]!;
      at++;
    } else {
      const length = utf8Length(source, at, to);
      if (length === 0) return -1;
      for (const stop = at + length; at < stop;) target[pos++] = source[at++]!;
    }
  }
  return pos;
}

/** Whether bytes[from, to) is valid UTF-8. */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to;) {
    const length = utf8Length(bytes, at, to);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/**
 * The length of the UTF-8 sequence that starts at `at`, by RFC 3629's table: no overlong forms, no surrogates, nothing past U+10FFFF.
 *
 * @returns 0 when there is none
 */
function utf8Length(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  let length: number;
  let least = 0x80;
  let most = 0xbf;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead === 0xe0) least = 0xa0;
    else if (lead === 0xed) most = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead === 0xf0) least = 0x90;
    else if (lead === 0xf4) most = 0x8f;
  } else return 0;
  if (at + length > end) return 0;
  const second = bytes[at + 1]!;
  if (second < least || second > most) return 0;
  for (let index = 2; index < length; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return 0;
  return length;
}
