import { RequestError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { countsOfKinds, type Lines } from '../record.ts';
import type { LabelColumn } from '../wire/label_column.ts';
import type { BufferPool } from '../buffer_pool.ts';
import { LineWriter } from './line_writer.ts';

export interface LineLimits {
  /** The most bytes of lines that the request may become. */
  readonly maxLinesBytes: number;
  /** The longest line that the sink takes, in bytes, its newline included. */
  readonly maxLineBytes: number;
}

/** Where a list of lines ended at some time. */
export interface Mark {
  readonly pos: number;
  readonly count: number;
}

/** The lines of a request as they are written, one behind the other, and the index of them: in the kernel's memory as long as there is room. */
export class LineList {
  readonly writer: LineWriter;
  /** Lines of each kind, counted by those who write them. */
  counts = countsOfKinds();
  readonly #kernel: Kernel;
  #ends: Uint32Array<ArrayBuffer>;
  #hashes: Uint32Array<ArrayBuffer>;
  #count = 0;
  #limits: LineLimits = { maxLinesBytes: 0, maxLineBytes: 0 };
  #discardedBytes = 0;

  constructor(kernel: Kernel) {
    this.writer = new LineWriter(kernel.lines);
    this.#kernel = kernel;
    this.#ends = kernel.ends;
    this.#hashes = kernel.hashes;
  }

  /** Starts anew, with strings and values that stand in `request`. */
  reset(request: Uint8Array, limits: LineLimits): void {
    this.#limits = limits;
    this.writer.reset(request, limits.maxLinesBytes + 2 * limits.maxLineBytes);
    this.counts = countsOfKinds();
    this.#count = 0;
    this.#discardedBytes = 0;
    this.#ends = this.#kernel.ends;
    this.#hashes = this.#kernel.hashes;
  }

  /** Whether the kernel can write the next line. */
  get isInKernel(): boolean {
    return this.writer.isInMemory && this.#ends === this.#kernel.ends;
  }

  /** Takes the lines of samples that the kernel has written; returns how many they are. */
  takeFromKernel(): number {
    const { pos, count } = this.#kernel;
    const written = count - this.#count;
    this.writer.pos = pos;
    this.#count = count;
    this.counts.sample += written;
    this.checkBytes(pos);
    return written;
  }

  /** Bytes that were looked at and led to no line. */
  get discardedBytes(): number {
    return this.#discardedBytes;
  }

  get end(): Mark {
    return { pos: this.writer.pos, count: this.#count };
  }

  /** Takes what was written from `start` on as a line, which the caller counts; false, and nothing changed, when it is too long. */
  tryEnd(start: number, hash: number): boolean {
    const { pos } = this.writer;
    if (pos - start > this.#limits.maxLineBytes) return false;
    this.checkBytes(pos);
    const index = this.#count++;
    if (index === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#hashes = doubled(this.#hashes);
    }
    this.#ends[index] = pos;
    this.#hashes[index] = hash;
    return true;
  }

  /** Where a line that starts at `start` may end at most. */
  maxEndOf(start: number): number {
    return start + this.#limits.maxLineBytes;
  }

  /** @throws RequestError lines_too_large when the lines would end behind the limit */
  checkBytes(end: number): void {
    const { maxLinesBytes } = this.#limits;
    if (end <= maxLinesBytes) return;
    throw new RequestError('lines_too_large', `the request becomes more than ${maxLinesBytes} bytes of lines`);
  }

  /** Takes back all that was written since the mark, lines of which none was counted. */
  rollBack({ pos, count }: Mark): void {
    this.discard(this.writer.pos - pos);
    this.writer.pos = pos;
    this.#count = count;
  }

  /**
   * Counts bytes that were looked at and led to no line. A few bytes of a body can name a large symbol again and again, so what is in vain is
   * bounded like what is written.
   *
   * @throws RequestError lines_too_large
   */
  discard(bytes: number): void {
    this.#discardedBytes += bytes;
    if (this.#discardedBytes <= this.#limits.maxLinesBytes) return;
    throw new RequestError(
      'lines_too_large',
      `the request has more than ${this.#limits.maxLinesBytes} bytes of labels and texts that become no lines`,
    );
  }

  /** Counts labels that were looked at and led to no line. */
  discardLabels({ jsonBytes }: LabelColumn): void {
    this.discard(Math.min(jsonBytes, this.#limits.maxLineBytes));
  }

  /** The lines, the caller's from now on, their bytes in a buffer of the pool. */
  take(pool: BufferPool): Lines {
    return {
      bytes: this.writer.take(pool),
      ends: this.#ends.slice(0, this.#count),
      hashes: this.#hashes.slice(0, this.#count),
    };
  }
}

function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * column.length);
  larger.set(column);
  return larger;
}
