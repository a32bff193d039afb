import { RequestError } from '../errors.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { Kind, Lines } from '../record.ts';
import { ExemplarReader } from '../wire/exemplar_reader.ts';
import { HistogramReader } from '../wire/histogram_reader.ts';
import { NO_LABEL_LIMITS, type LabelLimits } from '../wire/label_column.ts';
import { LENGTH_DELIMITED, tagOf, WireReader } from '../wire/protobuf.ts';
import { Series, type Version } from '../wire/series.ts';
import { tryReadSeriesV1 } from '../wire/series_reader_v1.ts';
import { tryReadSeriesV2 } from '../wire/series_reader_v2.ts';
import { LabelRefs, SYMBOL_SLOTS, Symbols } from '../wire/symbols.ts';
import { BufferPool } from '../buffer_pool.ts';
import { LineList, type LineLimits } from './line_list.ts';
import { MessageLines } from './message_lines.ts';
import { MetadataLines } from './metadata_lines.ts';
import { PlainSeries } from './plain_series.ts';
import type { LineProblem } from './problems.ts';
import { MetadataSet } from './metadata_set.ts';
import { SeriesLines } from './series_lines.ts';
import { Tally } from './tally.ts';

export interface FlattenOptions extends LineLimits {
  readonly version: Version;
  /** What is later than this is rejected; undefined when nothing is. */
  readonly maxTimeMs: number | undefined;
  /** Series beyond them are rejected. */
  readonly labelLimits?: LabelLimits;
  /** Milliseconds since the epoch; the time of metadata, which has none of its own. */
  readonly arrivedAtMs: number;
}

/** What a request holds. `received` = lines + `skipped` + `rejected`, each counted in lines. */
export interface Flattened {
  readonly lines: Lines;
  /** The lines of each kind. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly received: Readonly<Record<Kind, number>>;
  /** Metadata that was written already, or says nothing. */
  readonly skipped: Readonly<Record<Kind, number>>;
  /** What can never be archived, by the reason. */
  readonly rejected: ReadonlyMap<LineProblem, number>;
  /** What is wrong with the first of what can never be archived; undefined when all can. */
  readonly firstProblem: string | undefined;
  /** Labels with an empty value, which were left out. */
  readonly emptyLabels: number;
  /** The metadata among the lines, to be noted as written once they are delivered; undefined when there is none. */
  readonly metadata: MetadataSet | undefined;
}

/* WriteRequest (1.0)   1 rep TimeSeries; 3 rep MetricMetadata */
const SERIES_V1 = tagOf(1, LENGTH_DELIMITED);
const METADATA_V1 = tagOf(3, LENGTH_DELIMITED);
/* Request (2.0)        4 rep string symbols; 5 rep TimeSeries */
const SERIES_V2 = tagOf(5, LENGTH_DELIMITED);

/** How often a slice's end is looked for, in bytes read or written. */
const LOOK_EVERY_BYTES = 4 * 1024;

/** A line is at least as many times longer than the slots of its sample, so a series that needs more slots becomes too many lines. */
const LINE_BYTES_PER_SLOT = 8;

/**
 * One pass from the bytes of a remote write request to the bytes of its lines, without an object per sample or label.
 *
 * It accepts and writes exactly what protobufjs's decode followed by encodeRecord (record.ts) does; the differential tests hold the two
 * together. Its memory is reused from request to request, so `flatten` is not re-entrant; what it returns is the caller's.
 */
export class Flattener {
  readonly #reader = new WireReader();
  readonly #symbols = new Symbols();
  readonly #refs = new LabelRefs(this.#symbols);
  readonly #series = new Series();
  readonly #histogram = new HistogramReader();
  readonly #exemplar = new ExemplarReader();
  readonly #kernel: Kernel;
  readonly #pool: BufferPool;
  readonly #lines: LineList;
  readonly #seriesLines: SeriesLines;
  readonly #messageLines: MessageLines;
  readonly #metadataLines: MetadataLines;
  readonly #plainSeries: PlainSeries;
  #labelLimits = NO_LABEL_LIMITS;
  #isTimeUp: () => boolean = NEVER;
  /** What was done when the clock was looked at. */
  #lookedAt = -Infinity;

  /**
   * @param seen metadata that need not be written again; the caller's, who adds what was delivered
   * @param kernel nobody else's while it flattens
   * @param pool the lines' buffers come from it; the caller may give them back
   */
  constructor(seen = new MetadataSet(), kernel = new Kernel(), pool = new BufferPool()) {
    this.#pool = pool;
    this.#kernel = kernel;
    this.#lines = new LineList(kernel);
    const parts = { reader: this.#reader, series: this.#series, lines: this.#lines };
    this.#messageLines = new MessageLines({ ...parts, histogram: this.#histogram, exemplar: this.#exemplar });
    this.#seriesLines = new SeriesLines({ ...parts, messageLines: this.#messageLines });
    this.#metadataLines = new MetadataLines({ ...parts, symbols: this.#symbols, memo: kernel.memo, seen });
    this.#plainSeries = new PlainSeries({
      ...parts,
      kernel,
      symbols: this.#symbols,
      metadataLines: this.#metadataLines,
    });
  }

  /** The same as `slices`, at once. */
  flatten(request: Uint8Array, options: FlattenOptions): Flattened {
    const { done, value } = this.slices(request, options, NEVER).next();
    if (!done) throw new Error('flattening stopped before its time');
    return value;
  }

  /**
   * Flattens a request, with a stop each time that `isTimeUp`. Between two stops it does what a turn of the event loop has time for. What is not
   * brought to its end is forgotten with the next request.
   *
   * @param request a prometheus.WriteRequest or an io.prometheus.write.v2.Request, decompressed
   * @throws RequestError invalid_protobuf when it can't be decoded, lines_too_large past options.maxLinesBytes
   */
  *slices(request: Uint8Array, options: FlattenOptions, isTimeUp: () => boolean): Generator<undefined, Flattened> {
    const tally = new Tally(options.maxTimeMs);
    this.#reset(request, options, tally);
    this.#isTimeUp = isTimeUp;
    this.#lookedAt = -Infinity;
    if (options.version === 1) yield* this.#flattenV1(tally);
    else yield* this.#flattenV2(options);
    return {
      lines: this.#lines.take(this.#pool),
      counts: this.#lines.counts,
      received: tally.received,
      skipped: tally.skipped,
      rejected: tally.rejected,
      firstProblem: tally.firstProblem,
      emptyLabels: tally.emptyLabels,
      metadata: this.#metadataLines.written,
    };
  }

  #reset(request: Uint8Array, options: FlattenOptions, tally: Tally): void {
    const { maxLineBytes, labelLimits = NO_LABEL_LIMITS } = options;
    const maxSlots = options.maxLinesBytes / LINE_BYTES_PER_SLOT;
    const taken = this.#kernel.tryTake(request);
    this.#reader.reset(taken ?? request);
    this.#symbols.reset(maxSlots / 2);
    this.#series.reset({ maxSlots, maxLineBytes });
    this.#histogram.reset(maxLineBytes);
    this.#exemplar.labels.reset(maxLineBytes);
    this.#lines.reset(taken ?? request, options);
    this.#plainSeries.reset(taken !== undefined, maxLineBytes, tally);
    this.#seriesLines.reset(tally, labelLimits);
    if (labelLimits !== this.#labelLimits) this.#kernel.limitLabels(labelLimits);
    this.#labelLimits = labelLimits;
    this.#messageLines.reset(tally, options.version === 2 ? this.#refs : undefined);
    this.#metadataLines.reset(options.arrivedAtMs, tally);
  }

  *#flattenV1(tally: Tally): Generator<undefined, void> {
    const reader = this.#reader;
    const isSliceOver = this.#isSliceOver;
    const plainSeries = this.#plainSeries;
    let isOwn = false;
    let isOther = false;
    for (;;) {
      while (plainSeries.writeV1()) {
        isOwn = true;
        if (isSliceOver()) yield;
      }
      if (reader.pos === reader.end) break;
      const tag = reader.tag();
      isOwn ||= tag === SERIES_V1 || tag === METADATA_V1;
      isOther ||= tag === SERIES_V2;
      if (tag === SERIES_V1) {
        while (!tryReadSeriesV1(reader, this.#series, isSliceOver)) yield;
        this.#seriesLines.start();
        while (!this.#seriesLines.tryFinish(isSliceOver)) yield;
      } else if (tag === METADATA_V1) {
        tally.received.metadata++;
        this.#metadataLines.writeV1();
      } else reader.skip(tag, 0);
      if (isSliceOver()) yield;
    }
    if (isOther && !isOwn) throw otherVersion('2.0', '1.0');
  }

  *#flattenV2({ maxLinesBytes }: FlattenOptions): Generator<undefined, void> {
    const reader = this.#reader;
    const isSliceOver = this.#isSliceOver;
    const refs = { refs: this.#refs, isSliceOver };
    const maxSymbols = maxLinesBytes / LINE_BYTES_PER_SLOT / 2 / SYMBOL_SLOTS;
    if (!this.#plainSeries.tryReadSymbols(maxSymbols)) {
      while (!this.#symbols.tryRead(reader, isSliceOver)) yield;
      reader.pos = 0;
    }
    if (!this.#symbols.areValid) {
      throw new RequestError(
        'invalid_protobuf',
        'the body is not a valid write request: its first symbol is not the empty string',
      );
    }
    let isOwn = false;
    let isOther = false;
    for (;;) {
      while (this.#plainSeries.writeV2()) if (isSliceOver()) yield;
      if (reader.pos === reader.end) break;
      const tag = reader.tag();
      isOwn ||= tag === SERIES_V2;
      isOther ||= tag === SERIES_V1 || tag === METADATA_V1;
      if (isSliceOver()) yield;
      if (tag !== SERIES_V2) {
        reader.skip(tag, 0);
        continue;
      }
      while (!tryReadSeriesV2(reader, this.#series, refs)) yield;
      const problem = this.#seriesLines.start();
      while (!this.#seriesLines.tryFinish(isSliceOver)) yield;
      const { isGiven, type, helpRef, unitRef } = this.#series.metadata;
      if (isGiven && problem === undefined) {
        const { nameAt, nameEnd } = this.#seriesLines.name;
        this.#metadataLines.writeV2({ nameAt, nameEnd, type, helpRef, unitRef });
      }
    }
    if (isOther && !isOwn) throw otherVersion('1.0', '2.0');
  }

  /** What takes time is read, written or discarded; a clock is looked at now and then only. */
  readonly #isSliceOver = (): boolean => {
    const done = this.#reader.pos + this.#lines.writer.pos + this.#lines.discardedBytes;
    const since = done - this.#lookedAt;
    // Less than nothing where it goes back: to the messages of a series that was read, to the start behind the symbols.
    if (since >= 0 && since < LOOK_EVERY_BYTES) return false;
    if (this.#isTimeUp()) return true;
    this.#lookedAt = done;
    return false;
  };
}

const NEVER = () => false;

/** The versions have no field in common, so a request of the other one would be taken for an empty one, and be lost. */
function otherVersion(actual: string, declared: string): RequestError {
  const what = `it holds a request of remote write ${actual}, and its Content-Type says ${declared}`;
  return new RequestError('invalid_protobuf', `the body is not a valid write request: ${what}`);
}
