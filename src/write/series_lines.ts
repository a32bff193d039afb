import { NO_LABEL_LIMITS, type LabelLimits } from '../wire/label_column.ts';
import type { WireReader } from '../wire/protobuf.ts';
import { SAMPLE_SLOTS, timeOf, type Series } from '../wire/series.ts';
import { areUtf8, findMetricName, labelsOf, problemOfLabels, problemOfLimits, tryArrange } from './label_order.ts';
import type { LineList, Mark } from './line_list.ts';
import { LINE_BYTES } from './line_writer.ts';
import type { MessageLines } from './message_lines.ts';
import { explainSeries, type SeriesProblem } from './problems.ts';
import { Tally } from './tally.ts';

export interface SeriesLinesParts {
  readonly reader: WireReader;
  /** The series that was read last. */
  readonly series: Series;
  readonly lines: LineList;
  readonly messageLines: MessageLines;
}

/** The samples of a series behind its first: their lines repeat the first one around their own times and values. */
interface Rest {
  readonly mark: Mark;
  readonly start: number;
  readonly timeAt: number;
  readonly labelsAt: number;
  readonly end: number;
  readonly hash: number;
  /** The next one's. */
  slot: number;
}

/** How often a slice's end is looked for, in slots of samples. */
const LOOK_EVERY_SLOTS = 64 * SAMPLE_SLOTS;

/** Writes the lines of one series after the other: its samples, its histograms, its exemplars. */
export class SeriesLines {
  readonly #parts: SeriesLinesParts;
  #tally = new Tally();
  #limits = NO_LABEL_LIMITS;
  /** Where the labels of the series have the offsets of its name. */
  #nameSlot = -1;
  /** Where its lines start. */
  #start = 0;
  #hasMessages = false;
  #rest: Rest | undefined;
  readonly #labels = () => labelsOf(this.#parts.reader.bytes, this.#parts.series.labels);

  constructor(parts: SeriesLinesParts) {
    this.#parts = parts;
  }

  /** Where the name of the series is in the request. */
  get name(): { nameAt: number; nameEnd: number } {
    const { slots } = this.#parts.series.labels;
    return { nameAt: slots[this.#nameSlot]!, nameEnd: slots[this.#nameSlot + 1]! };
  }

  /** Gets ready for the series of another request. */
  reset(tally: Tally, limits: LabelLimits): void {
    this.#tally = tally;
    this.#limits = limits;
    this.#rest = undefined;
  }

  /**
   * Writes the lines of the series that was read last, up to its first sample. Of its metadata it only counts that it came, and rejects it with the series.
   * `tryFinish` is to be called next.
   *
   * @returns why nothing of the series can be archived; undefined when it can
   * @throws RequestError lines_too_large
   */
  start(): SeriesProblem | undefined {
    const { series, lines, messageLines } = this.#parts;
    const tally = this.#tally;
    const { labels, sampleCount, histogramCount, exemplarCount } = series;
    const metadataCount = series.metadata.isGiven ? 1 : 0;
    this.#start = lines.writer.pos;
    this.#hasMessages = histogramCount + exemplarCount > 0;
    if (sampleCount + histogramCount + exemplarCount + metadataCount === 0) return undefined;
    tally.received.sample += sampleCount;
    tally.received.histogram += histogramCount;
    tally.received.exemplar += exemplarCount;
    tally.received.metadata += metadataCount;
    if (!series.hasInvalidRefs) tally.emptyLabels += labels.emptyCount;

    let problem = this.#problemOfSeries();
    if (tally.maxTimeMs !== undefined) problem ??= this.#rejectFutureSamples(tally.maxTimeMs);
    problem ??= this.#writeFirstSample();
    if (problem !== undefined) {
      const count = series.sampleCount + histogramCount + exemplarCount + metadataCount;
      const reason = problem;
      tally.reject(reason, count, () => this.#explain(reason));
    }
    messageLines.start(problem === undefined ? this.#nameSlot : undefined);
    return problem;
  }

  /**
   * Writes the lines of its other samples, its histograms and its exemplars.
   *
   * @returns false when the slice is over before all are written
   * @throws RequestError invalid_protobuf, lines_too_large
   */
  tryFinish(isSliceOver: () => boolean): boolean {
    const { series, lines, messageLines } = this.#parts;
    if (this.#rest && !this.#tryWriteRest(this.#rest, isSliceOver)) return false;
    if (this.#hasMessages && !messageLines.tryFinish(isSliceOver)) return false;
    if (lines.writer.pos === this.#start) lines.discardLabels(series.labels);
    return true;
  }

  #problemOfSeries(): SeriesProblem | undefined {
    const { series, reader } = this.#parts;
    const { labels, hasInvalidRefs } = series;
    if (hasInvalidRefs) return 'invalid_refs';
    if (labels.isOversize) return 'oversize';
    const beyond = this.#limits === NO_LABEL_LIMITS ? undefined : problemOfLimits(labels, this.#limits);
    if (beyond !== undefined) return beyond;
    if (!tryArrange(reader.bytes, labels)) return problemOfLabels(reader.bytes, labels);
    this.#nameSlot = findMetricName(reader.bytes, labels);
    return this.#nameSlot < 0 ? (problemOfLabels(reader.bytes, labels) ?? 'no_metric_name') : undefined;
  }

  #explain(problem: SeriesProblem): string {
    return explainSeries(problem, this.#labels(), this.#parts.series.labels.jsonBytes);
  }

  /** @returns why nothing of the series can be archived: what its labels hold is looked at as they are written */
  #writeFirstSample(): SeriesProblem | undefined {
    const { series, lines, reader } = this.#parts;
    const { labels, sampleCount } = series;
    if (sampleCount === 0) return areUtf8(reader.bytes, labels) ? undefined : 'invalid_utf8';
    const mark = lines.end;
    const problem = this.#tryWriteFirst(mark);
    if (problem === 'oversize') this.#rejectSamples(mark);
    else if (problem !== undefined) lines.rollBack(mark);
    return problem === 'oversize' ? undefined : problem;
  }

  #rejectSamples(mark: Mark): void {
    const { series, lines } = this.#parts;
    lines.rollBack(mark);
    this.#tally.reject('oversize', series.sampleCount, () => this.#explain('oversize'));
  }

  /** Writes the line of the first sample or, when the series has a problem, some of it. */
  #tryWriteFirst(mark: Mark): 'invalid_utf8' | 'oversize' | undefined {
    const { series, lines } = this.#parts;
    const { writer } = lines;
    const { labels, samples, sampleCount } = series;
    writer.reserve(LINE_BYTES + 2 * labels.jsonBytes);
    const start = writer.pos;
    if (!writer.writeName(labels.slots, this.#nameSlot, 'sample')) return 'invalid_utf8';
    const timeAt = writer.pos;
    writer.writeSample(samples.slots, 0);
    const labelsAt = writer.pos;
    if (!writer.writeLabels(labels)) return 'invalid_utf8';
    const end = writer.pos;
    const hash = writer.labelsHash;
    if (!lines.tryEnd(start, hash)) return 'oversize';
    if (sampleCount === 1) {
      lines.counts.sample++;
      return undefined;
    }
    lines.checkBytes(end + (sampleCount - 1) * (timeAt - start + (end - labelsAt)));
    this.#rest = { mark, start, timeAt, labelsAt, end, hash, slot: SAMPLE_SLOTS };
    return undefined;
  }

  /** @returns false when the slice is over before all are written */
  #tryWriteRest(rest: Rest, isSliceOver: () => boolean): boolean {
    const { series, lines } = this.#parts;
    const { writer } = lines;
    const { slots, length } = series.samples;
    const { start, timeAt, labelsAt, end, hash } = rest;
    const lineBytes = LINE_BYTES + (timeAt - start) + (end - labelsAt);
    while (rest.slot < length) {
      const lineStart = writer.pos;
      writer.reserve(lineBytes);
      writer.repeat(start, timeAt);
      writer.writeSample(slots, rest.slot);
      writer.repeat(labelsAt, end);
      if (!lines.tryEnd(lineStart, hash)) {
        this.#rest = undefined;
        this.#rejectSamples(rest.mark);
        return true;
      }
      rest.slot += SAMPLE_SLOTS;
      if (rest.slot % LOOK_EVERY_SLOTS === 0 && rest.slot < length && isSliceOver()) return false;
    }
    this.#rest = undefined;
    lines.counts.sample += series.sampleCount;
    return true;
  }

  /** @returns why nothing of the series can be archived, if that is found on the way */
  #rejectFutureSamples(maxTimeMs: number): 'invalid_utf8' | undefined {
    const { samples, labels } = this.#parts.series;
    const tally = this.#tally;
    const { slots, length } = samples;
    let kept = 0;
    for (let slot = 0; slot < length; slot += SAMPLE_SLOTS) {
      const [low, high] = [slots[slot + 1]!, slots[slot + 2]!];
      // A series with a problem is rejected for that, with all that it has.
      if (kept === slot && timeOf(low, high) > maxTimeMs && !areUtf8(this.#parts.reader.bytes, labels)) {
        return 'invalid_utf8';
      }
      if (!tally.allowsTime(low, high, this.#labels)) continue;
      slots.copyWithin(kept, slot, slot + SAMPLE_SLOTS);
      kept += SAMPLE_SLOTS;
    }
    samples.length = kept;
    return undefined;
  }
}
