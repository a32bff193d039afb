import { STALE_NAN } from '../record.ts';
import type { ExemplarReader } from '../wire/exemplar_reader.ts';
import { histogramProblem } from '../wire/histogram_problem.ts';
import type { HistogramReader } from '../wire/histogram_reader.ts';
import type { WireReader } from '../wire/protobuf.ts';
import { MAX_MESSAGE_BYTES, MESSAGE_SLOTS, type Series } from '../wire/series.ts';
import type { LabelRefs } from '../wire/symbols.ts';
import { labelsOf, problemOfLabels, tryArrange } from './label_order.ts';
import type { LineList } from './line_list.ts';
import { LINE_BYTES } from './line_writer.ts';
import { tryWriteExemplar, tryWriteHistogram } from './kind_fields.ts';
import { explainExemplar, explainHistogram, explainLine, type SeriesProblem } from './problems.ts';
import { Tally } from './tally.ts';

export interface MessageLinesParts {
  readonly reader: WireReader;
  /** The series that was read last. */
  readonly series: Series;
  readonly histogram: HistogramReader;
  readonly exemplar: ExemplarReader;
  readonly lines: LineList;
}

/** Writes the lines of the histograms and exemplars of one series after the other. */
export class MessageLines {
  readonly #parts: MessageLinesParts;
  #tally = new Tally();
  #refs: LabelRefs | undefined;
  #nameSlot: number | undefined;
  #histogramSlot = 0;
  #exemplarSlot = 0;
  readonly #labels = () => labelsOf(this.#parts.reader.bytes, this.#parts.series.labels);

  constructor(parts: MessageLinesParts) {
    this.#parts = parts;
  }

  /**
   * Gets ready for another request.
   *
   * @param refs of remote write 2.0; undefined in 1.0
   */
  reset(tally: Tally, refs: LabelRefs | undefined): void {
    this.#tally = tally;
    this.#refs = refs;
  }

  /**
   * Gets ready for the histograms and exemplars of the series that was read last.
   *
   * @param nameSlot where its labels have the offsets of its name; undefined when nothing of the series can be archived
   */
  start(nameSlot: number | undefined): void {
    this.#nameSlot = nameSlot;
    this.#histogramSlot = 0;
    this.#exemplarSlot = 0;
  }

  /**
   * Reads the next of them, which have to decode in any case, and writes them.
   *
   * @returns whether there are no more; false when the slice is over before
   * @throws RequestError invalid_protobuf, lines_too_large
   */
  tryFinish(isSliceOver: () => boolean): boolean {
    const { series, reader } = this.#parts;
    const { histograms, exemplars } = series;
    const { pos, end } = reader;
    let isOver = false;
    while (!isOver && this.#histogramSlot < histograms.length) {
      if (this.#tryEnter('histogram', this.#histogramSlot)) this.#takeHistogram();
      this.#histogramSlot += MESSAGE_SLOTS;
      isOver = isSliceOver();
    }
    while (!isOver && this.#exemplarSlot < exemplars.length) {
      if (this.#tryEnter('exemplar', this.#exemplarSlot)) this.#takeExemplar();
      this.#exemplarSlot += MESSAGE_SLOTS;
      isOver = isSliceOver();
    }
    reader.pos = pos;
    reader.end = end;
    return this.#histogramSlot === histograms.length && this.#exemplarSlot === exemplars.length;
  }

  /** Steps into a message, unless it is so large that no line can hold it, and reading it takes long. */
  #tryEnter(kind: 'histogram' | 'exemplar', slot: number): boolean {
    const { reader, series } = this.#parts;
    const { slots } = kind === 'histogram' ? series.histograms : series.exemplars;
    reader.pos = slots[slot]!;
    reader.end = slots[slot + 1]!;
    if (reader.end - reader.pos <= MAX_MESSAGE_BYTES) return true;
    if (this.#nameSlot !== undefined) this.#tally.reject('oversize', 1, () => explainLine(kind, this.#labels()));
    return false;
  }

  #takeHistogram(): void {
    const { reader, histogram } = this.#parts;
    histogram.read(reader, this.#refs !== undefined);
    if (this.#nameSlot !== undefined) this.#writeHistogram(this.#nameSlot);
  }

  #takeExemplar(): void {
    const { reader, exemplar, lines } = this.#parts;
    exemplar.read(reader, this.#refs);
    const start = lines.writer.pos;
    if (this.#nameSlot !== undefined) this.#writeExemplar(this.#nameSlot);
    if (lines.writer.pos === start) lines.discardLabels(exemplar.labels);
  }

  #writeHistogram(nameSlot: number): void {
    const { series, reader, lines, histogram } = this.#parts;
    const { writer } = lines;
    const { timeLow, timeHigh, sumAt } = histogram;
    // Of its other fields, too, not all were read.
    if (histogram.isOversize) {
      this.#tally.reject('oversize', 1, () => explainLine('histogram', this.#labels()));
      return;
    }
    if (!this.#tally.allowsTime(timeLow, timeHigh, this.#labels)) return;
    const isStale = sumAt >= 0 && reader.view.getBigUint64(sumAt, true) === STALE_NAN;
    const detail = isStale ? undefined : histogramProblem(histogram, reader.view);
    if (detail !== undefined) {
      this.#tally.reject('invalid_histogram', 1, () => explainHistogram(this.#labels(), detail));
      return;
    }
    const maxEnd = lines.maxEndOf(writer.pos);
    const hasOwnStart = histogram.startLow !== 0 || histogram.startHigh !== 0;
    this.#writeLine('histogram', nameSlot, () => {
      writer.writeTime(timeLow, timeHigh);
      if (hasOwnStart) writer.writeStart(histogram.startLow, histogram.startHigh);
      else writer.writeStart(series.createdLow, series.createdHigh);
      return tryWriteHistogram(writer, histogram, { isStale, maxEnd });
    });
  }

  #writeExemplar(nameSlot: number): void {
    const { lines, exemplar } = this.#parts;
    const { labels, timeLow, timeHigh } = exemplar;
    if (!exemplar.hasInvalidRefs) this.#tally.emptyLabels += labels.emptyCount;
    if (!this.#tally.allowsTime(timeLow, timeHigh, this.#labels)) return;
    const problem = this.#problemOfExemplar();
    if (problem !== undefined) {
      this.#tally.reject(problem, 1, () => explainExemplar(problem, this.#labels()));
      return;
    }
    this.#writeLine('exemplar', nameSlot, () => {
      lines.writer.writeTime(timeLow, timeHigh);
      return tryWriteExemplar(lines.writer, exemplar);
    });
  }

  #problemOfExemplar(): SeriesProblem | undefined {
    const { reader, exemplar } = this.#parts;
    const { labels, hasInvalidRefs } = exemplar;
    if (hasInvalidRefs) return 'invalid_refs';
    if (labels.isOversize) return 'oversize';
    tryArrange(reader.bytes, labels);
    return problemOfLabels(reader.bytes, labels);
  }

  /** Writes one line around `tryWriteBody`, which writes from its time to its labels; when that fails, or the line is too long, it is oversize. */
  #writeLine(kind: 'histogram' | 'exemplar', nameSlot: number, tryWriteBody: () => boolean): void {
    const { series, lines } = this.#parts;
    const { labels } = series;
    const { writer } = lines;
    const mark = lines.end;
    writer.reserve(LINE_BYTES + labels.jsonBytes);
    if (writer.writeName(labels.slots, nameSlot, kind) && tryWriteBody()) {
      writer.reserve(LINE_BYTES + labels.jsonBytes);
      if (writer.writeLabels(labels) && lines.tryEnd(mark.pos, writer.labelsHash)) {
        lines.counts[kind]++;
        return;
      }
    }
    lines.rollBack(mark);
    this.#tally.reject('oversize', 1, () => explainLine(kind, this.#labels()));
  }
}
