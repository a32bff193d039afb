import { LabelColumn } from './label_column.ts';
import type { WireReader } from './protobuf.ts';
import { SlotColumn } from './slot_column.ts';

/** The version of remote write that a request is in. */
export type Version = 1 | 2;

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
  }

  /** Gets ready for another series, labels excepted. */
  clear(): void {
    this.samples.length = 0;
    this.histograms.length = 0;
    this.exemplars.length = 0;
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
