import { doubleToken, ORDINARY_NAN, SAMPLE_LINE, STALE_NAN, type Kind } from '../record.ts';
import { hashLabel, LABEL_SLOTS, type LabelColumn } from '../wire/label_column.ts';
import { hashWord, isSpecial, lastWord, markSpecial, spread } from '../wire/text_words.ts';
import { ByteWriter } from './byte_writer.ts';
import { wordOf, writeDouble, writeInt64 } from './json_number.ts';
import { MAX_ESCAPE, writeEscaped } from './json_string.ts';

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
const START = piece(SAMPLE_LINE.start);
const LABELS = piece(`${SAMPLE_LINE.labels}"`);
/** It takes the place of the comma and the quote behind the last label. */
const END = piece(SAMPLE_LINE.end);

/** What stands behind the name of a label and behind its value: three bytes, as words. */
const BEHIND_NAME = wordOf('":"');
const BEHIND_VALUE = wordOf('","');
const BEHIND_BYTES = 3;

/** The most bytes that a line has besides its name and its labels, with room for the words that reach past them. */
export const LINE_BYTES = 128;

/**
 * Writes lines of samples piece by piece, in words of four bytes where it can: a word may reach past the end of its piece, and the next piece then
 * overwrites the rest of it. The caller reserves the room for a line before it writes the line.
 *
 * Names and values of labels are given by a column of offsets into the source: where the name starts and ends, where the value starts and ends.
 */
export class LineWriter extends ByteWriter {
  /** A hash of the labels written last, 32 bits. */
  labelsHash = 0;

  /** The time written last, as text: the samples of a scrape share their time. */
  readonly #time = new DataView(new ArrayBuffer(32));
  #timeBytes = writeInt64(this.#time, 0, { low: 0, high: 0 });
  #timeLow = 0;
  #timeHigh = 0;

  /**
   * Writes a line up to its time.
   *
   * @param slot where `labels` has the offsets of the name
   * @returns false when the name is not valid UTF-8; what was written is then of no use
   */
  writeName(labels: Int32Array, slot: number, kind: Kind): boolean {
    if (kind === 'sample') this.#writePiece(HEAD);
    else this.writeAscii(`{"kind":"${kind}","name":"`);
    if (!this.#writeStrings(labels, slot, slot + 2)) return false;
    this.#writePiece(TIME);
    return true;
  }

  /** Writes a time, a start timestamp and a value, given by the slots of a sample from `slot` on. */
  writeSample(samples: Int32Array, slot: number): void {
    this.writeTime(samples[slot + 1]!, samples[slot + 2]!);
    this.writeStart(samples[slot + 3]!, samples[slot + 4]!);
    this.#writePiece(VALUE);
    const valueAt = samples[slot]!;
    if (valueAt < 0) this.writeAscii('0');
    else this.#writeValue(valueAt);
  }

  /** Writes a start timestamp, field name included, given by its halves; nothing where it is 0. */
  writeStart(low: number, high: number): void {
    if (low === 0 && high === 0) return;
    this.#writePiece(START);
    this.writeInt64(low, high);
  }

  /**
   * Writes the rest of a line: its labels.
   *
   * @returns false when a label is not valid UTF-8; what was written is then of no use
   */
  writeLabels({ slots, count, jsonBytes }: LabelColumn): boolean {
    // A name that had to be escaped may have taken the room.
    this.reserve(LINE_BYTES + jsonBytes);
    this.#writePiece(LABELS);
    if (!this.#writeStrings(slots, 0, count * LABEL_SLOTS)) return false;
    this.pos -= 2;
    this.#writePiece(END);
    return true;
  }

  /**
   * Writes the strings that slots [first, stop) of `labels` have the offsets of, without the first quote and with the last: a name is followed by
   * a colon, a value by a comma, each with the quote of what comes next, and the last by neither.
   *
   * @returns false when one is not valid UTF-8; what was written is then of no use
   */
  writeStrings(labels: Int32Array, first: number, stop: number): boolean {
    if (!this.#writeStrings(labels, first, stop)) return false;
    this.pos -= 2;
    return true;
  }

  #writePiece({ words, length }: Piece): void {
    const view = this.view;
    const pos = this.pos;
    view.setInt32(pos, words[0]!, true);
    view.setInt32(pos + 4, words[1]!, true);
    view.setInt32(pos + 8, words[2]!, true);
    this.pos = pos + length;
  }

  /** Writes the strings of slots [first, stop), each with what stands behind it, as if nothing in them had to be escaped; if not, again. */
  #writeStrings(labels: Int32Array, first: number, stop: number): boolean {
    const source = this.sourceView;
    const view = this.view;
    let pos = this.pos;
    let special = 0;
    let sum = 0;
    let nameHash = 0;
    for (let slot = first; slot < stop; slot += 2) {
      const to = labels[slot + 1]!;
      let at = labels[slot]!;
      let hash = 0;
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
      if ((slot & 2) === 0) {
        view.setInt32(pos, BEHIND_NAME, true);
        nameHash = hash;
      } else {
        view.setInt32(pos, BEHIND_VALUE, true);
        sum = (sum + hashLabel(nameHash, hash)) | 0;
      }
      pos += BEHIND_BYTES;
    }
    this.labelsHash = spread(sum);
    if (isSpecial(special)) return this.#writeStringsEscaped(labels, first, stop);
    this.pos = pos;
    return true;
  }

  #writeStringsEscaped(labels: Int32Array, first: number, stop: number): boolean {
    for (let slot = first; slot < stop; slot += 2) {
      const from = labels[slot]!;
      const to = labels[slot + 1]!;
      this.reserve(MAX_ESCAPE * (to - from) + LINE_BYTES);
      const next = writeEscaped(this.source, { from, to, target: this.bytes, pos: this.pos });
      if (next < 0) {
        // It was looked at, so that it counts as if it were written.
        this.pos += to - from;
        return false;
      }
      this.pos = next;
      this.view.setInt32(this.pos, (slot & 2) === 0 ? BEHIND_NAME : BEHIND_VALUE, true);
      this.pos += BEHIND_BYTES;
    }
    return true;
  }

  /** Writes a time given by its halves as signed 32-bit integers. */
  writeTime(low: number, high: number): void {
    const time = this.#time;
    if (low !== this.#timeLow || high !== this.#timeHigh) {
      this.#timeLow = low;
      this.#timeHigh = high;
      this.#timeBytes = writeInt64(time, 0, { low, high });
    }
    const view = this.view;
    const pos = this.pos;
    const timeBytes = this.#timeBytes;
    for (let index = 0; index < timeBytes; index += 4) view.setInt32(pos + index, time.getInt32(index, true), true);
    this.pos = pos + timeBytes;
  }

  /** Writes a value, from the token itself to the fields that go with it (`stale`, `bits`). */
  #writeValue(at: number): void {
    const value = this.sourceView.getFloat64(at, true);
    if (Number.isFinite(value)) {
      this.pos = writeDouble(this.view, this.pos, value);
      return;
    }
    const bits = this.sourceView.getBigUint64(at, true);
    if (bits === STALE_NAN) this.writeAscii(SAMPLE_LINE.stale);
    else if (Number.isNaN(value) && bits !== ORDINARY_NAN) this.writeAscii(`${SAMPLE_LINE.bits}${bits.toString(16)}"`);
    else this.writeAscii(doubleToken(bits));
  }
}
