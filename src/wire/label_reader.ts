import { compareNames, LABEL_SLOTS, type LabelColumn } from './label_column.ts';
import { LENGTH_DELIMITED, tagOf, type WireReader } from './protobuf.ts';

/* Label (1.0)    1 name; 2 value. It is field 1 of a series and of an exemplar. */
const LABEL = tagOf(1, LENGTH_DELIMITED);
const LABEL_NAME = tagOf(1, LENGTH_DELIMITED);
const LABEL_VALUE = tagOf(2, LENGTH_DELIMITED);

/**
 * Reads the labels that a series starts with, as long as they are as nearly all are: a name and a value that is not empty, in this order, in
 * less than 128 bytes. What they are not, and what does not fit the column, is left to `readLabel`.
 */
export function readPlainLabels(reader: WireReader, labels: LabelColumn): void {
  const { bytes, end } = reader;
  const { slots } = labels;
  const start = reader.pos;
  let pos = start;
  let slot = 0;
  let isSorted = true;
  let previous = -1;
  // Three tags and three lengths take a byte each.
  while (pos + 6 <= end && bytes[pos] === LABEL && slot < slots.length) {
    const length = bytes[pos + 1]!;
    const stop = pos + 2 + length;
    const nameEnd = pos + 4 + bytes[pos + 3]!;
    if (length >= 0x80 || stop > end || nameEnd + 2 >= stop || nameEnd === pos + 4) break;
    if (bytes[pos + 2] !== LABEL_NAME || bytes[nameEnd] !== LABEL_VALUE) break;
    if (nameEnd + 2 + bytes[nameEnd + 1]! !== stop) break;
    slots[slot] = pos + 4;
    slots[slot + 1] = nameEnd;
    slots[slot + 2] = nameEnd + 2;
    slots[slot + 3] = stop;
    const first = bytes[pos + 4]!;
    if (first <= previous && isSorted) {
      isSorted = first === previous && compareNames(bytes, slots, { slot, other: slot - LABEL_SLOTS }) > 0;
    }
    previous = first;
    slot += LABEL_SLOTS;
    pos = stop;
  }
  reader.pos = pos;
  labels.isSorted = isSorted;
  labels.count = slot / LABEL_SLOTS;
  // A label's two tags and two lengths, and its own, are as many bytes as its quotes, colon and comma.
  labels.jsonBytes = pos - start;
  labels.emptyCount = 0;
  labels.isPlain = false;
}

/**
 * Reads the Label whose length is next, in whatever form.
 *
 * @param depth of the message: 2 in a series
 */
export function readLabel(reader: WireReader, labels: LabelColumn, depth: number): void {
  const outer = reader.enter();
  const slot = labels.open();
  const { slots } = labels;
  slots.fill(0, slot, slot + LABEL_SLOTS);
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === LABEL_NAME || tag === LABEL_VALUE) {
      const end = reader.lengthEnd();
      const at = tag === LABEL_NAME ? slot : slot + 2;
      slots[at] = reader.pos;
      slots[at + 1] = end;
      reader.pos = end;
    } else reader.skip(tag, depth);
  }
  reader.end = outer;
  labels.commit(reader.bytes);
}
