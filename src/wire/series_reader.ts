import { messageOf, RequestError } from '../errors.ts';
import { Exemplar, Histogram } from './messages.ts';
import { FIXED64, LENGTH_DELIMITED, tagOf, VARINT, type WireReader } from './protobuf.ts';

/*
 *     TimeSeries      1 rep Label; 2 rep Sample; 3 rep Exemplar; 4 rep Histogram
 *     Label           1 name; 2 value
 *     Sample          1 double value; 2 int64 timestamp
 */
const LABEL = tagOf(1, LENGTH_DELIMITED);
const SAMPLE = tagOf(2, LENGTH_DELIMITED);
const EXEMPLAR = tagOf(3, LENGTH_DELIMITED);
const HISTOGRAM = tagOf(4, LENGTH_DELIMITED);
const LABEL_NAME = tagOf(1, LENGTH_DELIMITED);
const LABEL_VALUE = tagOf(2, LENGTH_DELIMITED);
const SAMPLE_VALUE = tagOf(1, FIXED64);
const SAMPLE_TIME = tagOf(2, VARINT);

/** Slots of a label in `labels`: where its name starts and ends, where its value starts and ends; offsets into the request. */
export const LABEL_SLOTS = 4;
/** Slots of a sample in `samples`: where the 8 bytes of its value are, or NO_VALUE; the low and the high half of its time. */
export const SAMPLE_SLOTS = 3;
/** A sample without a value on the wire, which means 0. */
const NO_VALUE = -1;

/** What a label takes besides its name and its value: four quotes, colon and comma in JSON, three tags and three lengths on the wire. */
const LABEL_OVERHEAD_BYTES = 6;

/** What the columns are kept at between requests, in slots. */
const KEPT_SLOTS = 16 * 1024;

/** Reads one remote write 1.0 TimeSeries at a time into columns that are reused, so that no label and no sample is an object. */
export class SeriesReader {
  labels = new Int32Array(KEPT_SLOTS);
  labelCount = 0;
  /** Bytes that the labels take in JSON, quotes, colons and commas included, those without a value left out and nothing escaped. */
  labelBytes = 0;
  /** Whether no name is empty and each comes behind the one before it, in byte order: most senders write them so. */
  labelsAreSorted = true;
  /** How many labels have an empty value, which means that the series does not have them. */
  emptyCount = 0;
  samples = new Int32Array(KEPT_SLOTS);
  sampleCount = 0;
  exemplarCount = 0;
  histogramCount = 0;

  readonly #reader: WireReader;
  #maxSlots = 0;

  constructor(reader: WireReader) {
    this.#reader = reader;
  }

  /** Gets ready for another request, in which a series must not take more than `maxSlots` slots of a column. */
  reset(maxSlots: number): void {
    this.#maxSlots = maxSlots;
    if (this.labels.length > KEPT_SLOTS) this.labels = new Int32Array(KEPT_SLOTS);
    if (this.samples.length > KEPT_SLOTS) this.samples = new Int32Array(KEPT_SLOTS);
  }

  /**
   * Reads the TimeSeries whose length is next, in whatever order its fields come.
   *
   * @throws RequestError invalid_protobuf, lines_too_large past maxSlots
   */
  read(): void {
    const reader = this.#reader;
    const outer = reader.end;
    const stop = reader.lengthEnd();
    reader.end = stop;
    this.sampleCount = 0;
    this.exemplarCount = 0;
    this.histogramCount = 0;
    this.#readPlainLabels();
    while (reader.pos < stop) {
      const tag = reader.tag();
      if (tag === LABEL) this.#readLabel();
      else if (tag === SAMPLE) this.#readSample();
      else if (tag === EXEMPLAR) {
        checkMessage(reader, Exemplar);
        this.exemplarCount++;
      } else if (tag === HISTOGRAM) {
        checkMessage(reader, Histogram);
        this.histogramCount++;
      } else reader.skip(tag, 1);
    }
    reader.end = outer;
  }

  /**
   * Reads the labels that a series starts with, as long as they are as nearly all are: a name and a value that is not empty, in this order, in
   * less than 128 bytes. What they are not, and what does not fit the column, is left to `read`.
   */
  #readPlainLabels(): void {
    const { bytes, end } = this.#reader;
    const { labels } = this;
    const start = this.#reader.pos;
    let pos = start;
    let slot = 0;
    let isSorted = true;
    let previous = -1;
    // Three tags and three lengths take a byte each.
    while (pos + 6 <= end && bytes[pos] === LABEL && slot < labels.length) {
      const length = bytes[pos + 1]!;
      const stop = pos + 2 + length;
      const nameEnd = pos + 4 + bytes[pos + 3]!;
      if (length >= 0x80 || stop > end || nameEnd + 2 >= stop || nameEnd === pos + 4) break;
      if (bytes[pos + 2] !== LABEL_NAME || bytes[nameEnd] !== LABEL_VALUE) break;
      if (nameEnd + 2 + bytes[nameEnd + 1]! !== stop) break;
      labels[slot] = pos + 4;
      labels[slot + 1] = nameEnd;
      labels[slot + 2] = nameEnd + 2;
      labels[slot + 3] = stop;
      const first = bytes[pos + 4]!;
      if (first <= previous && isSorted) {
        isSorted = first === previous && this.#isBehindTheLast(slot);
      }
      previous = first;
      slot += LABEL_SLOTS;
      pos = stop;
    }
    this.#reader.pos = pos;
    this.labelsAreSorted = isSorted;
    this.labelCount = slot / LABEL_SLOTS;
    this.labelBytes = pos - start;
    this.emptyCount = 0;
  }

  /** Reads the Label whose length is next, in whatever form. */
  #readLabel(): void {
    const reader = this.#reader;
    const outer = reader.end;
    const stop = reader.lengthEnd();
    reader.end = stop;
    const slot = this.labelCount++ * LABEL_SLOTS;
    if (slot === this.labels.length) this.labels = this.#grown(this.labels);
    const { labels } = this;
    labels.fill(0, slot, slot + LABEL_SLOTS);
    while (reader.pos < stop) {
      const tag = reader.tag();
      if (tag === LABEL_NAME || tag === LABEL_VALUE) {
        const end = reader.lengthEnd();
        const at = tag === LABEL_NAME ? slot : slot + 2;
        labels[at] = reader.pos;
        labels[at + 1] = end;
        reader.pos = end;
      } else reader.skip(tag, 2);
    }
    reader.end = outer;
    if (labels[slot] === labels[slot + 1] || !this.#isBehindTheLast(slot)) this.labelsAreSorted = false;
    const valueBytes = labels[slot + 3]! - labels[slot + 2]!;
    if (valueBytes === 0) this.emptyCount++;
    else this.labelBytes += labels[slot + 1]! - labels[slot]! + valueBytes + LABEL_OVERHEAD_BYTES;
  }

  #isBehindTheLast(slot: number): boolean {
    return slot === 0 || compareNames(this.#reader.bytes, this.labels, { slot, other: slot - LABEL_SLOTS }) > 0;
  }

  #readSample(): void {
    const reader = this.#reader;
    const outer = reader.end;
    const stop = reader.lengthEnd();
    reader.end = stop;
    let valueAt = NO_VALUE;
    let timeLow = 0;
    let timeHigh = 0;
    while (reader.pos < stop) {
      const tag = reader.tag();
      if (tag === SAMPLE_TIME) {
        reader.varint64();
        timeLow = reader.low;
        timeHigh = reader.high;
      } else {
        if (tag === SAMPLE_VALUE) valueAt = reader.pos;
        reader.skip(tag, 2);
      }
    }
    reader.end = outer;

    const slot = this.sampleCount++ * SAMPLE_SLOTS;
    if (slot + SAMPLE_SLOTS > this.samples.length) this.samples = this.#grown(this.samples);
    const { samples } = this;
    samples[slot] = valueAt;
    samples[slot + 1] = timeLow;
    samples[slot + 2] = timeHigh;
  }

  #grown(column: Int32Array): Int32Array<ArrayBuffer> {
    if (column.length >= this.#maxSlots) {
      throw new RequestError(
        'lines_too_large',
        `a series with ${this.labelCount} labels and ${this.sampleCount} samples`,
      );
    }
    const larger = new Int32Array(2 * column.length);
    larger.set(column);
    return larger;
  }
}

/** Compares the names at two slots of a column of labels by their bytes; 0 when they are equal. */
export function compareNames(
  bytes: Uint8Array,
  labels: Int32Array,
  { slot, other }: { readonly slot: number; readonly other: number },
): number {
  let at = labels[slot]!;
  let otherAt = labels[other]!;
  const length = labels[slot + 1]! - at;
  const otherLength = labels[other + 1]! - otherAt;
  for (const stop = at + Math.min(length, otherLength); at < stop; at++, otherAt++) {
    const difference = bytes[at]! - bytes[otherAt]!;
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/**
 * Steps over the message whose length is next, once it is known to decode: a body that can't be decoded delivers nothing, also where it is of a
 * kind that is only counted. (protobufjs begins to count its depth anew, so groups in it may nest a little deeper than in the whole request.)
 *
 * @throws RequestError invalid_protobuf
 */
export function checkMessage(reader: WireReader, type: typeof Exemplar): void {
  const stop = reader.lengthEnd();
  try {
    type.decode(reader.bytes.subarray(reader.pos, stop));
  } catch (error) {
    throw new RequestError(
      'invalid_protobuf',
      `the body is not a valid prometheus.WriteRequest: ${type.name}: ${messageOf(error)}`,
    );
  }
  reader.pos = stop;
}
