import type { LabelColumn } from './label_column.ts';
import { LENGTH_DELIMITED, tagOf, type WireReader } from './protobuf.ts';
import { SlotColumn } from './slot_column.ts';

const SYMBOL = tagOf(4, LENGTH_DELIMITED);

/** Slots of a symbol: where it starts and ends in the request; two are the kernel's own. */
export const SYMBOL_SLOTS = 4;

/** The symbols of a remote write 2.0 request. */
export class Symbols {
  readonly #column = new SlotColumn();
  #table: Int32Array = this.#column.slots;
  #count = 0;

  reset(maxSlots: number): void {
    this.#column.reset(maxSlots);
    this.#count = 0;
  }

  /** Takes symbols that were read already. */
  adopt(table: Int32Array, count: number): void {
    this.#table = table;
    this.#count = count;
  }

  /**
   * Reads the symbols of the request at whose start the reader is, or goes on with them. They may stand behind the series that refer to them, so it
   * reads to the end.
   *
   * @returns false when the slice is over before
   * @throws RequestError invalid_protobuf, lines_too_large
   */
  tryRead(reader: WireReader, isSliceOver: () => boolean): boolean {
    const column = this.#column;
    let isOver = false;
    while (reader.pos < reader.end) {
      if (isOver) return false;
      isOver = isSliceOver();
      const tag = reader.tag();
      if (tag !== SYMBOL) {
        reader.skip(tag, 0);
        continue;
      }
      const end = reader.lengthEnd();
      const at = column.take(SYMBOL_SLOTS);
      column.slots[at] = reader.pos;
      column.slots[at + 1] = end;
      reader.pos = end;
    }
    this.adopt(column.slots, column.length / SYMBOL_SLOTS);
    return true;
  }

  /** Whether the first is the empty string, as it must be, or there are none. */
  get areValid(): boolean {
    return this.#count === 0 || this.startOf(0) === this.endOf(0);
  }

  get count(): number {
    return this.#count;
  }

  startOf(ref: number): number {
    return this.#table[SYMBOL_SLOTS * ref]!;
  }

  endOf(ref: number): number {
    return this.#table[SYMBOL_SLOTS * ref + 1]!;
  }
}

const NO_REF = -1;

/** Reads `labels_refs`, in which each name is followed by its value, into a column of labels. */
export class LabelRefs {
  readonly #symbols: Symbols;
  #labels: LabelColumn | undefined;
  /** A name whose value has not come yet: a list may be split over several fields. */
  #nameRef = NO_REF;
  #isOutOfRange = false;
  /** Where the packed list that is being read ends. */
  #packedEnd = 0;
  #isInPacked = false;

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** Gets ready for the references of another series or exemplar. */
  start(labels: LabelColumn): void {
    labels.clear();
    this.#labels = labels;
    this.#nameRef = NO_REF;
    this.#isOutOfRange = false;
    this.#isInPacked = false;
  }

  /** Whether there was an odd number of references, or one that is out of range. */
  get areInvalid(): boolean {
    return this.#isOutOfRange || this.#nameRef !== NO_REF;
  }

  /** Whether a packed list was entered and has not been read to its end. */
  get isInPacked(): boolean {
    return this.#isInPacked;
  }

  /** Steps into the packed list whose length is next, for readPacked. */
  enterPacked(reader: WireReader): void {
    this.#packedEnd = reader.lengthEnd();
    this.#isInPacked = true;
  }

  /** Reads the references that start before `stop`. */
  readPacked(reader: WireReader, stop: number): void {
    const outer = reader.end;
    reader.end = this.#packedEnd;
    for (const until = Math.min(stop, this.#packedEnd); reader.pos < until;) this.readOne(reader);
    reader.end = outer;
    this.#isInPacked = reader.pos < this.#packedEnd;
  }

  readOne(reader: WireReader): void {
    const ref = reader.int32() >>> 0;
    const symbols = this.#symbols;
    const labels = this.#labels!;
    if (ref >= symbols.count) this.#isOutOfRange = true;
    if (this.#isOutOfRange) return;
    if (this.#nameRef === NO_REF) {
      this.#nameRef = ref;
      return;
    }
    const slot = labels.open();
    const { slots } = labels;
    slots[slot] = symbols.startOf(this.#nameRef);
    slots[slot + 1] = symbols.endOf(this.#nameRef);
    slots[slot + 2] = symbols.startOf(ref);
    slots[slot + 3] = symbols.endOf(ref);
    this.#nameRef = NO_REF;
    labels.commit(reader.bytes);
  }
}
