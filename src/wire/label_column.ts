import { hashWord } from './text_words.ts';

/** Slots of a label: where its name starts and ends, where its value starts and ends; offsets into the request. */
export const LABEL_SLOTS = 4;

/** What the labels of a series may be; Infinity where they may be any. */
export interface LabelLimits {
  readonly maxLabels: number;
  /** In bytes of UTF-8, each. */
  readonly maxNameBytes: number;
  readonly maxValueBytes: number;
}

export const NO_LABEL_LIMITS: LabelLimits = { maxLabels: Infinity, maxNameBytes: Infinity, maxValueBytes: Infinity };

/** What a label takes in JSON besides its name and its value: four quotes, colon and comma. */
const LABEL_OVERHEAD_BYTES = 6;
/** What the column is kept at between requests, in slots. */
const KEPT_SLOTS = 16 * 1024;

/**
 * The labels of a series or of an exemplar as offsets into the request, so that no label is an object. A label with an empty value means that there
 * is no such label: it is counted and left out.
 */
export class LabelColumn {
  slots = new Int32Array(KEPT_SLOTS);
  count = 0;
  /** Bytes that the labels take in JSON, quotes, colons and commas included, nothing escaped. */
  jsonBytes = 0;
  /** Whether no name is empty and each comes behind the one before it, in byte order: most senders write them so. */
  isSorted = true;
  /** How many were left out. */
  emptyCount = 0;
  /** Labels past this are only counted in `jsonBytes`. */
  maxJsonBytes = 0;

  /** Gets ready for another request. */
  reset(maxJsonBytes: number): void {
    this.maxJsonBytes = maxJsonBytes;
    if (this.slots.length > KEPT_SLOTS) this.slots = new Int32Array(KEPT_SLOTS);
    this.clear();
  }

  /** Gets ready for another series. */
  clear(): void {
    this.count = 0;
    this.jsonBytes = 0;
    this.isSorted = true;
    this.emptyCount = 0;
  }

  get isOversize(): boolean {
    return this.jsonBytes > this.maxJsonBytes;
  }

  /** The first of the slots of the next label, for the caller to set all of them, and then to commit. */
  open(): number {
    const slot = this.count * LABEL_SLOTS;
    if (slot === this.slots.length) {
      const larger = new Int32Array(2 * slot);
      larger.set(this.slots);
      this.slots = larger;
    }
    return slot;
  }

  /** Counts a label that is too long to be looked at. */
  skip(bytes: number): void {
    this.jsonBytes += bytes;
  }

  /** Takes the label whose slots are set now, unless its value is empty. */
  commit(bytes: Uint8Array): void {
    const { slots, count } = this;
    const slot = count * LABEL_SLOTS;
    const nameBytes = slots[slot + 1]! - slots[slot]!;
    const valueBytes = slots[slot + 3]! - slots[slot + 2]!;
    if (valueBytes === 0) {
      this.emptyCount++;
      return;
    }
    this.jsonBytes += nameBytes + valueBytes + LABEL_OVERHEAD_BYTES;
    if (this.isOversize) return;
    this.count++;
    if (!this.isSorted) return;
    this.isSorted =
      nameBytes > 0 && (count === 0 || compareNames(bytes, slots, { slot, other: slot - LABEL_SLOTS }) > 0);
  }
}

/** The hash of a label, by those of its name and its value. The hash of a series is their sum, whatever their order. */
export function hashLabel(nameHash: number, valueHash: number): number {
  return hashWord(nameHash, valueHash);
}

/** Compares the names at two slots of a column of labels by their bytes; 0 when they are equal. */
export function compareNames(
  bytes: Uint8Array,
  slots: Int32Array,
  { slot, other }: { readonly slot: number; readonly other: number },
): number {
  let at = slots[slot]!;
  let otherAt = slots[other]!;
  const length = slots[slot + 1]! - at;
  const otherLength = slots[other + 1]! - otherAt;
  // One symbol of remote write 2.0.
  if (at === otherAt && length === otherLength) return 0;
  for (const stop = at + Math.min(length, otherLength); at < stop; at++, otherAt++) {
    const difference = bytes[at]! - bytes[otherAt]!;
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}
