import type { WireReader } from '../wire/protobuf.ts';
import { compareNames, LABEL_SLOTS, type SeriesReader } from '../wire/series_reader.ts';
import type { RawLabel, SeriesProblem } from './invalid_series.ts';
import { isUtf8 } from './json_string.ts';

const METRIC_NAME = new TextEncoder().encode('__name__');

/** The labels of the series that was read last, brought into the archive's order where they stand: in the reader's column. */
export class SeriesLabels {
  /** Where the column has the offsets of the value of `__name__`. */
  nameSlot = 0;

  readonly #reader: WireReader;
  readonly #series: SeriesReader;

  constructor(reader: WireReader, series: SeriesReader) {
    this.#reader = reader;
    this.#series = series;
  }

  /**
   * Sorts the labels by name in byte order, in which most senders have them already, and drops those without a value.
   *
   * @returns false when the series can't be archived; `diagnose` tells why
   */
  tryArrange(): boolean {
    const { labelsAreSorted, emptyCount } = this.#series;
    if (!labelsAreSorted) {
      this.#sort();
      if (this.#problemOfNames() !== undefined) return false;
    }
    if (emptyCount > 0 && !this.#tryDropEmpty()) return false;
    return this.#tryFindMetricName();
  }

  /** Why the series can't be archived, once tryArrange returned false. Of several reasons, the first in this order. */
  diagnose(): SeriesProblem {
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    for (let slot = 0; slot < labelCount * LABEL_SLOTS; slot += 2) {
      if (!isUtf8(bytes, labels[slot]!, labels[slot + 1]!)) return 'invalid_utf8';
    }
    return this.#problemOfNames() ?? 'no_metric_name';
  }

  *[Symbol.iterator](): Generator<RawLabel> {
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    for (let slot = 0; slot < labelCount * LABEL_SLOTS; slot += LABEL_SLOTS) {
      const name = bytes.subarray(labels[slot], labels[slot + 1]);
      yield { name, value: bytes.subarray(labels[slot + 2], labels[slot + 3]) };
    }
  }

  #tryFindMetricName(): boolean {
    const { labels, labelCount } = this.#series;
    for (let slot = 0; slot < labelCount * LABEL_SLOTS; slot += LABEL_SLOTS) {
      const from = labels[slot]!;
      if (labels[slot + 1]! - from === METRIC_NAME.length && this.#isMetricName(from)) {
        this.nameSlot = slot + 2;
        return true;
      }
    }
    return false;
  }

  #isMetricName(from: number): boolean {
    const { bytes } = this.#reader;
    for (let index = 0; index < METRIC_NAME.length; index++) {
      if (bytes[from + index] !== METRIC_NAME[index]) return false;
    }
    return true;
  }

  /** Of names that are sorted. */
  #problemOfNames(): 'empty_label_name' | 'repeated_label' | undefined {
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    if (labelCount > 0 && labels[0] === labels[1]) return 'empty_label_name';
    for (let slot = LABEL_SLOTS; slot < labelCount * LABEL_SLOTS; slot += LABEL_SLOTS) {
      if (compareNames(bytes, labels, { slot, other: slot - LABEL_SLOTS }) === 0) return 'repeated_label';
    }
    return undefined;
  }

  /** A label with an empty value is no label. Its name has to be UTF-8 all the same, as every string of a message. */
  #tryDropEmpty(): boolean {
    const { bytes } = this.#reader;
    const series = this.#series;
    const { labels } = series;
    const stop = series.labelCount * LABEL_SLOTS;
    const isEmpty = (slot: number) => labels[slot + 2] === labels[slot + 3];
    for (let slot = 0; slot < stop; slot += LABEL_SLOTS) {
      if (isEmpty(slot) && !isUtf8(bytes, labels[slot]!, labels[slot + 1]!)) return false;
    }
    let kept = 0;
    for (let slot = 0; slot < stop; slot += LABEL_SLOTS) {
      if (isEmpty(slot)) continue;
      labels.copyWithin(kept, slot, slot + LABEL_SLOTS);
      kept += LABEL_SLOTS;
    }
    series.labelCount = kept / LABEL_SLOTS;
    return true;
  }

  /** Shell sort, in place: quick for a few labels, and not too slow for a hundred thousand. */
  #sort(): void {
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    for (let gap = nextGap(labelCount); gap > 0; gap = nextGap(gap)) {
      const distance = gap * LABEL_SLOTS;
      for (let start = distance; start < labelCount * LABEL_SLOTS; start += LABEL_SLOTS) {
        for (let slot = start; slot >= distance; slot -= distance) {
          const other = slot - distance;
          if (compareNames(bytes, labels, { slot, other }) >= 0) break;
          swap(labels, slot, other);
        }
      }
    }
  }
}

/** The gaps of Gonnet and Baeza-Yates, down to 1, then 0. */
function nextGap(gap: number): number {
  return gap > 2 ? Math.floor((gap * 5) / 11) : gap - 1;
}

function swap(labels: Int32Array, slot: number, other: number): void {
  for (let index = 0; index < LABEL_SLOTS; index++) {
    const kept = labels[slot + index]!;
    labels[slot + index] = labels[other + index]!;
    labels[other + index] = kept;
  }
}
