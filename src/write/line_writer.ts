import { doubleToken, ORDINARY_NAN, SAMPLE_LINE, STALE_NAN } from '../record.ts';
import { wordOf, writeAscii, writeDouble, writeInt64 } from './json_number.ts';
import { isSpecial, markSpecial, MAX_ESCAPE, writeEscaped } from './json_string.ts';

/** A piece that is the same in every line: at most 12 bytes of ASCII, as three little-endian words. */
interface Piece {
  readonly words: Int32Array;
  readonly length: number;
}

function piece(text: string): Piece {
  return { words: Int32Array.of(wordOf(text), wordOf(text.slice(4)), wordOf(text.slice(8))), length: text.length };
}

const HEAD = piece(`${SAMPLE_LINE.name}"`);
/** Its comma and first quote are the last of what stands behind the name. */
const TIME = piece(SAMPLE_LINE.time.slice(2));
const VALUE = piece(SAMPLE_LINE.value);
const LABELS = piece(`${SAMPLE_LINE.labels}"`);
/** It takes the place of the comma and the quote behind the last label. */
const END = piece(SAMPLE_LINE.end);

/** What stands behind the name of a label and behind its value: three bytes, as words. */
const BEHIND_NAME = wordOf('":"');
const BEHIND_VALUE = wordOf('","');
const BEHIND_BYTES = 3;

/** The most bytes that a line has besides its name and its labels, with room for the words that reach past them. */
export const LINE_BYTES = 128;
/** What is kept of the memory between requests. */
const KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Writes lines of samples piece by piece, in words of four bytes where it can: a word may reach past the end of its piece, and the next piece then
 * overwrites the rest of it. The caller reserves the room for a line before it writes the line.
 *
 * Names and values of labels are given by a column of offsets into the source: where the name starts and ends, where the value starts and ends.
 */
export class LineWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = viewOf(this.#bytes);
  #source: Uint8Array = new Uint8Array(0);
  #sourceView = viewOf(this.#source);
  #maxBytes = 0;
  /** Where the next byte goes. */
  pos = 0;
  /** A hash of the labels written last, 32 bits. */
  labelsHash = 0;

  /** The time written last, as text: the samples of a scrape share their time. */
  readonly #time = new DataView(new ArrayBuffer(32));
  #timeBytes = writeInt64(this.#time, 0, { low: 0, high: 0 });
  #timeLow = 0;
  #timeHigh = 0;

  /**
   * Starts anew, with strings and values that stand in `source`. Memory that a rare large request needed is given back.
   *
   * @param maxBytes what is hardly ever exceeded, so that no more memory is taken in advance
   */
  reset(source: Uint8Array, maxBytes: number): void {
    this.#source = source;
    this.#sourceView = viewOf(source);
    this.#maxBytes = maxBytes;
    this.pos = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#resize(KEPT_BYTES);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.pos + count;
    const { length } = this.#bytes;
    if (needed > length) this.#resize(Math.max(needed, Math.min(2 * length, this.#maxBytes)));
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    const copy = Buffer.allocUnsafeSlow(this.pos);
    copy.set(this.#bytes.subarray(0, this.pos));
    return new Uint8Array(copy.buffer);
  }

  /** Writes again what stands at [from, to). */
  repeat(from: number, to: number): void {
    this.#bytes.copyWithin(this.pos, from, to);
    this.pos += to - from;
  }

  /**
   * Writes a line up to its time.
   *
   * @param slot where `labels` has the offsets of the value of `__name__`
   * @returns false when the name is not valid UTF-8; what was written, and `pos`, are then of no use
   */
  writeName(labels: Int32Array, slot: number): boolean {
    this.#writePiece(HEAD);
    if (!this.#writeStrings(labels, slot, slot + 2)) return false;
    this.#writePiece(TIME);
    return true;
  }

  /** Writes a time, given by its halves as signed 32-bit integers, and a value, given by its offset in the source; −1 means 0. */
  writeSample(valueAt: number, timeLow: number, timeHigh: number): void {
    this.#writeTime(timeLow, timeHigh);
    this.#writePiece(VALUE);
    if (valueAt < 0) this.#writeAscii('0');
    else this.#writeValue(valueAt);
  }

  /**
   * Writes the rest of a line: the first `slots` slots of `labels`.
   *
   * @returns false when a label is not valid UTF-8; what was written, and `pos`, are then of no use
   */
  writeLabels(labels: Int32Array, slots: number): boolean {
    this.#writePiece(LABELS);
    if (!this.#writeStrings(labels, 0, slots)) return false;
    this.pos -= 2;
    this.#writePiece(END);
    return true;
  }

  #writePiece({ words, length }: Piece): void {
    const view = this.#view;
    const pos = this.pos;
    view.setInt32(pos, words[0]!, true);
    view.setInt32(pos + 4, words[1]!, true);
    view.setInt32(pos + 8, words[2]!, true);
    this.pos = pos + length;
  }

  /** Writes the strings of slots [first, stop), each with what stands behind it, as if nothing in them had to be escaped; if not, again. */
  #writeStrings(labels: Int32Array, first: number, stop: number): boolean {
    const source = this.#sourceView;
    const view = this.#view;
    let pos = this.pos;
    let special = 0;
    let hash = 0;
    for (let slot = first; slot < stop; slot += 2) {
      const to = labels[slot + 1]!;
      let at = labels[slot]!;
      for (; at + 4 <= to; at += 4) {
        const word = source.getInt32(at, true);
        view.setInt32(pos, word, true);
        special |= markSpecial(word);
        hash = hashWord(hash, word);
        pos += 4;
      }
      if (at < to) {
        const word = lastWord(source, at, to);
        view.setInt32(pos, word, true);
        special |= markSpecial(word);
        hash = hashWord(hash, word);
        pos += to - at;
      }
      view.setInt32(pos, (slot & 2) === 0 ? BEHIND_NAME : BEHIND_VALUE, true);
      pos += BEHIND_BYTES;
    }
    this.labelsHash = spread(hash);
    if (isSpecial(special)) return this.#writeStringsEscaped(labels, first, stop);
    this.pos = pos;
    return true;
  }

  #writeStringsEscaped(labels: Int32Array, first: number, stop: number): boolean {
    for (let slot = first; slot < stop; slot += 2) {
      const from = labels[slot]!;
      const to = labels[slot + 1]!;
      this.reserve(MAX_ESCAPE * (to - from) + LINE_BYTES);
      this.pos = writeEscaped(this.#source, { from, to, target: this.#bytes, pos: this.pos });
      if (this.pos < 0) return false;
      this.#view.setInt32(this.pos, (slot & 2) === 0 ? BEHIND_NAME : BEHIND_VALUE, true);
      this.pos += BEHIND_BYTES;
    }
    return true;
  }

  #writeTime(low: number, high: number): void {
    const time = this.#time;
    if (low !== this.#timeLow || high !== this.#timeHigh) {
      this.#timeLow = low;
      this.#timeHigh = high;
      this.#timeBytes = writeInt64(time, 0, { low, high });
    }
    const view = this.#view;
    const pos = this.pos;
    const timeBytes = this.#timeBytes;
    for (let index = 0; index < timeBytes; index += 4) view.setInt32(pos + index, time.getInt32(index, true), true);
    this.pos = pos + timeBytes;
  }

  /** Writes a value, from the token itself to the fields that go with it (`stale`, `bits`). */
  #writeValue(at: number): void {
    const value = this.#sourceView.getFloat64(at, true);
    if (Number.isFinite(value)) {
      this.pos = writeDouble(this.#view, this.pos, value);
      return;
    }
    const bits = this.#sourceView.getBigUint64(at, true);
    if (bits === STALE_NAN) this.#writeAscii(SAMPLE_LINE.stale);
    else if (Number.isNaN(value) && bits !== ORDINARY_NAN) this.#writeAscii(`${SAMPLE_LINE.bits}${bits.toString(16)}"`);
    else this.#writeAscii(doubleToken(bits));
  }

  #writeAscii(text: string): void {
    this.pos = writeAscii(this.#view, this.pos, text);
  }

  #resize(size: number): void {
    const resized = new Uint8Array(size);
    resized.set(this.#bytes.subarray(0, this.pos));
    this.#bytes = resized;
    this.#view = viewOf(resized);
  }
}

/**
 * The last one to three bytes of a string, [at, to), as a word filled up with spaces. They are the upper bytes of the four that end at `to`: a
 * string of a message stands behind its tag and its length at least, so nothing before the source or behind it is read.
 */
function lastWord(source: DataView, at: number, to: number): number {
  const bits = 8 * (to - at);
  return (source.getInt32(to - 4, true) >>> (32 - bits)) | (0x2020_2020 << bits);
}

/** One step of a hash like MurmurHash2: it multiplies, and brings the upper bits down again. */
function hashWord(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x5bd1_e995);
  return product ^ (product >>> 15);
}

/** The finalizer of MurmurHash3: every bit of the hash changes about half of the bits, so any run of them picks a shard. */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
