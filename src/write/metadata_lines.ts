import { messageOf, RequestError } from '../errors.ts';
import { MEMO_SLOTS, type SeriesMetadata } from '../kernel/kernel.ts';
import { METRIC_TYPES } from '../record.ts';
import { MetricMetadata } from '../wire/messages.ts';
import type { WireReader } from '../wire/protobuf.ts';
import type { Symbols } from '../wire/symbols.ts';
import type { LineList } from './line_list.ts';
import { LINE_BYTES } from './line_writer.ts';
import { tryWriteMetadata } from './kind_fields.ts';
import { explainMetadata, type SeriesProblem } from './problems.ts';
import { hashMetadata, METADATA_SLOTS, MetadataSet, type MetadataTexts } from './metadata_set.ts';
import { Tally } from './tally.ts';

export interface MetadataLinesParts {
  readonly reader: WireReader;
  /** What the series before had, MEMO_SLOTS each, by where the name is: in a request the series of a name share its symbol. */
  readonly memo: Int32Array;
  readonly symbols: Symbols;
  readonly lines: LineList;
  /** Metadata that need not be written again. */
  readonly seen: MetadataSet;
}

/** MetricMetadata as protobufjs gives it. */
interface DecodedMetadata {
  readonly type: number;
  readonly metricFamilyName: Uint8Array;
  readonly help: Uint8Array;
  readonly unit: Uint8Array;
}

/** No line has as many, and protobufjs would hold the event loop for long. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** So many bytes are compared in the time in which one is written. */
const COMPARED_BYTES = 8;

/** Writes metadata that is new or has changed, and counts the rest as skipped. */
export class MetadataLines {
  readonly #parts: MetadataLinesParts;
  /** The metadata at hand. */
  readonly #texts = {
    view: new DataView(new ArrayBuffer(0)) as DataView,
    offsets: new Int32Array(METADATA_SLOTS.count),
    type: 0,
  };
  /** What was written of the request. */
  #written: MetadataSet | undefined;
  #arrivedAtMs = 0;
  #tally = new Tally();

  constructor(parts: MetadataLinesParts) {
    this.#parts = parts;
  }

  /** Gets ready for the metadata of another request. */
  reset(arrivedAtMs: number, tally: Tally): void {
    this.#texts.view = this.#parts.reader.view;
    this.#arrivedAtMs = arrivedAtMs;
    this.#tally = tally;
    this.#written = undefined;
    this.#parts.memo.fill(-1);
  }

  /** What was written of the request, the caller's from now on; undefined when nothing was. */
  get written(): MetadataSet | undefined {
    return this.#written;
  }

  /**
   * Reads the remote write 1.0 MetricMetadata whose length is next, and writes it.
   *
   * @throws RequestError invalid_protobuf, lines_too_large
   */
  writeV1(): void {
    const { reader } = this.#parts;
    const stop = reader.lengthEnd();
    if (stop - reader.pos > MAX_MESSAGE_BYTES) {
      reader.pos = stop;
      this.#place(METADATA_SLOTS.name, 0, 0);
      this.#reject('oversize');
      return;
    }
    const { type, metricFamilyName, help, unit } = decodeMetadata(reader.bytes.subarray(reader.pos, stop));
    reader.pos = stop;
    this.#setType(type);
    this.#placeBytes(METADATA_SLOTS.name, metricFamilyName);
    this.#placeBytes(METADATA_SLOTS.help, help);
    this.#placeBytes(METADATA_SLOTS.unit, unit);
    if (metricFamilyName.length > 0 || this.#saysNothing()) this.#write();
    else this.#reject('no_metric_name');
  }

  /**
   * Writes the metadata of a remote write 2.0 series.
   *
   * @throws RequestError lines_too_large
   */
  writeV2({ nameAt, nameEnd, type, helpRef, unitRef }: SeriesMetadata): void {
    const { memo } = this.#parts;
    const slot = (nameAt * MEMO_SLOTS) % memo.length;
    if (memo[slot] === nameAt && memo[slot + 1] === type && memo[slot + 2] === helpRef && memo[slot + 3] === unitRef) {
      this.#tally.skipped.metadata++;
      return;
    }
    this.#setType(type);
    this.#place(METADATA_SLOTS.name, nameAt, nameEnd);
    if (!this.#tryPlaceSymbol(METADATA_SLOTS.help, helpRef) || !this.#tryPlaceSymbol(METADATA_SLOTS.unit, unitRef)) {
      this.#reject('invalid_refs');
      return;
    }
    if (!this.#write()) return;
    memo[slot] = nameAt;
    memo[slot + 1] = type;
    memo[slot + 2] = helpRef;
    memo[slot + 3] = unitRef;
  }

  /** A type that a later version of the protocol may know is unknown here. */
  #setType(type: number): void {
    this.#texts.type = METRIC_TYPES[type] === undefined ? 0 : type;
  }

  #place(slot: number, from: number, to: number): void {
    this.#texts.offsets[slot] = from;
    this.#texts.offsets[slot + 1] = to;
  }

  #placeBytes(slot: number, { byteOffset, length }: Uint8Array): void {
    const from = length === 0 ? 0 : byteOffset - this.#parts.reader.bytes.byteOffset;
    this.#place(slot, from, from + length);
  }

  /** Symbol 0 is the empty string, also where there are no symbols. */
  #tryPlaceSymbol(slot: number, ref: number): boolean {
    const { symbols } = this.#parts;
    if (ref === 0) this.#place(slot, 0, 0);
    else if (ref >= symbols.count) return false;
    else this.#place(slot, symbols.startOf(ref), symbols.endOf(ref));
    return true;
  }

  #saysNothing(): boolean {
    const { type, offsets } = this.#texts;
    const isEmpty = (slot: number) => offsets[slot] === offsets[slot + 1];
    return type === 0 && isEmpty(METADATA_SLOTS.help) && isEmpty(METADATA_SLOTS.unit);
  }

  /** Writes what is new; false when it is rejected. */
  #write(): boolean {
    const { lines, seen } = this.#parts;
    const texts = this.#texts;

    if (this.#saysNothing() || seen.isNext(texts, this.#arrivedAtMs)) return this.#skip();
    const hash = hashMetadata(texts);
    const isKnown = [seen, this.#written].some((set) => set?.has(texts, hash, this.#arrivedAtMs));
    if (isKnown) return this.#skip();
    const mark = lines.end;
    const problem = this.#tryWriteLine() ? undefined : 'invalid_utf8';
    if (problem === undefined && lines.tryEnd(mark.pos, hash)) {
      lines.counts.metadata++;
      this.#written ??= new MetadataSet();
      this.#written.add(texts, hash, this.#arrivedAtMs);
      return true;
    }
    lines.rollBack(mark);
    this.#reject(problem ?? 'oversize');
    return false;
  }

  #skip(): true {
    this.#parts.lines.discard(sizeOf(this.#texts) / COMPARED_BYTES);
    this.#tally.skipped.metadata++;
    return true;
  }

  /** Writes the line; false, with some of it written, when a text is not valid UTF-8. */
  #tryWriteLine(): boolean {
    const { writer } = this.#parts.lines;
    const texts = this.#texts;
    writer.reserve(LINE_BYTES + sizeOf(texts));
    if (!writer.writeName(texts.offsets, METADATA_SLOTS.name, 'metadata')) return false;
    writer.reserve(LINE_BYTES + sizeOf(texts));
    writer.writeAscii(String(this.#arrivedAtMs));
    return tryWriteMetadata(writer, texts);
  }

  #reject(problem: SeriesProblem): void {
    const { bytes } = this.#parts.reader;
    const { offsets } = this.#texts;
    const { name } = METADATA_SLOTS;
    this.#tally.reject(problem, 1, () => explainMetadata(problem, bytes.subarray(offsets[name], offsets[name + 1])));
  }
}

function sizeOf({ offsets }: MetadataTexts): number {
  let size = 0;
  for (let slot = 0; slot < offsets.length; slot += 2) size += offsets[slot + 1]! - offsets[slot]!;
  return size;
}

function decodeMetadata(message: Uint8Array): DecodedMetadata {
  try {
    return MetricMetadata.decode(message) as unknown as DecodedMetadata;
  } catch (error) {
    throw new RequestError(
      'invalid_protobuf',
      `the body is not a valid write request: MetricMetadata: ${messageOf(error)}`,
    );
  }
}
