import { compareNames, hashLabel, LABEL_OVERHEAD_BYTES, LABEL_SLOTS, type LabelColumn } from './label_column.ts';
import { LENGTH_DELIMITED, tagOf, type WireReader } from './protobuf.ts';
import { SlotColumn } from './slot_column.ts';
import { hashText, isSpecial, marksOf } from './text_words.ts';

const SYMBOL = tagOf(4, LENGTH_DELIMITED);

/** Slots of a symbol: where it starts and ends in the request; its hash; its first byte, with flags. */
const SYMBOL_SLOTS = 4;
/** JSON does not write it as it is, or it stands too near to the end of the request. */
const NOT_PLAIN = 0x100;
/** So many bytes behind a text may be read along with it. */
const READ_AHEAD_BYTES = 3;
/** Nothing is known of it yet but where it is. */
const UNSEEN = 0x200;

/** The symbols of a remote write 2.0 request. What all uses of a symbol have in common is found out once. */
export class Symbols {
  readonly #table = new SlotColumn();
  #view: DataView = new DataView(new ArrayBuffer(0));

  reset(maxSlots: number): void {
    this.#table.reset(maxSlots);
  }

  /**
   * Reads the symbols of the request at whose start the reader is, and leaves it there: they may stand behind the series that refer to them.
   *
   * @returns whether the first is the empty string, as it must be, or there are none
   * @throws RequestError invalid_protobuf, lines_too_large
   */
  tryRead(reader: WireReader): boolean {
    const start = reader.pos;
    this.#view = reader.view;
    const table = this.#table;
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag !== SYMBOL) {
        reader.skip(tag, 0);
        continue;
      }
      const end = reader.lengthEnd();
      const at = table.take(SYMBOL_SLOTS);
      table.slots[at] = reader.pos;
      table.slots[at + 1] = end;
      table.slots[at + 3] = UNSEEN;
      reader.pos = end;
    }
    reader.pos = start;
    return this.count === 0 || this.startOf(0) === this.endOf(0);
  }

  /** Finds out about a symbol that is part of a label: most others are help texts. Returns its first byte and flags. */
  look(at: number): number {
    const { slots } = this.#table;
    const from = slots[at]!;
    const to = slots[at + 1]!;
    const view = this.#view;
    const isPlain = to + READ_AHEAD_BYTES <= view.byteLength && !isSpecial(marksOf(view, from, to));
    const flags = view.getUint8(from) | (isPlain ? 0 : NOT_PLAIN);
    slots[at + 2] = hashText(view, from, to);
    slots[at + 3] = flags;
    return flags;
  }

  get count(): number {
    return this.#table.length / SYMBOL_SLOTS;
  }

  /** SYMBOL_SLOTS for each symbol. */
  get table(): Int32Array {
    return this.#table.slots;
  }

  startOf(ref: number): number {
    return this.#table.slots[SYMBOL_SLOTS * ref]!;
  }

  endOf(ref: number): number {
    return this.#table.slots[SYMBOL_SLOTS * ref + 1]!;
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

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** Gets ready for the references of another series or exemplar. */
  start(labels: LabelColumn): void {
    labels.clear();
    labels.isPlain = true;
    this.#labels = labels;
    this.#nameRef = NO_REF;
    this.#isOutOfRange = false;
  }

  /** Whether there was an odd number of references, or one that is out of range. */
  get areInvalid(): boolean {
    return this.#isOutOfRange || this.#nameRef !== NO_REF;
  }

  /** Reads the packed list whose length is next. */
  readPacked(reader: WireReader): void {
    const outer = reader.enter();
    if (this.#nameRef === NO_REF && !this.#isOutOfRange) this.#readPlainPairs(reader);
    while (reader.pos < reader.end) this.readOne(reader);
    reader.end = outer;
  }

  /** Reads pairs of references of one or two bytes, as nearly all are, as long as each names a label that fits its column. */
  #readPlainPairs(reader: WireReader): void {
    const { bytes, end } = reader;
    const labels = this.#labels!;
    const { slots } = labels;
    const { table, count } = this.#symbols;
    let { pos } = reader;
    let slot = labels.count * LABEL_SLOTS;
    let { jsonBytes, isSorted, hash } = labels;
    let flags = 0;
    let previous = slot === 0 ? -1 : 0xff;
    while (pos < end && slot < slots.length && jsonBytes <= labels.maxJsonBytes) {
      let next = pos;
      let nameRef = bytes[next++]!;
      if (nameRef >= 0x80) nameRef = (nameRef & 0x7f) | (bytes[next++]! << 7);
      let valueRef = bytes[next++]!;
      if (valueRef >= 0x80) valueRef = (valueRef & 0x7f) | (bytes[next++]! << 7);
      // A second byte that is not the last leaves more than 14 bits.
      if (next > end || nameRef >= count || valueRef >= count || nameRef >= 0x4000 || valueRef >= 0x4000) break;
      const name = SYMBOL_SLOTS * nameRef;
      const value = SYMBOL_SLOTS * valueRef;
      const nameAt = table[name]!;
      const valueAt = table[value]!;
      const nameEnd = table[name + 1]!;
      const valueEnd = table[value + 1]!;
      if (nameAt === nameEnd || valueAt === valueEnd) break;
      let nameFlags = table[name + 3]!;
      if (nameFlags >= UNSEEN) nameFlags = this.#symbols.look(name);
      let valueFlags = table[value + 3]!;
      if (valueFlags >= UNSEEN) valueFlags = this.#symbols.look(value);
      slots[slot] = nameAt;
      slots[slot + 1] = nameEnd;
      slots[slot + 2] = valueAt;
      slots[slot + 3] = valueEnd;
      const first = nameFlags & 0xff;
      if (first <= previous && isSorted) isSorted = compareNames(bytes, slots, { slot, other: slot - LABEL_SLOTS }) > 0;
      previous = first;
      jsonBytes += nameEnd - nameAt + valueEnd - valueAt + LABEL_OVERHEAD_BYTES;
      hash = (hash + hashLabel(table[name + 2]!, table[value + 2]!)) | 0;
      flags |= nameFlags | valueFlags;
      slot += LABEL_SLOTS;
      pos = next;
    }
    reader.pos = pos;
    labels.count = slot / LABEL_SLOTS;
    labels.jsonBytes = jsonBytes;
    labels.isSorted = isSorted;
    labels.hash = hash;
    if ((flags & NOT_PLAIN) !== 0) labels.isPlain = false;
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
    // Rare, so it is left to the writer to look at the texts.
    labels.isPlain = false;
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
