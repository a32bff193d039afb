import { FIXED64, LENGTH_DELIMITED, tagOf, VARINT, type WireReader } from './protobuf.ts';
import { NO_VALUE } from './series.ts';
import { SlotColumn } from './slot_column.ts';

/*
 *     Histogram       1 uint64 count_int / 2 double count_float (oneof); 3 double sum; 4 sint32 schema; 5 double zero_threshold;
 *                     6 uint64 zero_count_int / 7 double zero_count_float (oneof);
 *                     8 rep BucketSpan negative_spans; 9 rep sint64 negative_deltas; 10 rep double negative_counts;
 *                     11, 12, 13 the same, positive; 14 reset_hint; 15 int64 timestamp; 16 rep double custom_values;
 *                     17 int64 start_timestamp (2.0 only)
 *     BucketSpan      1 sint32 offset; 2 uint32 length
 */
const COUNT_INT = tagOf(1, VARINT);
const COUNT_FLOAT = tagOf(2, FIXED64);
const SUM = tagOf(3, FIXED64);
const SCHEMA = tagOf(4, VARINT);
const ZERO_THRESHOLD = tagOf(5, FIXED64);
const ZERO_COUNT_INT = tagOf(6, VARINT);
const ZERO_COUNT_FLOAT = tagOf(7, FIXED64);
const RESET_HINT = tagOf(14, VARINT);
const TIME = tagOf(15, VARINT);
const START = tagOf(17, VARINT);
const SPAN_OFFSET = tagOf(1, VARINT);
const SPAN_LENGTH = tagOf(2, VARINT);

/** Slots of a span: its offset, signed, and its length, unsigned. */
export const SPAN_SLOTS = 2;
/** Slots of a delta: its halves. */
export const DELTA_SLOTS = 2;

/** A number that is an integer, by its halves, or a double, by the offset of its 8 bytes; `isGiven` tells whether it is on the wire. */
export interface Count {
  isGiven: boolean;
  isFloat: boolean;
  low: number;
  high: number;
  at: number;
}

/** The buckets of one side of zero. */
export interface Side {
  readonly spans: SlotColumn;
  /** Of an integer histogram. */
  readonly deltas: SlotColumn;
  /** Of a float histogram: a slot each, the offset of its 8 bytes. */
  readonly counts: SlotColumn;
}

/** One Histogram of either version, in columns that are reused. */
export class HistogramReader {
  readonly count: Count = newCount();
  readonly zeroCount: Count = newCount();
  sumAt = NO_VALUE;
  schema = 0;
  zeroThresholdAt = NO_VALUE;
  readonly negative: Side = newSide();
  readonly positive: Side = newSide();
  readonly customValues = new SlotColumn();
  resetHint = 0;
  timeLow = 0;
  timeHigh = 0;
  /** 0 for none. */
  startLow = 0;
  startHigh = 0;
  /** It has more of something than a line holds; the rest was left out. */
  isOversize = false;
  readonly #columns = [this.negative, this.positive]
    .flatMap(({ spans, deltas, counts }) => [spans, deltas, counts])
    .concat(this.customValues);
  #maxSlots = 0;

  /** Gets ready for another request, with lines of at most `maxLineBytes`: what takes a slot takes a byte of its line at least. */
  reset(maxLineBytes: number): void {
    this.#maxSlots = maxLineBytes;
    for (const column of this.#columns) column.reset(2 * maxLineBytes);
  }

  /**
   * Reads the message that the reader stands in, to its end.
   *
   * @param hasStart whether the version knows start timestamps
   * @throws RequestError invalid_protobuf
   */
  read(reader: WireReader, hasStart: boolean): void {
    this.#clear();
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      switch (tag) {
        case COUNT_INT:
          readInteger(reader, this.count);
          break;
        case COUNT_FLOAT:
          readFloat(reader, this.count);
          break;
        case SUM:
          this.sumAt = reader.fixed64();
          break;
        case SCHEMA:
          this.schema = reader.sint32();
          break;
        case ZERO_THRESHOLD:
          this.zeroThresholdAt = reader.fixed64();
          break;
        case ZERO_COUNT_INT:
          readInteger(reader, this.zeroCount);
          break;
        case ZERO_COUNT_FLOAT:
          readFloat(reader, this.zeroCount);
          break;
        case RESET_HINT:
          this.resetHint = reader.int32();
          break;
        case TIME:
          reader.varint64();
          this.timeLow = reader.low;
          this.timeHigh = reader.high;
          break;
        default:
          if (tag === START && hasStart) {
            reader.varint64();
            this.startLow = reader.low;
            this.startHigh = reader.high;
          } else if (!this.#tryReadList(reader, tag)) reader.skip(tag, 2);
          // It is rejected; what is left may be millions of fields.
          if (this.isOversize) reader.pos = reader.end;
      }
    }
  }

  #clear(): void {
    this.count.isGiven = this.count.isFloat = false;
    this.count.low = this.count.high = 0;
    this.zeroCount.isGiven = this.zeroCount.isFloat = false;
    this.zeroCount.low = this.zeroCount.high = 0;
    this.sumAt = this.zeroThresholdAt = NO_VALUE;
    this.schema = this.resetHint = 0;
    this.timeLow = this.timeHigh = this.startLow = this.startHigh = 0;
    this.isOversize = false;
    for (const column of this.#columns) column.length = 0;
  }

  #tryReadList(reader: WireReader, tag: number): boolean {
    const field = tag >>> 3;
    const wireType = tag & 7;
    const side = field < 11 ? this.negative : this.positive;
    switch (field) {
      case 8:
      case 11:
        if (wireType !== LENGTH_DELIMITED) return false;
        this.#readSpan(reader, side.spans);
        return true;
      case 9:
      case 12:
        return this.#tryReadNumbers(reader, { wireType, single: VARINT, column: side.deltas });
      case 10:
      case 13:
        return this.#tryReadNumbers(reader, { wireType, single: FIXED64, column: side.counts });
      case 16:
        return this.#tryReadNumbers(reader, { wireType, single: FIXED64, column: this.customValues });
      default:
        return false;
    }
  }

  /** A list of numbers is packed, or one of its numbers stands alone; a message may have several of either. */
  #tryReadNumbers(
    reader: WireReader,
    { wireType, single, column }: { wireType: number; single: number; column: SlotColumn },
  ): boolean {
    if (wireType === single) {
      this.#readNumber(reader, single, column);
      return true;
    }
    if (wireType !== LENGTH_DELIMITED) return false;
    const outer = reader.enter();
    while (reader.pos < reader.end) this.#readNumber(reader, single, column);
    reader.end = outer;
    return true;
  }

  #readNumber(reader: WireReader, wireType: number, column: SlotColumn): void {
    if (wireType === FIXED64) {
      const at = this.#take(column, 1);
      column.slots[at] = reader.fixed64();
      return;
    }
    reader.sint64();
    const at = this.#take(column, DELTA_SLOTS);
    column.slots[at] = reader.low;
    column.slots[at + 1] = reader.high;
  }

  #readSpan(reader: WireReader, spans: SlotColumn): void {
    const outer = reader.enter();
    const at = this.#take(spans, SPAN_SLOTS);
    const { slots } = spans;
    slots[at] = slots[at + 1] = 0;
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === SPAN_OFFSET) slots[at] = reader.sint32();
      else if (tag === SPAN_LENGTH) slots[at + 1] = reader.int32();
      else reader.skip(tag, 3);
    }
    reader.end = outer;
  }

  /** Once it is oversize, the first slots are written over again and again. */
  #take(column: SlotColumn, count: number): number {
    if (column.length < this.#maxSlots) return column.take(count);
    this.isOversize = true;
    return 0;
  }
}

function readInteger(reader: WireReader, count: Count): void {
  reader.varint64();
  count.isGiven = true;
  count.isFloat = false;
  count.low = reader.low;
  count.high = reader.high;
}

function readFloat(reader: WireReader, count: Count): void {
  count.isGiven = true;
  count.isFloat = true;
  count.at = reader.fixed64();
}

function newCount(): Count {
  return { isGiven: false, isFloat: false, low: 0, high: 0, at: NO_VALUE };
}

function newSide(): Side {
  return { spans: new SlotColumn(), deltas: new SlotColumn(), counts: new SlotColumn() };
}
