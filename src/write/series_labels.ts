import type { WireReader } from '../wire/protobuf.ts';
import { LABEL_SLOTS, type SeriesReader } from '../wire/series_reader.ts';
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
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    let nameSlot = -1;
    let previous = 0;
    for (let slot = 0; slot < labelCount * LABEL_SLOTS; slot += LABEL_SLOTS) {
      const from = labels[slot]!;
      const to = labels[slot + 1]!;
      if (from === to) return false;
      const first = bytes[from]!;
      if (first <= previous && slot > 0) {
        const order = first - previous || this.#compareNames(slot, slot - LABEL_SLOTS);
        if (order === 0) return false;
        if (order < 0) {
          this.#sort();
          return this.tryArrange();
        }
      }
      previous = first;
      if (to - from === METRIC_NAME.length && nameSlot < 0 && this.#isMetricName(from)) nameSlot = slot + 2;
    }
    if (this.#series.emptyCount > 0) return this.#tryDropEmpty() && this.tryArrange();
    this.nameSlot = nameSlot;
    return nameSlot >= 0;
  }

  /** Why the series can't be archived, once tryArrange returned false. Of several reasons, the first in this order. */
  diagnose(): SeriesProblem {
    this.#sort();
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    const stop = labelCount * LABEL_SLOTS;
    for (let slot = 0; slot < stop; slot += 2) {
      if (!isUtf8(bytes, labels[slot]!, labels[slot + 1]!)) return 'invalid_utf8';
    }
    // An empty name sorts first.
    if (labelCount > 0 && labels[0] === labels[1]) return 'empty_label_name';
    for (let slot = LABEL_SLOTS; slot < stop; slot += LABEL_SLOTS) {
      if (this.#compareNames(slot, slot - LABEL_SLOTS) === 0) return 'repeated_label';
    }
    return 'no_metric_name';
  }

  *[Symbol.iterator](): Generator<RawLabel> {
    const { bytes } = this.#reader;
    const { labels, labelCount } = this.#series;
    for (let slot = 0; slot < labelCount * LABEL_SLOTS; slot += LABEL_SLOTS) {
      const name = bytes.subarray(labels[slot], labels[slot + 1]);
      yield { name, value: bytes.subarray(labels[slot + 2], labels[slot + 3]) };
    }
  }

  /** A label with an empty value is no label. Its name has to be UTF-8 all the same, as in any message that decodes. */
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
    series.emptyCount = 0;
    return true;
  }

  #isMetricName(from: number): boolean {
    const { bytes } = this.#reader;
    for (let index = 0; index < METRIC_NAME.length; index++) {
      if (bytes[from + index] !== METRIC_NAME[index]) return false;
    }
    return true;
  }

  /** Which of the names at two slots comes first; 0 when they are equal. */
  #compareNames(slot: number, other: number): number {
    const { bytes } = this.#reader;
    const { labels } = this.#series;
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

  /** Shell sort, in place: quick for a few labels, and not too slow for a hundred thousand. */
  #sort(): void {
    const { labelCount } = this.#series;
    for (let gap = shrink(labelCount); gap > 0; gap = shrink(gap)) {
      for (let index = gap; index < labelCount; index++) {
        for (
          let at = index;
          at >= gap && this.#compareNames(at * LABEL_SLOTS, (at - gap) * LABEL_SLOTS) < 0;
          at -= gap
        ) {
          this.#swap(at * LABEL_SLOTS, (at - gap) * LABEL_SLOTS);
        }
      }
    }
  }

  #swap(slot: number, other: number): void {
    const { labels } = this.#series;
    for (let index = 0; index < LABEL_SLOTS; index++) {
      const kept = labels[slot + index]!;
      labels[slot + index] = labels[other + index]!;
      labels[other + index] = kept;
    }
  }
}

/** The next gap of Gonnet and Baeza-Yates, 1 at last. */
function shrink(gap: number): number {
  return gap > 2 ? Math.floor((gap * 5) / 11) : gap - 1;
}
