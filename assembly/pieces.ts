import { PIECES } from './memory';

/*
 * What is the same in every line, as src/record.ts has it (SAMPLE_LINE), cut where the variables are put in. A piece lies in memory as 32 bytes, its text
 * first. How long it is stands with it here, not there: where the next piece goes must not wait for memory.
 */

const PIECE_BYTES: usize = 32;

/** `{"name":"` */
export const HEAD: usize = PIECES;
/** `","time":` */
export const TIME: usize = PIECES + PIECE_BYTES;
/** `,"value":` */
export const VALUE: usize = PIECES + 2 * PIECE_BYTES;
/** Each of these three. */
export const FIELD_BYTES: usize = 9;
/** `,"labels":{"` */
export const LABELS_HEAD: usize = PIECES + 3 * PIECE_BYTES;
export const LABELS_HEAD_BYTES: usize = 12;
/** `":"`, behind the name of a label. */
export const BEHIND_NAME: u32 = 0x22_3a_22;
/** `","`, behind the value of a label that another follows. */
export const BEHIND_VALUE: u32 = 0x22_2c_22;
export const BEHIND_BYTES: usize = 3;
/** `"}}\n`, behind the last value. */
export const END: u32 = 0x0a_7d_7d_22;
export const END_BYTES: usize = 4;

/** `null,"stale":true` */
export const STALE: usize = PIECES + 4 * PIECE_BYTES;
export const STALE_BYTES: usize = 17;
/** `"NaN"` */
export const NAN: usize = PIECES + 5 * PIECE_BYTES;
export const NAN_BYTES: usize = 5;
/** `"Infinity"` */
export const INFINITY: usize = PIECES + 6 * PIECE_BYTES;
export const INFINITY_BYTES: usize = 10;
/** `"-Infinity"` */
export const NEGATIVE_INFINITY: usize = PIECES + 7 * PIECE_BYTES;
export const NEGATIVE_INFINITY_BYTES: usize = 11;
/** `-0.0` */
export const NEGATIVE_ZERO: usize = PIECES + 8 * PIECE_BYTES;
export const NEGATIVE_ZERO_BYTES: usize = 4;

export function fillPieces(): void {
  fill(HEAD, '{"name":"');
  fill(TIME, '","time":');
  fill(VALUE, ',"value":');
  fill(LABELS_HEAD, ',"labels":{"');
  fill(STALE, 'null,"stale":true');
  fill(NAN, '"NaN"');
  fill(INFINITY, '"Infinity"');
  fill(NEGATIVE_INFINITY, '"-Infinity"');
  fill(NEGATIVE_ZERO, '-0.0');
}

function fill(piece: usize, text: string): void {
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, piece);
}

/** Writes a piece of up to 16 bytes at `pos`; returns the offset behind it. */
@inline
export function writePiece(pos: usize, piece: usize, bytes: usize): usize {
  v128.store(pos, v128.load(piece));
  return pos + bytes;
}

/** The same for one of up to 32 bytes. */
@inline
export function writeLongPiece(pos: usize, piece: usize, bytes: usize): usize {
  v128.store(pos, v128.load(piece));
  v128.store(pos, v128.load(piece, 16), 16);
  return pos + bytes;
}

/** Writes a piece of up to 4 bytes, which is a word. */
@inline
export function writeWord(pos: usize, word: u32, bytes: usize): usize {
  store<u32>(pos, word);
  return pos + bytes;
}
