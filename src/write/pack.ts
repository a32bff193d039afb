import { countRecords, spanBytes, type Batch, type Rejected, type SinkLimits, type Span } from '../sinks/sink.ts';
import type { Room } from './batch.ts';
import type { BufferPool } from '../buffer_pool.ts';
import { gzipParts, lengthOf } from '../gzip.ts';

/**
 * What one record of a stream holds: one line, many lines, or many lines as one gzip member. Firehose puts records behind each other byte by byte, so that
 * all three are the same lines in S3.
 */
export type Packing = 'none' | 'lines' | 'gzip';

/** What became of the lines of a call. */
export interface Verdicts<LineSpan> {
  readonly accepted: readonly LineSpan[];
  readonly rejected: readonly { readonly spans: readonly LineSpan[]; readonly rejection: Rejected }[];
}

/** Lines as the records of a call. */
export interface Packed<LineSpan> {
  readonly batch: Batch;
  /** @param rejected the records that were not taken, ascending by index */
  readonly sort: (rejected: readonly Rejected[]) => Verdicts<LineSpan>;
}

/** Makes records of lines. */
export interface Packer {
  /** Whether waiting for more lines makes fewer records, so that it is worth the flush interval even when nobody else is being read. */
  readonly gainsByWaiting: boolean;
  /** The longest line that makes a record, in bytes. */
  readonly maxLineBytes: number;
  /** What is worth a call at once, and what is packed together: the lines of one record, or those of a call where each is a record. */
  readonly fill: Room;
  /** How much a call holds of what is packed together, by number and by bytes of lines. */
  readonly perCall: { readonly fills: number; readonly bytes: number };

  /** Makes the records, at once where nothing is compressed. `fills` is the lines that are packed together, for one call. */
  pack<LineSpan extends Span>(fills: readonly (readonly LineSpan[])[]): Packed<LineSpan> | Promise<Packed<LineSpan>>;
}

export interface PackerOptions {
  readonly packing: Packing;
  /** What a packed record aims at, in bytes, with its partition key. */
  readonly recordBytes: number;
  readonly limits: SinkLimits;
  /** For what is only needed until it is compressed. */
  readonly pool: BufferPool;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

export function createPacker(options: PackerOptions): Packer {
  switch (options.packing) {
    case 'none':
      return new LinePerRecord(options.limits);
    case 'lines':
      return new RecordPacker(options, { join: (parts) => Promise.resolve(joinAnew(parts)), firstRatio: 1 });
    case 'gzip':
      return new RecordPacker(options, {
        join: (parts) => gzipParts(parts, { pool: options.pool, expectedBytes: EXPECTED_SHARE * options.recordBytes }),
        firstRatio: FIRST_RATIO,
      });
  }
}

/** Of node_exporter's lines; only the first records are filled by it. */
const FIRST_RATIO = 10;
/** The share of the record that the expected compression fills: a record a little over its size costs a whole unit more. */
const FILL_SHARE = 0.94;
/** A record that is over its size is hardly ever more than this. */
const EXPECTED_SHARE = 1.2;
/** The weight of the newest record in the running ratio. */
const RATIO_WEIGHT = 0.2;
/** What gzip adds at most to what does not compress: stored blocks' headers, its own header and trailer. */
const GZIP_OVERHEAD_BYTES = 1_024;

class LinePerRecord implements Packer {
  readonly gainsByWaiting = false;
  readonly maxLineBytes: number;
  readonly fill: Room;
  readonly perCall: Packer['perCall'];

  constructor({ maxRecordsPerCall, maxBytesPerCall, overheadBytesPerRecord, maxRecordBytes }: SinkLimits) {
    this.maxLineBytes = maxRecordBytes;
    this.fill = { lines: maxRecordsPerCall, bytes: maxBytesPerCall, overheadBytesPerLine: overheadBytesPerRecord };
    this.perCall = { fills: 1, bytes: maxBytesPerCall };
  }

  pack<LineSpan extends Span>(fills: readonly (readonly LineSpan[])[]): Packed<LineSpan> {
    const spans = fills.flat();
    return { batch: spans, sort: (rejected) => sortLines(spans, rejected) };
  }
}

interface Compression {
  /** Makes one record's bytes of the parts. */
  readonly join: (parts: readonly Uint8Array[]) => Promise<Uint8Array>;
  /** Bytes of lines to bytes of a record, before any was made. */
  readonly firstRatio: number;
}

class RecordPacker implements Packer {
  readonly gainsByWaiting = true;
  readonly maxLineBytes: number;
  readonly perCall: Packer['perCall'];
  readonly #options: PackerOptions;
  readonly #compression: Compression;
  #ratio: number;

  constructor(options: PackerOptions, compression: Compression) {
    const { maxRecordsPerCall, maxBytesPerCall, overheadBytesPerRecord, maxRecordBytes } = options.limits;
    this.#options = options;
    this.#compression = compression;
    this.#ratio = compression.firstRatio;
    this.maxLineBytes = maxRecordBytes - GZIP_OVERHEAD_BYTES;
    // By what the lines take if they do not compress at all.
    const overheadBytes = maxRecordsPerCall * (overheadBytesPerRecord + GZIP_OVERHEAD_BYTES);
    this.perCall = { fills: maxRecordsPerCall, bytes: maxBytesPerCall - overheadBytes };
  }

  get fill(): Room {
    const { recordBytes, limits } = this.#options;
    const payload = recordBytes - limits.overheadBytesPerRecord;
    const bytes = this.#ratio === 1 ? payload : Math.floor(payload * this.#ratio * FILL_SHARE);
    return { lines: Infinity, bytes: Math.min(bytes, this.maxLineBytes), overheadBytesPerLine: 0 };
  }

  async pack<LineSpan extends Span>(fills: readonly (readonly LineSpan[])[]): Promise<Packed<LineSpan>> {
    const batch = await Promise.all(fills.map((spans) => this.#packRecord(spans)));
    return { batch, sort: (rejected) => sortRecords(fills, rejected) };
  }

  async #packRecord(spans: readonly Span[]): Promise<Span> {
    const parts = spans.map(spanBytes);
    const bytes = await this.#compression.join(parts);
    const { firstRatio } = this.#compression;
    if (firstRatio !== 1) this.#ratio += RATIO_WEIGHT * (lengthOf(parts) / bytes.length - this.#ratio);
    const hash = Math.floor(this.#options.random() * 2 ** 32);
    return { lines: { bytes, ends: Uint32Array.of(bytes.length), hashes: Uint32Array.of(hash) }, from: 0, to: 1 };
  }
}

function joinAnew(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Where each line is a record: what was accepted is runs of lines between those that were not. */
export function sortLines<LineSpan extends Span>(
  spans: readonly LineSpan[],
  all: readonly Rejected[],
): Verdicts<LineSpan> {
  const accepted: LineSpan[] = [];
  const rejected: { spans: LineSpan[]; rejection: Rejected }[] = [];
  let next = 0;
  let offset = 0;
  for (const span of spans) {
    const count = span.to - span.from;
    let from = span.from;
    for (; next < all.length && all[next]!.index < offset + count; next++) {
      const line = span.from + all[next]!.index - offset;
      if (line > from) accepted.push({ ...span, from, to: line });
      rejected.push({ spans: [{ ...span, from: line, to: line + 1 }], rejection: all[next]! });
      from = line + 1;
    }
    if (span.to > from) accepted.push({ ...span, from, to: span.to });
    offset += count;
  }
  return { accepted, rejected };
}

function sortRecords<LineSpan extends Span>(
  contents: readonly (readonly LineSpan[])[],
  all: readonly Rejected[],
): Verdicts<LineSpan> {
  const rejections = new Map(all.map((rejection) => [rejection.index, rejection]));
  return {
    accepted: contents.flatMap((spans, index) => (rejections.has(index) ? [] : spans)),
    rejected: all.map((rejection) => ({ spans: contents[rejection.index]!, rejection })),
  };
}

/** Cuts a call in two halves, for finding the record that the sink refuses. */
export function halve<LineSpan extends Span>(spans: readonly LineSpan[]): [LineSpan[], LineSpan[]] {
  let left = Math.ceil(countRecords(spans) / 2);
  const halves: [LineSpan[], LineSpan[]] = [[], []];
  for (const span of spans) {
    const middle = span.from + Math.min(left, span.to - span.from);
    if (middle > span.from) halves[0].push({ ...span, to: middle });
    if (middle < span.to) halves[1].push({ ...span, from: middle });
    left -= middle - span.from;
  }
  return halves;
}
