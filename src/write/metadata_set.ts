import { hashText, hashWord, spread } from '../wire/text_words.ts';

/** Metadata in a request. */
export interface MetadataTexts {
  /** Of the request. */
  readonly view: DataView;
  /** By METADATA_SLOTS: where each text starts, and behind that where it ends. */
  readonly offsets: Int32Array;
  readonly type: number;
}

/** Where each text of metadata has its offsets. */
export const METADATA_SLOTS = { help: 0, name: 2, unit: 4, count: 6 } as const;

/** Metadata is written again after so long, so that every day of an archive has it, and a reader need not look at all years. */
export const REPEAT_AFTER_MS = 60 * 60 * 1000;
const FIRST_BYTES = 4 * 1024;

/**
 * An entry: when it was written, a double; then as 32-bit integers its size, the type and the lengths of the texts; then these, each padded to words.
 */
const SIZE_AT = 8;
const TYPE_AT = 12;
const LENGTHS_AT = 16;
const TEXTS = METADATA_SLOTS.count / 2;
const TEXTS_AT = LENGTHS_AT + 4 * TEXTS;
/** What an entry takes besides, as an entry of a Map. */
const OVERHEAD_BYTES = 64;

/**
 * A set of metadata and of when each was written, keyed by all of name, type, help and unit, because one family has several variants in practice. Its
 * entries lie one behind the other in one piece of memory.
 */
export class MetadataSet {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  /** Where the entry of a hash is. Of two that share a hash, the later one takes the place. */
  readonly #entries = new Map<number, number>();
  /** The entry behind the one found last: one scrape has its families in the order of the one before. */
  #next = 0;
  #clearedAtMs: number | undefined;

  /** @param maxBytes what its entries may take */
  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.#entries.size * OVERHEAD_BYTES;
  }

  /** Whether it was written lately, if it is the entry behind the one found last; that is known without a hash. */
  isNext(texts: MetadataTexts, nowMs: number): boolean {
    if (this.#next >= this.#end) this.#next = 0;
    return this.#end > 0 && this.#isAt(this.#next, texts, nowMs);
  }

  /** Whether it was written lately. */
  has(texts: MetadataTexts, hash: number, nowMs: number): boolean {
    const at = this.#entries.get(hash);
    return at !== undefined && this.#isAt(at, texts, nowMs);
  }

  /** Notes what was written. When the set is full, it is cleared, once in REPEAT_AFTER_MS; until then what does not fit is not noted. */
  add(texts: MetadataTexts, hash: number, nowMs: number): void {
    this.#clearedAtMs ??= nowMs;
    const at = this.#entries.get(hash);
    if (at !== undefined && isSame(texts, this.#view, at)) this.#view.setFloat64(at, nowMs);
    else if (this.#tryMakeRoom(sizeOf(texts), nowMs)) this.#append(texts, hash, nowMs);
  }

  /** Notes all that another set has as written at `nowMs`, with a stop each time that `isTimeUp`. */
  *addAll(other: MetadataSet, nowMs: number, isTimeUp: () => boolean): Generator<undefined, void> {
    const offsets = new Int32Array(METADATA_SLOTS.count);
    const view = other.#view;
    for (const [hash, entryAt] of other.#entries) {
      if (isTimeUp()) yield;
      let at = entryAt + TEXTS_AT;
      for (let index = 0; index < TEXTS; index++) {
        const length = view.getInt32(entryAt + LENGTHS_AT + 4 * index);
        offsets[2 * index] = at;
        offsets[2 * index + 1] = at + length;
        at += padded(length);
      }
      this.add({ view, offsets, type: view.getInt32(entryAt + TYPE_AT) }, hash, nowMs);
    }
  }

  #isAt(at: number, texts: MetadataTexts, nowMs: number): boolean {
    const view = this.#view;
    if (!isSame(texts, view, at)) return false;
    const ageMs = nowMs - view.getFloat64(at);
    // A clock that was set back must not silence anything.
    if (ageMs < 0 || ageMs >= REPEAT_AFTER_MS) return false;
    this.#next = at + view.getInt32(at + SIZE_AT);
    return true;
  }

  #tryMakeRoom(count: number, nowMs: number): boolean {
    const needed = this.#end + count;
    if (needed <= this.#bytes.length) return true;
    if (needed > this.#maxBytes) return count <= this.#maxBytes && this.#tryClear(nowMs);
    const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(2 * this.#bytes.length, needed)));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
    return true;
  }

  #tryClear(nowMs: number): boolean {
    const ageMs = nowMs - (this.#clearedAtMs ?? 0);
    if (ageMs >= 0 && ageMs < REPEAT_AFTER_MS) return false;
    this.#clearedAtMs = nowMs;
    this.#entries.clear();
    this.#end = 0;
    this.#next = 0;
    return true;
  }

  #append({ view, offsets, type }: MetadataTexts, hash: number, nowMs: number): void {
    const start = this.#end;
    let at = start + TEXTS_AT;
    for (let index = 0; index < TEXTS; index++) {
      const from = offsets[2 * index]!;
      const length = offsets[2 * index + 1]! - from;
      this.#view.setInt32(start + LENGTHS_AT + 4 * index, length);
      this.#bytes.set(new Uint8Array(view.buffer, view.byteOffset + from, length), at);
      at += padded(length);
    }
    this.#view.setFloat64(start, nowMs);
    this.#view.setInt32(start + SIZE_AT, at - start);
    this.#view.setInt32(start + TYPE_AT, type);
    this.#entries.set(hash, start);
    this.#end = at;
  }
}

/** A hash of all that metadata says. */
export function hashMetadata({ view, offsets, type }: MetadataTexts): number {
  let hash = type;
  for (let slot = 0; slot < METADATA_SLOTS.count; slot += 2) {
    hash = hashWord(hash, hashText(view, offsets[slot]!, offsets[slot + 1]!));
  }
  return spread(hash);
}

function isSame({ view, offsets, type }: MetadataTexts, entries: DataView, entryAt: number): boolean {
  if (type !== entries.getInt32(entryAt + TYPE_AT)) return false;
  let at = entryAt + TEXTS_AT;
  for (let index = 0; index < TEXTS; index++) {
    const from = offsets[2 * index]!;
    const length = offsets[2 * index + 1]! - from;
    if (length !== entries.getInt32(entryAt + LENGTHS_AT + 4 * index)) return false;
    const whole = length & ~3;
    for (let word = 0; word < whole; word += 4) {
      if (view.getInt32(from + word) !== entries.getInt32(at + word)) return false;
    }
    for (let byte = whole; byte < length; byte++) {
      if (view.getUint8(from + byte) !== entries.getUint8(at + byte)) return false;
    }
    at += padded(length);
  }
  return true;
}

function sizeOf({ offsets }: MetadataTexts): number {
  let size = TEXTS_AT;
  for (let slot = 0; slot < METADATA_SLOTS.count; slot += 2) size += padded(offsets[slot + 1]! - offsets[slot]!);
  return size;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
