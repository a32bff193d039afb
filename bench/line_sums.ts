/** A fingerprint of many lines in which their order does not count, so that what two processes saw of them can be compared. */
export interface LinesSum {
  readonly lines: number;
  /** Two sums, modulo 2³², of two hashes of each line. */
  readonly sums: readonly [number, number];
}

const NEWLINE = 0x0a;
/** How such a line begins; it has the time of its arrival, which the sender does not know, so it stays out of the sums. */
const METADATA = Buffer.from('{"kind":"metadata"');
/** So many lines stand behind each other before one of them is parsed. */
const PARSE_ONE_OF = 1_000;

/** Adds up lines. Only what ends with a newline is one. */
export class LineSums {
  #lines = 0;
  #first = 0;
  #second = 0;

  get sum(): LinesSum {
    return { lines: this.#lines, sums: [this.#first, this.#second] };
  }

  /**
   * @param bytes whole lines
   * @returns how many, without those of metadata
   * @throws Error when they are not whole, or one of those that are looked at is not JSON
   */
  add(bytes: Buffer): number {
    if (bytes.length === 0 || bytes[bytes.length - 1] !== NEWLINE) throw new Error('no newline at the end of a record');
    const before = this.#lines;
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, start);
      if (!isMetadata(bytes, start)) this.#addLine(bytes, start, end);
      start = end + 1;
    }
    return this.#lines - before;
  }

  /** Adds what was counted elsewhere, `times` over. */
  addSum({ lines, sums }: LinesSum, times: number): void {
    this.#lines += lines * times;
    this.#first = (this.#first + Math.imul(sums[0], times)) >>> 0;
    this.#second = (this.#second + Math.imul(sums[1], times)) >>> 0;
  }

  #addLine(bytes: Buffer, start: number, end: number): void {
    if (this.#lines % PARSE_ONE_OF === 0) JSON.parse(bytes.toString('utf8', start, end));
    let first = end - start;
    let second = ~first;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      first = Math.imul(first ^ word, 0x9e37_79b1);
      first ^= first >>> 15;
      second = Math.imul(second + word, 0x85eb_ca6b);
      second = (second << 13) | (second >>> 19);
    }
    for (; at < end; at++) {
      first = Math.imul(first ^ bytes[at]!, 0x9e37_79b1);
      second = Math.imul(second + bytes[at]!, 0x85eb_ca6b);
    }
    this.#lines++;
    this.#first = (this.#first + Math.imul(first ^ (first >>> 13), 0xc2b2_ae35)) >>> 0;
    this.#second = (this.#second + Math.imul(second ^ (second >>> 16), 0x27d4_eb2f)) >>> 0;
  }
}

function isMetadata(bytes: Buffer, start: number): boolean {
  // The first letter of its first field tells it from a sample's `name` already.
  return (
    bytes[start + 2] === METADATA[2] &&
    bytes.compare(METADATA, 0, METADATA.length, start, start + METADATA.length) === 0
  );
}
