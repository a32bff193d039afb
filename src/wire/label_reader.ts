import { LABEL_SLOTS, type LabelColumn } from './label_column.ts';
import { LENGTH_DELIMITED, tagOf, type WireReader } from './protobuf.ts';

/* Label (1.0)    1 name; 2 value. It is field 1 of a series and of an exemplar. */
const LABEL_NAME = tagOf(1, LENGTH_DELIMITED);
const LABEL_VALUE = tagOf(2, LENGTH_DELIMITED);

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
