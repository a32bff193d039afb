import type { Lines } from '../record.ts';
import { PUT_MODULE } from './put_module.ts';
import { instantiate, type ModuleMemory } from './web_assembly.ts';

/** What assembly/put.ts exports. */
interface Exports {
  readonly memory: ModuleMemory;
  readonly firstFree: () => number;
  readonly writeRecords: (
    from: number,
    lines: number,
    ends: number,
    count: number,
    partitionKeys: boolean,
    out: number,
  ) => number;
  readonly countEntries: (
    at: number,
    end: number,
    receipt: number,
    receiptBytes: number,
    other: number,
    otherBytes: number,
  ) => number;
}

/** Bytes of a record besides the base64 of its line: `{"Data":"`, `"},`, and between them `","PartitionKey":"` and 8 hexadecimal digits. */
const FRAME_BYTES = 12;
const KEY_BYTES = 26;

/** The longest piece of an entry. */
const PIECE_BYTES = 32;

const PAGE_BYTES = 64 * 1024;
/** May be read and written behind a region along with it. */
const SPARE_BYTES = 64;
/** Lines are taken in so many at a time, and in as many bytes unless one is longer: what is worked on stays in the cache. */
const MAX_LINES = 512;
const MAX_BYTES = 128 * 1024;
/** Memory that has grown stays so. The entries of 500 records, as many as a call has, are some 65 KB. */
const MAX_ENTRIES_BYTES = 1024 ** 2;

/** Records of one call. */
export interface RecordsOptions {
  readonly lines: Lines;
  /** The first line, and one past the last. */
  readonly from: number;
  readonly to: number;
  /** Whether records have one: 8 hexadecimal digits of the hash. */
  readonly partitionKeys: boolean;
}

/** How many bytes `writeRecords` writes. */
export function countRecordBytes({ lines: { ends }, from, to, partitionKeys }: RecordsOptions): number {
  let size = (to - from) * (FRAME_BYTES + (partitionKeys ? KEY_BYTES : 0));
  let start = from === 0 ? 0 : ends[from - 1]!;
  for (let index = from; index < to; index++) {
    const end = ends[index]!;
    size += 4 * Math.ceil((end - start) / 3);
    start = end;
  }
  return size;
}

/** How the entry of a record that was accepted reads: `<receipt>…"}` or `<receipt>…<other>…"}`. ASCII of up to 32 characters each. */
export interface EntryPieces {
  readonly receipt: string;
  readonly other: string;
}

/** What PutRecords and PutRecordBatch need in WebAssembly. Nothing of one call lasts until the next. */
export class PutKernel {
  readonly #exports: Exports;
  /** Where ends and hashes are in the memory; behind them are the lines, and then what is written. */
  readonly #endsAt: number;
  #memory: Uint8Array<ArrayBuffer>;

  constructor() {
    this.#exports = instantiate(PUT_MODULE) as Exports;
    this.#endsAt = this.#exports.firstFree();
    this.#memory = new Uint8Array(this.#exports.memory.buffer);
  }

  /**
   * Writes records, each with a comma behind it, from `pos` on: `{"Data":"<base64 of the line>","PartitionKey":"<8 hex digits>"},`, or without the key.
   *
   * @returns where the next goes
   */
  writeRecords(out: Uint8Array, pos: number, { lines, from, to, partitionKeys }: RecordsOptions): number {
    const { ends } = lines;
    for (let next = from; next < to;) {
      const first = next;
      const start = first === 0 ? 0 : ends[first - 1]!;
      const last = Math.min(to, first + MAX_LINES);
      do next++;
      while (next < last && ends[next]! - start <= MAX_BYTES);
      pos = this.#writeRun(out, pos, { lines, from: first, to: next, partitionKeys });
    }
    return pos;
  }

  /**
   * Counts the entries of an answer, where all read as those of accepted records, with commas between.
   *
   * @returns -1 where anything else stands, or where they are more than 1 MiB
   */
  countEntries(entries: Uint8Array, { receipt, other }: EntryPieces): number {
    if (entries.length > MAX_ENTRIES_BYTES) return -1;
    const receiptAt = this.#endsAt;
    const otherAt = receiptAt + PIECE_BYTES;
    const at = otherAt + PIECE_BYTES;
    this.#grow(at + entries.length + SPARE_BYTES);
    for (let index = 0; index < receipt.length; index++) this.#memory[receiptAt + index] = receipt.charCodeAt(index);
    for (let index = 0; index < other.length; index++) this.#memory[otherAt + index] = other.charCodeAt(index);
    this.#memory.set(entries, at);
    return this.#exports.countEntries(at, at + entries.length, receiptAt, receipt.length, otherAt, other.length);
  }

  #writeRun(out: Uint8Array, pos: number, run: RecordsOptions): number {
    const { lines, from, to, partitionKeys } = run;
    const start = from === 0 ? 0 : lines.ends[from - 1]!;
    const end = lines.ends[to - 1]!;
    const linesAt = this.#endsAt + 2 * Uint32Array.BYTES_PER_ELEMENT * MAX_LINES;
    const outAt = linesAt + end - start + SPARE_BYTES;
    // Base64 of each line may be filled up by two bytes.
    const most = Math.ceil((4 * (end - start)) / 3) + (to - from) * (FRAME_BYTES + KEY_BYTES + 3);
    this.#grow(outAt + most + SPARE_BYTES);

    const numbers = new Uint32Array(this.#memory.buffer, this.#endsAt, 2 * (to - from));
    numbers.set(lines.ends.subarray(from, to));
    numbers.set(lines.hashes.subarray(from, to), to - from);
    this.#memory.set(lines.bytes.subarray(start, end), linesAt);
    const outEnd = this.#exports.writeRecords(linesAt, linesAt - start, this.#endsAt, to - from, partitionKeys, outAt);
    out.set(this.#memory.subarray(outAt, outEnd), pos);
    return pos + outEnd - outAt;
  }

  #grow(bytes: number): void {
    const { memory } = this.#exports;
    if (bytes <= this.#memory.length) return;
    memory.grow(Math.ceil((bytes - this.#memory.length) / PAGE_BYTES));
    this.#memory = new Uint8Array(memory.buffer);
  }
}
