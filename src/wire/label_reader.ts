import type { LabelColumn } from './label_column.ts';
import { LENGTH_DELIMITED, tagOf, type WireReader } from './protobuf.ts';

/* Label (1.0)    1 name; 2 value. It is field 1 of a series and of an exemplar. */
const LABEL_NAME = tagOf(1, LENGTH_DELIMITED);
const LABEL_VALUE = tagOf(2, LENGTH_DELIMITED);

/** No line has more, and reading what is made of millions of fields takes long. */
const MAX_LABEL_BYTES = 2 * 1024 * 1024;

/**
 * Reads the Label whose length is next, in whatever form.
 *
 * @param depth of the message: 2 in a series
 */
export function readLabel(reader: WireReader, labels: LabelColumn, depth: number): void {
  const outer = reader.enter();
  if (reader.end - reader.pos > MAX_LABEL_BYTES) {
    labels.skip(reader.end - reader.pos);
    reader.pos = reader.end;
    reader.end = outer;
    return;
  }
  const slot = labels.open();
  const { slots } = labels;
  slots[slot] = slots[slot + 1] = slots[slot + 2] = slots[slot + 3] = 0;
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
