import { readLabel } from './label_reader.ts';
import { FIXED64, LENGTH_DELIMITED, tagOf, VARINT, type WireReader } from './protobuf.ts';
import { endOfPiece, enterSmall, NO_VALUE, SAMPLE_SLOTS, takeMessage, type Series } from './series.ts';

/*
 *     TimeSeries      1 rep Label; 2 rep Sample; 3 rep Exemplar; 4 rep Histogram
 *     Sample          1 double value; 2 int64 timestamp
 */
const LABEL = tagOf(1, LENGTH_DELIMITED);
const SAMPLE = tagOf(2, LENGTH_DELIMITED);
const EXEMPLAR = tagOf(3, LENGTH_DELIMITED);
const HISTOGRAM = tagOf(4, LENGTH_DELIMITED);
const SAMPLE_VALUE = tagOf(1, FIXED64);
const SAMPLE_TIME = tagOf(2, VARINT);

/**
 * Reads the remote write 1.0 TimeSeries whose length is next, or goes on with it, in whatever order its fields come. Histograms and exemplars are
 * read by their own readers, later.
 *
 * @returns false when the slice is over before its end
 * @throws RequestError invalid_protobuf, lines_too_large
 */
export function tryReadSeriesV1(reader: WireReader, series: Series, isSliceOver: () => boolean): boolean {
  if (series.isNext) {
    series.enter(reader);
    series.labels.clear();
  }
  do readFields(reader, series, endOfPiece(reader));
  while (reader.pos < reader.end && !isSliceOver());
  if (reader.pos < reader.end) return false;
  series.leave(reader);
  return true;
}

function readFields(reader: WireReader, series: Series, stop: number): void {
  while (reader.pos < stop) {
    const tag = reader.tag();
    if (tag === LABEL) readLabel(reader, series.labels, 2);
    else if (tag === SAMPLE) readSample(reader, series);
    else if (tag === HISTOGRAM) takeMessage(reader, series.histograms);
    else if (tag === EXEMPLAR) takeMessage(reader, series.exemplars);
    else reader.skip(tag, 1);
  }
}

function readSample(reader: WireReader, { samples }: Series): void {
  const outer = enterSmall(reader);
  let valueAt = NO_VALUE;
  let timeLow = 0;
  let timeHigh = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === SAMPLE_TIME) {
      reader.varint64();
      timeLow = reader.low;
      timeHigh = reader.high;
    } else if (tag === SAMPLE_VALUE) valueAt = reader.fixed64();
    else reader.skip(tag, 2);
  }
  reader.end = outer;
  const slot = samples.take(SAMPLE_SLOTS);
  const { slots } = samples;
  slots[slot] = valueAt;
  slots[slot + 1] = timeLow;
  slots[slot + 2] = timeHigh;
  slots[slot + 3] = 0;
  slots[slot + 4] = 0;
}
