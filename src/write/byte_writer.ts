import { ORDINARY_NAN } from '../record.ts';
import { viewOf } from '../wire/text_words.ts';
import type { BufferPool } from '../buffer_pool.ts';
import { writeAscii, writeDouble, writeInt64 } from './json_number.ts';

/**
 * Memory that grows as it is written to, and numbers as JSON tokens. The caller reserves room before it writes.
 *
 * Values are given by their offset in the source, the request, as it stands there: a JavaScript number does not keep the payload of a NaN.
 */
export class ByteWriter {
  /** Where the next byte goes. */
  pos = 0;
  protected bytes: Uint8Array;
  protected view: DataView;
  protected source: Uint8Array = new Uint8Array(0);
  protected sourceView = viewOf(this.source);
  readonly #memory: Uint8Array;
  #maxBytes = 0;

  /** @param memory what it writes to as long as there is room */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
    this.bytes = memory;
    this.view = viewOf(memory);
  }

  /** Whether all is still in the memory that it was given. */
  get isInMemory(): boolean {
    return this.bytes === this.#memory;
  }

  /**
   * Starts anew, with strings and values that stand in `source`.
   *
   * @param maxBytes what is hardly ever exceeded, so that no more memory is taken in advance
   */
  reset(source: Uint8Array, maxBytes: number): void {
    this.source = source;
    this.sourceView = viewOf(source);
    this.#maxBytes = maxBytes;
    this.pos = 0;
    this.bytes = this.#memory;
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.pos + count;
    const { length } = this.bytes;
    if (needed > length) this.#resize(Math.max(needed, Math.min(2 * length, this.#maxBytes)));
  }

  /** A copy of what was written, in a buffer of the pool. */
  take(pool: BufferPool): Uint8Array {
    const copy = pool.take(this.pos);
    copy.set(this.bytes.subarray(0, this.pos));
    return copy.subarray(0, this.pos);
  }

  /** Writes again what stands at [from, to). */
  repeat(from: number, to: number): void {
    this.bytes.copyWithin(this.pos, from, to);
    this.pos += to - from;
  }

  writeAscii(text: string): void {
    this.pos = writeAscii(this.view, this.pos, text);
  }

  /** Writes an int64 given by its halves as signed 32-bit integers. */
  writeInt64(low: number, high: number): void {
    this.pos = writeInt64(this.view, this.pos, { low, high });
  }

  /** Writes a uint64 given by its halves as signed 32-bit integers. */
  writeUint64(low: number, high: number): void {
    if (high >= 0) this.writeInt64(low, high);
    else this.writeAscii(String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)));
  }

  /**
   * Writes the token of a double, given by its offset in the source; −1 means 0.
   *
   * @returns its bits where the token does not tell them
   */
  writeDouble(at: number): bigint | undefined {
    const value = at < 0 ? 0 : this.sourceView.getFloat64(at, true);
    if (Number.isFinite(value)) {
      this.pos = writeDouble(this.view, this.pos, value);
      return undefined;
    }
    this.writeAscii(`"${value}"`);
    return this.bitsBesides(at);
  }

  /** The bits of a double in the source that its token does not tell: of every NaN but Prometheus's own. */
  bitsBesides(at: number): bigint | undefined {
    if (at < 0 || !Number.isNaN(this.sourceView.getFloat64(at, true))) return undefined;
    const bits = this.sourceView.getBigUint64(at, true);
    return bits === ORDINARY_NAN ? undefined : bits;
  }

  #resize(size: number): void {
    const resized = new Uint8Array(size);
    resized.set(this.bytes.subarray(0, this.pos));
    this.bytes = resized;
    this.view = viewOf(resized);
  }
}
