import { FIXED64, LENGTH_DELIMITED, tagOf, VARINT, type WireReader } from './protobuf.ts';
import { endOfPiece, enterSmall, NO_VALUE, SAMPLE_SLOTS, takeMessage, type Series } from './series.ts';
import type { LabelRefs } from './symbols.ts';

/*
 *     TimeSeries      1 rep uint32 labels_refs; 2 rep Sample; 3 rep Histogram; 4 rep Exemplar; 5 Metadata; 6 int64 created_timestamp
 *     Sample          1 double value; 2 int64 timestamp; 3 int64 start_timestamp
 *     Metadata        1 type; 3 uint32 help_ref; 4 uint32 unit_ref
 */
const LABELS_REFS = tagOf(1, LENGTH_DELIMITED);
const LABELS_REF = tagOf(1, VARINT);
const SAMPLE = tagOf(2, LENGTH_DELIMITED);
const HISTOGRAM = tagOf(3, LENGTH_DELIMITED);
const EXEMPLAR = tagOf(4, LENGTH_DELIMITED);
const METADATA = tagOf(5, LENGTH_DELIMITED);
const CREATED = tagOf(6, VARINT);
const SAMPLE_VALUE = tagOf(1, FIXED64);
const SAMPLE_TIME = tagOf(2, VARINT);
const SAMPLE_START = tagOf(3, VARINT);
const METADATA_TYPE = tagOf(1, VARINT);
const METADATA_HELP = tagOf(3, VARINT);
const METADATA_UNIT = tagOf(4, VARINT);

/** Whose references the labels of a series are, and who says when its reading has to stop. */
export interface ReadSeriesV2Options {
  readonly refs: LabelRefs;
  readonly isSliceOver: () => boolean;
}

/**
 * Reads the remote write 2.0 TimeSeries whose length is next, or goes on with it, in whatever order its fields come.
 *
 * @returns false when the slice is over before its end
 * @throws RequestError invalid_protobuf, lines_too_large
 */
export function tryReadSeriesV2(
  reader: WireReader,
  series: Series,
  { refs, isSliceOver }: ReadSeriesV2Options,
): boolean {
  if (series.isNext) {
    series.enter(reader);
    refs.start(series.labels);
    clear(series);
  }
  do readFields(reader, series, { refs, stop: endOfPiece(reader) });
  while (reader.pos < reader.end && !isSliceOver());
  if (reader.pos < reader.end) return false;
  series.leave(reader);
  series.hasInvalidRefs = refs.areInvalid;
  if (series.createdLow !== 0 || series.createdHigh !== 0) startSamples(series);
  return true;
}

function clear(series: Series): void {
  const { metadata } = series;
  metadata.isGiven = false;
  metadata.type = 0;
  metadata.helpRef = 0;
  metadata.unitRef = 0;
  series.createdLow = 0;
  series.createdHigh = 0;
}

function readFields(
  reader: WireReader,
  series: Series,
  { refs, stop }: { readonly refs: LabelRefs; readonly stop: number },
): void {
  const { metadata } = series;
  while (reader.pos < stop) {
    if (refs.isInPacked) {
      refs.readPacked(reader, stop);
      continue;
    }
    const tag = reader.tag();
    if (tag === LABELS_REFS) refs.enterPacked(reader);
    else if (tag === SAMPLE) readSample(reader, series);
    else if (tag === METADATA) readMetadata(reader, metadata);
    else if (tag === HISTOGRAM) takeMessage(reader, series.histograms);
    else if (tag === EXEMPLAR) takeMessage(reader, series.exemplars);
    else if (tag === LABELS_REF) refs.readOne(reader);
    else if (tag === CREATED) {
      reader.varint64();
      series.createdLow = reader.low;
      series.createdHigh = reader.high;
    } else reader.skip(tag, 1);
  }
}

function readSample(reader: WireReader, { samples }: Series): void {
  const outer = enterSmall(reader);
  let valueAt = NO_VALUE;
  let timeLow = 0;
  let timeHigh = 0;
  let startLow = 0;
  let startHigh = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === SAMPLE_VALUE) valueAt = reader.fixed64();
    else if (tag === SAMPLE_TIME) {
      reader.varint64();
      timeLow = reader.low;
      timeHigh = reader.high;
    } else if (tag === SAMPLE_START) {
      reader.varint64();
      startLow = reader.low;
      startHigh = reader.high;
    } else reader.skip(tag, 2);
  }
  reader.end = outer;
  const slot = samples.take(SAMPLE_SLOTS);
  const { slots } = samples;
  slots[slot] = valueAt;
  slots[slot + 1] = timeLow;
  slots[slot + 2] = timeHigh;
  slots[slot + 3] = startLow;
  slots[slot + 4] = startHigh;
}

/** A message that comes twice is one: of each field the last counts. */
function readMetadata(reader: WireReader, metadata: Series['metadata']): void {
  const outer = enterSmall(reader);
  metadata.isGiven = true;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === METADATA_TYPE) metadata.type = reader.int32();
    else if (tag === METADATA_HELP) metadata.helpRef = reader.int32() >>> 0;
    else if (tag === METADATA_UNIT) metadata.unitRef = reader.int32() >>> 0;
    else reader.skip(tag, 2);
  }
  reader.end = outer;
}

/** Samples without a start timestamp of their own have the series' old one. */
function startSamples({ samples, createdLow, createdHigh }: Series): void {
  const { slots, length } = samples;
  for (let slot = 3; slot < length; slot += SAMPLE_SLOTS) {
    if (slots[slot] !== 0 || slots[slot + 1] !== 0) continue;
    slots[slot] = createdLow;
    slots[slot + 1] = createdHigh;
  }
}
