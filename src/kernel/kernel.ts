import type { LabelLimits } from '../wire/label_column.ts';
import { readDeclaredLength } from '../wire/snappy.ts';
import { SYMBOL_SLOTS } from '../wire/symbols.ts';
import { KERNEL_MODULE } from './module.ts';
import { instantiate, type ModuleMemory } from './web_assembly.ts';

/** What assembly/index.ts exports. */
interface Exports {
  readonly memory: ModuleMemory;
  readonly start: () => number;
  readonly decodeSnappy: (start: number, length: number, declared: number) => number;
  readonly limitLabels: (labels: number, nameBytes: number, valueBytes: number) => void;
  readonly readSymbols: (end: number, most: number) => number;
  readonly writeSeriesV1: WriteSeries;
  readonly writeSeriesV2: WriteSeries;
}

type WriteSeries = (
  from: number,
  end: number,
  pos: number,
  lines: number,
  maxLineBytes: number,
  maxTimeMs: number,
) => number;

/** Metadata of a remote write 2.0 series: where the name of its metric is in the request, and what the message Metadata has. */
export interface SeriesMetadata {
  readonly nameAt: number;
  readonly nameEnd: number;
  readonly type: number;
  readonly helpRef: number;
  readonly unitRef: number;
}

export interface WriteSeriesOptions {
  /** Offsets into `request`: where the next field of the message is, and where the message ends. */
  readonly from: number;
  readonly end: number;
  /** How many bytes of lines, and how many lines, there are already. */
  readonly pos: number;
  readonly count: number;
  /** Longer lines are left to the caller. */
  readonly maxLineBytes: number;
  /** So are later samples. */
  readonly maxTimeMs: number;
}

/**
 * The hot loops, compiled from assembly/ to WebAssembly, and the memory that they work in. They take what nearly all of a request is, and leave the
 * rest to the caller. One request at a time; nothing of it lasts longer than until the next.
 */
export class Kernel {
  /** A decompressed request. */
  readonly request: Uint8Array<ArrayBuffer>;
  /** The lines of a request, where each of them ends, and the hash of its series. */
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** The symbols of a remote write 2.0 request, SYMBOL_SLOTS each. */
  readonly symbols: Int32Array<ArrayBuffer>;
  /** Metadata of the series before, MEMO_SLOTS each, by where the name is modulo the number of entries; the caller's to write. */
  readonly memo: Int32Array<ArrayBuffer>;
  readonly #exports: Exports;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #body: Uint8Array<ArrayBuffer>;
  readonly #registers: Int32Array;

  constructor() {
    const numbers = { writeShortestDouble: (pos: number, value: number) => this.#writeShortestDouble(pos, value) };
    this.#exports = instantiate(KERNEL_MODULE, { numbers }) as Exports;
    // It takes all of its memory, which is another buffer then.
    const registersAt = this.#exports.start();
    const { buffer } = this.#exports.memory;
    this.#memory = new Uint8Array(buffer);
    this.#registers = new Int32Array(buffer, registersAt, REGISTERS);
    const [bodyAt, bodyBytes, requestAt, requestBytes, linesAt, linesBytes, endsAt, hashesAt, maxLines, ...rest] =
      this.#registers;
    const [symbolsAt, maxSymbols, memoAt, memoEntries] = rest as unknown as [number, number, number, number];
    this.#body = new Uint8Array(buffer, bodyAt, bodyBytes);
    this.request = new Uint8Array(buffer, requestAt, requestBytes);
    this.lines = new Uint8Array(buffer, linesAt, linesBytes);
    this.ends = new Uint32Array(buffer, endsAt, maxLines);
    this.hashes = new Uint32Array(buffer, hashesAt, maxLines);
    this.symbols = new Int32Array(buffer, symbolsAt, maxSymbols * SYMBOL_SLOTS);
    this.memo = new Int32Array(buffer, memoAt, memoEntries * MEMO_SLOTS);
  }

  /** Series whose labels are beyond these limits are left to the caller. */
  limitLabels({ maxLabels, maxNameBytes, maxValueBytes }: LabelLimits): void {
    const [labels, nameBytes, valueBytes] = [maxLabels, maxNameBytes, maxValueBytes].map((most) =>
      Math.min(most, 0xffff_ffff),
    ) as [number, number, number];
    this.#exports.limitLabels(labels, nameBytes, valueBytes);
  }

  /** What `writeSeries…` wrote: the end of the lines, and their count, those before included. */
  get pos(): number {
    return this.#registers[0]!;
  }

  get count(): number {
    return this.#registers[1]!;
  }

  /**
   * Decodes a snappy block, as `decodeSnappy` of wire/snappy.ts does.
   *
   * @returns a view of `request`; undefined where it is left to the caller: it is too large for this memory, or not valid
   * @throws RequestError invalid_snappy
   */
  tryDecodeSnappy(block: Uint8Array, maxBytes: number): Uint8Array | undefined {
    const { length: declared, next } = readDeclaredLength(block, maxBytes);
    if (block.length > this.#body.length || declared > this.request.length) return undefined;
    this.#body.set(block);
    const written = this.#exports.decodeSnappy(next, block.length, declared);
    return written === declared ? this.request.subarray(0, declared) : undefined;
  }

  /** Takes a request into the memory, unless it is there already; undefined when it is too large. */
  tryTake(request: Uint8Array): Uint8Array | undefined {
    const { buffer, byteOffset } = this.request;
    if (request.buffer === buffer && request.byteOffset === byteOffset) return request;
    if (request.length > this.request.length) return undefined;
    this.request.set(request);
    return this.request.subarray(0, request.length);
  }

  /**
   * Writes the lines of plain remote write 1.0 series, as assembly/series_v1.ts says.
   *
   * @returns the offset of the first field of the message that is left to the caller, or its end
   */
  writeSeriesV1({ from, end, pos, count, maxLineBytes, maxTimeMs }: WriteSeriesOptions): number {
    return this.#exports.writeSeriesV1(from, end, pos, count, maxLineBytes, maxTimeMs);
  }

  /**
   * Reads the symbols of a remote write 2.0 request into `symbols`.
   *
   * @returns how many there are; −1 when there are more than `most`, or it is left to the caller
   */
  tryReadSymbols(end: number, most: number): number {
    return this.#exports.readSymbols(end, most);
  }

  /**
   * The same for remote write 2.0, after tryReadSymbols, as assembly/series_v2.ts says. It also stops behind a series whose metadata is not in
   * `memo`; `metadata` has it then.
   */
  writeSeriesV2({ from, end, pos, count, maxLineBytes, maxTimeMs }: WriteSeriesOptions): number {
    return this.#exports.writeSeriesV2(from, end, pos, count, maxLineBytes, maxTimeMs);
  }

  /** How much metadata was that of a series before. */
  get skippedMetadata(): number {
    return this.#registers[2]!;
  }

  /** Metadata that no series before had; undefined when there is none. */
  get metadata(): SeriesMetadata | undefined {
    const [, , , isGiven, nameAt, nameEnd, type, helpRef, unitRef] = this.#registers as unknown as number[];
    if (isGiven === 0) return undefined;
    return { nameAt: nameAt!, nameEnd: nameEnd!, type: type!, helpRef: helpRef!, unitRef: unitRef! };
  }

  #writeShortestDouble(pos: number, value: number): number {
    const text = String(value);
    for (let index = 0; index < text.length; index++) this.#memory[pos + index] = text.charCodeAt(index);
    return text.length;
  }
}

/** Slots of a memo: where the name is, the type, the references to help and unit. */
export const MEMO_SLOTS = 4;
/** Numbers that the kernel returns besides its result. */
const REGISTERS = 16;
