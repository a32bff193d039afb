import { METRIC_TYPES, RESET_HINTS } from '../record.ts';
import type { ExemplarReader } from '../wire/exemplar_reader.ts';
import { DELTA_SLOTS, SPAN_SLOTS, type Count, type HistogramReader } from '../wire/histogram_reader.ts';
import { LABEL_SLOTS } from '../wire/label_column.ts';
import type { SlotColumn } from '../wire/slot_column.ts';
import { LINE_BYTES, type LineWriter } from './line_writer.ts';
import { METADATA_SLOTS, type MetadataTexts } from './metadata_set.ts';

/*
 * What lines of histograms, exemplars and metadata have that lines of samples have not: the field that their kind is named after. docs/record.md
 * says what stands in it.
 */

/** The most bytes that an entry of a list takes: a double of 25 characters, a span of two integers, an index and bits. */
const ENTRY_BYTES = 32;

export interface WriteHistogramOptions {
  readonly isStale: boolean;
  /** Where the line may end at most. */
  readonly maxEnd: number;
}

/**
 * Writes the field `histogram`.
 *
 * @returns false when it ends behind `maxEnd`, or would: of such a list the rest is not written
 */
export function tryWriteHistogram(
  writer: LineWriter,
  histogram: HistogramReader,
  { isStale, maxEnd }: WriteHistogramOptions,
): boolean {
  const { count, zeroCount, positive, negative, customValues } = histogram;
  writer.reserve(8 * LINE_BYTES);
  writer.writeAscii(`,"histogram":{"type":"${count.isFloat ? 'float' : 'integer'}"`);
  if (isStale) {
    writer.writeAscii(',"stale":true}');
    return true;
  }
  writeCount(writer, 'count', count);
  writeDouble(writer, 'sum', histogram.sumAt);
  writer.writeAscii(`,"schema":${histogram.schema}`);
  writeDouble(writer, 'zero_threshold', histogram.zeroThresholdAt);
  writeCount(writer, 'zero_count', zeroCount);
  for (const [name, { spans, deltas, counts }] of [
    ['positive', positive],
    ['negative', negative],
  ] as const) {
    writeSpans(writer, `${name}_spans`, { list: spans, maxEnd });
    if (count.isFloat) writeDoubles(writer, `${name}_counts`, { list: counts, maxEnd });
    else writeDeltas(writer, `${name}_deltas`, { list: deltas, maxEnd });
  }
  writeDoubles(writer, 'custom_values', { list: customValues, maxEnd });
  writer.reserve(LINE_BYTES);
  writer.writeAscii(`,"reset_hint":"${RESET_HINTS[histogram.resetHint] ?? 'unknown'}"}`);
  return writer.pos <= maxEnd;
}

/**
 * Writes the field `exemplar`.
 *
 * @returns false when one of its labels is not valid UTF-8; what was written is then of no use
 */
export function tryWriteExemplar(writer: LineWriter, { valueAt, labels }: ExemplarReader): boolean {
  writer.reserve(2 * LINE_BYTES + labels.jsonBytes);
  writer.writeAscii(',"exemplar":{"value":');
  const bits = writer.writeDouble(valueAt);
  if (bits !== undefined) writer.writeAscii(`,"bits":"${bits.toString(16)}"`);
  writer.writeAscii(',"labels":{');
  if (labels.count > 0) {
    writer.writeAscii('"');
    if (!writer.writeStrings(labels.slots, 0, labels.count * LABEL_SLOTS)) return false;
  }
  writer.reserve(LINE_BYTES);
  writer.writeAscii('}}');
  return true;
}

/**
 * Writes the field `metadata` and the end of the line.
 *
 * @returns false when the help or the unit is not valid UTF-8; what was written is then of no use
 */
export function tryWriteMetadata(writer: LineWriter, { type, offsets }: MetadataTexts): boolean {
  const { help, unit } = METADATA_SLOTS;
  writer.reserve(2 * LINE_BYTES + offsets[help + 1]! - offsets[help]!);
  writer.writeAscii(`,"metadata":{"type":"${METRIC_TYPES[type] ?? 'unknown'}","help":"`);
  if (!writer.writeStrings(offsets, help, help + 2)) return false;
  writer.reserve(2 * LINE_BYTES + offsets[unit + 1]! - offsets[unit]!);
  writer.writeAscii(',"unit":"');
  if (!writer.writeStrings(offsets, unit, unit + 2)) return false;
  writer.reserve(LINE_BYTES);
  writer.writeAscii('}}\n');
  return true;
}

function writeCount(writer: LineWriter, field: string, count: Count): void {
  if (count.isFloat) {
    writeDouble(writer, field, count.at);
    return;
  }
  writer.writeAscii(`,"${field}":`);
  writer.writeUint64(count.low, count.high);
}

/** Writes a double; where its token does not tell all 64 bits, they stand behind it in a field of their own. */
function writeDouble(writer: LineWriter, field: string, at: number): void {
  writer.writeAscii(`,"${field}":`);
  const bits = writer.writeDouble(at);
  if (bits !== undefined) writer.writeAscii(`,"${field}_bits":"${bits.toString(16)}"`);
}

interface WriteListOptions {
  readonly list: SlotColumn;
  readonly maxEnd: number;
}

function writeSpans(writer: LineWriter, field: string, { list, maxEnd }: WriteListOptions): void {
  const { slots, length } = list;
  startList(writer, field);
  for (let slot = 0; slot < length && writer.pos <= maxEnd; slot += SPAN_SLOTS) {
    startEntry(writer, slot);
    writer.writeAscii(`[${slots[slot]!},${slots[slot + 1]! >>> 0}]`);
  }
  writer.writeAscii(']');
}

function writeDeltas(writer: LineWriter, field: string, { list, maxEnd }: WriteListOptions): void {
  const { slots, length } = list;
  startList(writer, field);
  for (let slot = 0; slot < length && writer.pos <= maxEnd; slot += DELTA_SLOTS) {
    startEntry(writer, slot);
    writer.writeInt64(slots[slot]!, slots[slot + 1]!);
  }
  writer.writeAscii(']');
}

/** Writes a list of doubles; bits that the tokens do not tell stand behind it as pairs of index and bits. */
function writeDoubles(writer: LineWriter, field: string, { list, maxEnd }: WriteListOptions): void {
  const { slots, length } = list;
  startList(writer, field);
  let first = length;
  for (let index = 0; index < length && writer.pos <= maxEnd; index++) {
    startEntry(writer, index);
    if (writer.writeDouble(slots[index]!) !== undefined) first = Math.min(first, index);
  }
  writer.writeAscii(']');
  if (first === length) return;
  startList(writer, `${field}_bits`);
  for (let index = first, count = 0; index < length && writer.pos <= maxEnd; index++) {
    const bits = writer.bitsBesides(slots[index]!);
    if (bits === undefined) continue;
    startEntry(writer, count++);
    writer.writeAscii(`[${index},"${bits.toString(16)}"]`);
  }
  writer.writeAscii(']');
}

function startList(writer: LineWriter, field: string): void {
  writer.reserve(LINE_BYTES);
  writer.writeAscii(`,"${field}":[`);
}

/** Makes room for an entry, and for what ends the list. */
function startEntry(writer: LineWriter, index: number): void {
  writer.reserve(ENTRY_BYTES + LINE_BYTES);
  if (index > 0) writer.writeAscii(',');
}
