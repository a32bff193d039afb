import { LabelColumn } from './label_column.ts';
import { readLabel } from './label_reader.ts';
import { FIXED64, LENGTH_DELIMITED, tagOf, VARINT, type WireReader } from './protobuf.ts';
import { NO_VALUE } from './series.ts';

import type { LabelRefs } from './symbols.ts';

/* Exemplar    1 rep Label (1.0), rep uint32 labels_refs (2.0); 2 double value; 3 int64 timestamp */
const LABELS = tagOf(1, LENGTH_DELIMITED);
const LABELS_REF = tagOf(1, VARINT);
const VALUE = tagOf(2, FIXED64);
const TIME = tagOf(3, VARINT);

/** One Exemplar of either version. */
export class ExemplarReader {
  readonly labels = new LabelColumn();
  hasInvalidRefs = false;
  valueAt = NO_VALUE;
  timeLow = 0;
  timeHigh = 0;

  /**
   * Reads the message that the reader stands in, to its end.
   *
   * @param refs of remote write 2.0; undefined in 1.0
   * @throws RequestError invalid_protobuf
   */
  read(reader: WireReader, refs: LabelRefs | undefined): void {
    this.labels.clear();
    refs?.start(this.labels);
    this.valueAt = NO_VALUE;
    this.timeLow = 0;
    this.timeHigh = 0;
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === LABELS) {
        if (refs) {
          refs.enterPacked(reader);
          refs.readPacked(reader, reader.end);
        } else readLabel(reader, this.labels, 3);
      } else if (tag === LABELS_REF && refs) refs.readOne(reader);
      else if (tag === VALUE) this.valueAt = reader.fixed64();
      else if (tag === TIME) {
        reader.varint64();
        this.timeLow = reader.low;
        this.timeHigh = reader.high;
      } else reader.skip(tag, 2);
    }
    this.hasInvalidRefs = refs?.areInvalid ?? false;
  }
}
