import { RequestError } from '../errors.ts';
import type { Kind, Lines } from '../record.ts';
import { MetricMetadata } from '../wire/messages.ts';
import { LENGTH_DELIMITED, tagOf, WireReader } from '../wire/protobuf.ts';
import { checkMessage, LABEL_SLOTS, SAMPLE_SLOTS, SeriesReader } from '../wire/series_reader.ts';
import { explainProblem, type SeriesProblem } from './invalid_series.ts';

import { LINE_BYTES, LineWriter } from './line_writer.ts';
import { SeriesLabels } from './series_labels.ts';

export interface FlattenLimits {
  /** The most bytes of lines that the request may become. */
  readonly maxLinesBytes: number;
  /** The longest line that the sink takes, in bytes, its newline included; a series with a longer one is rejected. */
  readonly maxLineBytes: number;
}

/** What a request holds. `received` = lines + `skipped` + `rejected`, each counted in lines. */
export interface Flattened {
  readonly lines: Lines;
  readonly received: Readonly<Record<Kind, number>>;
  /** Of a kind that is not archived yet. */
  readonly skipped: Readonly<Record<Kind, number>>;
  /** Of series that can never be archived, by the reason. */
  readonly rejected: ReadonlyMap<SeriesProblem, number>;
  /** What is wrong with the first series that can never be archived; undefined when all can. */
  readonly firstProblem: string | undefined;
}

/* WriteRequest    1 rep TimeSeries; 3 rep MetricMetadata */
const SERIES = tagOf(1, LENGTH_DELIMITED);
const METADATA = tagOf(3, LENGTH_DELIMITED);

/** A line is at least as many times longer than the slots of its sample, so a series that needs more slots becomes too many lines. */
const LINE_BYTES_PER_SLOT = 16;
/** What is kept of the index's memory between requests. */
const KEPT_LINES = 16 * 1024;

/**
 * One pass from the bytes of a remote write 1.0 request to the bytes of its lines, without an object per sample or label.
 *
 * It accepts and writes exactly what protobufjs's decode followed by encodeRecord (record.ts) does; the differential tests hold the two
 * together. Its memory is reused from request to request, so `flatten` is not re-entrant; what it returns is the caller's.
 */
export class Flattener {
  readonly #reader = new WireReader();
  readonly #series = new SeriesReader(this.#reader);
  readonly #labels = new SeriesLabels(this.#reader, this.#series);
  readonly #writer = new LineWriter();
  #ends = new Uint32Array(KEPT_LINES);
  #hashes = new Uint32Array(KEPT_LINES);
  #lineCount = 0;
  #limits: FlattenLimits = { maxLinesBytes: 0, maxLineBytes: 0 };

  /**
   * @param request a prometheus.WriteRequest, decompressed
   * @throws RequestError invalid_protobuf when it can't be decoded, lines_too_large past limits.maxLinesBytes
   */
  flatten(request: Uint8Array, limits: FlattenLimits): Flattened {
    this.#reset(request, limits);
    const reader = this.#reader;
    const series = this.#series;
    const received = { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
    const skipped = { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
    const rejected = new Map<SeriesProblem, number>();
    let firstProblem: string | undefined;
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === SERIES) {
        series.read();
        const { sampleCount, histogramCount, exemplarCount } = series;
        const count = sampleCount + histogramCount + exemplarCount;
        if (count === 0) continue;
        received.sample += sampleCount;
        received.histogram += histogramCount;
        received.exemplar += exemplarCount;
        const problem = this.#writeSeries();
        if (problem === undefined) {
          skipped.histogram += histogramCount;
          skipped.exemplar += exemplarCount;
        } else {
          rejected.set(problem, (rejected.get(problem) ?? 0) + count);
          firstProblem ??= explainProblem(problem, this.#labels);
        }
      } else if (tag === METADATA) {
        checkMessage(reader, MetricMetadata);
        received.metadata++;
        skipped.metadata++;
      } else reader.skip(tag, 0);
    }
    return { lines: this.#takeLines(), received, skipped, rejected, firstProblem };
  }

  #reset(request: Uint8Array, limits: FlattenLimits): void {
    this.#limits = limits;
    this.#reader.reset(request);
    this.#series.reset(limits.maxLinesBytes / LINE_BYTES_PER_SLOT);
    this.#writer.reset(request, limits.maxLinesBytes + 2 * limits.maxLineBytes);
    this.#lineCount = 0;
    if (this.#ends.length === KEPT_LINES) return;
    this.#ends = new Uint32Array(KEPT_LINES);
    this.#hashes = new Uint32Array(KEPT_LINES);
  }

  #takeLines(): Lines {
    return {
      bytes: this.#writer.take(),
      ends: this.#ends.slice(0, this.#lineCount),
      hashes: this.#hashes.slice(0, this.#lineCount),
    };
  }

  /** Writes the lines of the series just read, all of them or, when the series has a problem, none. */
  #writeSeries(): SeriesProblem | undefined {
    const start = this.#writer.pos;
    const firstLine = this.#lineCount;
    const problem = this.#tryWriteSeries();
    if (problem !== undefined) {
      this.#writer.pos = start;
      this.#lineCount = firstLine;
    }
    return problem;
  }

  #tryWriteSeries(): SeriesProblem | undefined {
    const writer = this.#writer;
    const series = this.#series;
    if (series.labelBytes > this.#limits.maxLineBytes) return 'oversize';
    if (!this.#labels.tryArrange()) return this.#labels.diagnose();

    const { labels, labelCount, samples, sampleCount } = series;
    writer.reserve(LINE_BYTES + 2 * series.labelBytes);
    const start = writer.pos;
    if (!writer.writeName(labels, this.#labels.nameSlot)) return 'invalid_utf8';
    const timeAt = writer.pos;
    if (sampleCount > 0) writer.writeSample(samples[0]!, samples[1]!, samples[2]!);
    const labelsAt = writer.pos;
    if (!writer.writeLabels(labels, labelCount * LABEL_SLOTS)) return 'invalid_utf8';
    const end = writer.pos;
    if (sampleCount === 0) {
      writer.pos = start;
      return undefined;
    }
    if (!this.#tryEndLine(start)) return 'oversize';

    // The other lines repeat the first around their own times and values.
    const repeatedBytes = timeAt - start + (end - labelsAt);
    this.#checkLinesBytes(end + (sampleCount - 1) * repeatedBytes);
    for (let slot = SAMPLE_SLOTS; slot < sampleCount * SAMPLE_SLOTS; slot += SAMPLE_SLOTS) {
      const lineStart = writer.pos;
      writer.reserve(LINE_BYTES + repeatedBytes);
      writer.repeat(start, timeAt);
      writer.writeSample(samples[slot]!, samples[slot + 1]!, samples[slot + 2]!);
      writer.repeat(labelsAt, end);
      if (!this.#tryEndLine(lineStart)) return 'oversize';
    }
    return undefined;
  }

  /** Takes what was written from `start` on as a line; false when it is too long. */
  #tryEndLine(start: number): boolean {
    const { pos, labelsHash } = this.#writer;
    if (pos - start > this.#limits.maxLineBytes) return false;
    this.#checkLinesBytes(pos);
    const index = this.#lineCount++;
    if (index === this.#ends.length) {
      this.#ends = doubled(this.#ends);
      this.#hashes = doubled(this.#hashes);
    }
    this.#ends[index] = pos;
    this.#hashes[index] = labelsHash;
    return true;
  }

  #checkLinesBytes(bytes: number): void {
    const { maxLinesBytes } = this.#limits;
    if (bytes <= maxLinesBytes) return;
    throw new RequestError('lines_too_large', `the request becomes more than ${maxLinesBytes} bytes of lines`);
  }
}

function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * column.length);
  larger.set(column);
  return larger;
}
