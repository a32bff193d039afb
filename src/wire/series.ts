import { RequestError } from '../errors.ts';
import { LabelColumn } from './label_column.ts';
import type { WireReader } from './protobuf.ts';
import { SlotColumn } from './slot_column.ts';

/** The version of remote write that a request is in. */
export type Version = 1 | 2;

/** A series is read in pieces of so many bytes: between them the event loop may have its turn. */
const PIECE_BYTES = 256 * 1024;
/** No line has more in one message. Of a bucket there are at most 8 bytes here and at least 2 in its line, which is at most a MiB. */
export const MAX_MESSAGE_BYTES = 5 * 1024 * 1024;

/** A sample takes some 20 bytes; what is made of millions of fields is nobody's, and takes long to read. */
const MAX_SMALL_BYTES = 4 * 1024 * 1024;

/** Slots of a sample: where the 8 bytes of its value are, or NO_VALUE; the halves of its time, and of its start timestamp, which is 0 for none. */
export const SAMPLE_SLOTS = 5;
/** A double that is not on the wire, which means 0. */
export const NO_VALUE = -1;
/** Slots of a message that is read later: where its bytes start and end. */
export const MESSAGE_SLOTS = 2;

/** One TimeSeries of either version as columns of offsets into the request: what the readers of both versions fill, and the flattener writes. */
export class Series {
  readonly labels = new LabelColumn();
  /** Whether its references to symbols are odd in number or out of range; only in remote write 2.0. */
  hasInvalidRefs = false;
  readonly samples = new SlotColumn();
  readonly histograms = new SlotColumn();
  readonly exemplars = new SlotColumn();
  /** Its metadata, only in remote write 2.0. */
  readonly metadata = { isGiven: false, type: 0, helpRef: 0, unitRef: 0 };
  /** The halves of `created_timestamp`, the start of what has no start timestamp of its own; 0 for none. */
  createdLow = 0;
  createdHigh = 0;
  /** Where the message around the series ends, while the series is being read. */
  #outerEnd: number | undefined;

  /** Gets ready for another request; see SlotColumn and LabelColumn. */
  reset(limits: { readonly maxSlots: number; readonly maxLineBytes: number }): void {
    this.labels.reset(limits.maxLineBytes);
    this.samples.reset(limits.maxSlots);
    this.histograms.reset(limits.maxSlots);
    this.exemplars.reset(limits.maxSlots);
    this.hasInvalidRefs = false;
    this.metadata.isGiven = false;
    this.createdLow = 0;
    this.createdHigh = 0;
    this.#outerEnd = undefined;
  }

  /** Whether the series whose length is next has yet to be entered. */
  get isNext(): boolean {
    return this.#outerEnd === undefined;
  }

  /** Steps into the series whose length is next. */
  enter(reader: WireReader): void {
    this.#outerEnd = reader.enter();
    this.samples.length = 0;
    this.histograms.length = 0;
    this.exemplars.length = 0;
  }

  /** Steps out of it. */
  leave(reader: WireReader): void {
    reader.end = this.#outerEnd!;
    this.#outerEnd = undefined;
  }

  get sampleCount(): number {
    // Nearly always, and without a division.
    return this.samples.length === SAMPLE_SLOTS ? 1 : this.samples.length / SAMPLE_SLOTS;
  }

  get histogramCount(): number {
    return this.histograms.length >>> 1;
  }

  get exemplarCount(): number {
    return this.exemplars.length >>> 1;
  }
}

/** Where the piece of a series at which the reader is ends. */
export function endOfPiece({ pos, end }: WireReader): number {
  return Math.min(end, pos + PIECE_BYTES);
}

/**
 * Steps into a sample or a 2.0 Metadata, as WireReader.enter does.
 *
 * @throws RequestError invalid_protobuf
 */
export function enterSmall(reader: WireReader): number {
  const outer = reader.enter();
  const bytes = reader.end - reader.pos;
  if (bytes <= MAX_SMALL_BYTES) return outer;
  throw new RequestError(
    'invalid_protobuf',
    `the body is not a valid write request: a message of ${bytes} bytes where some 20 are expected, at byte ${reader.pos}`,
  );
}

/** Steps over the message whose length is next, and notes where it is. */
export function takeMessage(reader: WireReader, messages: SlotColumn): void {
  const stop = reader.lengthEnd();
  const slot = messages.take(MESSAGE_SLOTS);
  messages.slots[slot] = reader.pos;
  messages.slots[slot + 1] = stop;
  reader.pos = stop;
}

/** Milliseconds by the halves of an int64, rounded where a double does not hold them. */
export function timeOf(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}
