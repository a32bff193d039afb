import { compareNames, LABEL_SLOTS, type LabelColumn, type LabelLimits } from '../wire/label_column.ts';
import type { LabelProblem, LimitProblem, RawLabel } from './problems.ts';
import { isUtf8 } from './json_string.ts';

const METRIC_NAME = new TextEncoder().encode('__name__');
/** Up to as many labels, of so many bytes, are sorted in place. */
const FEW = 16;
const FEW_BYTES = 16 * 1024;

/**
 * Sorts labels by name in byte order, in which most senders have them already.
 *
 * @returns whether each has a name of its own; `problemOfLabels` tells what is wrong with them
 */
export function tryArrange(bytes: Uint8Array, labels: LabelColumn): boolean {
  if (labels.isSorted) return true;
  if (labels.count <= FEW && labels.jsonBytes <= FEW_BYTES) sortFew(bytes, labels);
  else sortMany(bytes, labels);
  return problemOfNames(bytes, labels) === undefined;
}

/** Where the column has the offsets of the value of `__name__`; −1 where there is none. */
export function findMetricName(bytes: Uint8Array, { slots, count }: LabelColumn): number {
  for (let slot = 0; slot < count * LABEL_SLOTS; slot += LABEL_SLOTS) {
    const from = slots[slot]!;
    if (slots[slot + 1]! - from === METRIC_NAME.length && isMetricName(bytes, from)) return slot + 2;
  }
  return -1;
}

/** Why labels that tryArrange has sorted can't be archived: of several reasons the first in this order. */
export function problemOfLabels(bytes: Uint8Array, labels: LabelColumn): LabelProblem | undefined {
  return areUtf8(bytes, labels) ? problemOfNames(bytes, labels) : 'invalid_utf8';
}

/** Which limit the labels of a series are beyond. */
export function problemOfLimits({ slots, count }: LabelColumn, limits: LabelLimits): LimitProblem | undefined {
  if (count > limits.maxLabels) return 'too_many_labels';
  for (let slot = 0; slot < count * LABEL_SLOTS; slot += LABEL_SLOTS) {
    if (slots[slot + 1]! - slots[slot]! > limits.maxNameBytes) return 'label_name_too_long';
    if (slots[slot + 3]! - slots[slot + 2]! > limits.maxValueBytes) return 'label_value_too_long';
  }
  return undefined;
}

export function areUtf8(bytes: Uint8Array, { slots, count }: LabelColumn): boolean {
  for (let slot = 0; slot < count * LABEL_SLOTS; slot += 2) {
    if (!isUtf8(bytes, slots[slot]!, slots[slot + 1]!)) return false;
  }
  return true;
}

/** The labels as they stand in the column. */
export function* labelsOf(bytes: Uint8Array, { slots, count }: LabelColumn): Generator<RawLabel> {
  for (let slot = 0; slot < count * LABEL_SLOTS; slot += LABEL_SLOTS) {
    const name = bytes.subarray(slots[slot], slots[slot + 1]);
    yield { name, value: bytes.subarray(slots[slot + 2], slots[slot + 3]) };
  }
}

function isMetricName(bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < METRIC_NAME.length; index++) {
    if (bytes[from + index] !== METRIC_NAME[index]) return false;
  }
  return true;
}

/** Of names that are sorted. */
function problemOfNames(
  bytes: Uint8Array,
  { slots, count }: LabelColumn,
): 'empty_label_name' | 'repeated_label' | undefined {
  if (count > 0 && slots[0] === slots[1]) return 'empty_label_name';
  for (let slot = LABEL_SLOTS; slot < count * LABEL_SLOTS; slot += LABEL_SLOTS) {
    if (compareNames(bytes, slots, { slot, other: slot - LABEL_SLOTS }) === 0) return 'repeated_label';
  }
  return undefined;
}

/** Insertion sort. */
function sortFew(bytes: Uint8Array, { slots, count }: LabelColumn): void {
  for (let start = LABEL_SLOTS; start < count * LABEL_SLOTS; start += LABEL_SLOTS) {
    for (let slot = start; slot > 0; slot -= LABEL_SLOTS) {
      const other = slot - LABEL_SLOTS;
      if (compareNames(bytes, slots, { slot, other }) >= 0) break;
      swap(slots, slot, other);
    }
  }
}

function sortMany(bytes: Uint8Array, { slots, count }: LabelColumn): void {
  const unsorted = slots.slice(0, count * LABEL_SLOTS);
  const order = Uint32Array.from({ length: count }, (_, index) => index * LABEL_SLOTS).sort((slot, other) =>
    compareNames(bytes, unsorted, { slot, other }),
  );
  order.forEach((from, index) => {
    slots.set(unsorted.subarray(from, from + LABEL_SLOTS), index * LABEL_SLOTS);
  });
}

function swap(slots: Int32Array, slot: number, other: number): void {
  for (let index = 0; index < LABEL_SLOTS; index++) {
    const kept = slots[slot + index]!;
    slots[slot + index] = slots[other + index]!;
    slots[other + index] = kept;
  }
}
