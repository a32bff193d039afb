import type { Kernel } from '../kernel/kernel.ts';
import type { WireReader } from '../wire/protobuf.ts';
import type { Symbols } from '../wire/symbols.ts';
import type { LineList } from './line_list.ts';
import type { MetadataLines } from './metadata_lines.ts';
import { Tally } from './tally.ts';

export interface PlainSeriesParts {
  readonly kernel: Kernel;
  readonly reader: WireReader;
  readonly symbols: Symbols;
  readonly lines: LineList;
  readonly metadataLines: MetadataLines;
}

/** What the kernel takes at a time, in bytes of the request: between two pieces the event loop may have its turn. */
const PIECE_BYTES = 1024 * 1024;

/** Has the kernel write the series that are as nearly all are. */
export class PlainSeries {
  readonly #parts: PlainSeriesParts;
  #isInKernel = false;
  #maxLineBytes = 0;
  #tally = new Tally();

  constructor(parts: PlainSeriesParts) {
    this.#parts = parts;
  }

  /**
   * Gets ready for another request.
   *
   * @param isInKernel whether the kernel has it in its memory
   */
  reset(isInKernel: boolean, maxLineBytes: number, tally: Tally): void {
    this.#isInKernel = isInKernel;
    this.#maxLineBytes = maxLineBytes;
    this.#tally = tally;
  }

  /**
   * Reads the symbols of a remote write 2.0 request at whose start the reader is, as Symbols.tryRead does.
   *
   * @param maxSymbols past it the caller decides
   * @returns false where the caller has to read them
   */
  tryReadSymbols(maxSymbols: number): boolean {
    const { kernel, reader, symbols } = this.#parts;
    if (!this.#isInKernel) return false;
    const count = kernel.tryReadSymbols(reader.end, maxSymbols);
    this.#isInKernel = count >= 0;
    if (count >= 0) symbols.adopt(kernel.symbols, count);
    return count >= 0;
  }

  /**
   * Writes a piece of remote write 1.0 series from where the reader is, up to the first field that is something else.
   *
   * @returns whether there was one; if so, there may be more
   * @throws RequestError lines_too_large
   */
  writeV1(): boolean {
    const { kernel, reader, lines } = this.#parts;
    if (!this.#isInKernel || !lines.isInKernel || reader.pos === reader.end) return false;
    const from = reader.pos;
    reader.pos = kernel.writeSeriesV1(this.#options());
    if (reader.pos === from) return false;
    this.#tally.received.sample += lines.takeFromKernel();
    return true;
  }

  /** The same for remote write 2.0, with their metadata. A request of which the kernel has read the symbols has nothing but symbols and series. */
  writeV2(): boolean {
    const { kernel, reader, lines, metadataLines } = this.#parts;
    if (!this.#isInKernel || !lines.isInKernel || reader.pos === reader.end) return false;
    const start = reader.pos;
    reader.pos = kernel.writeSeriesV2(this.#options());
    if (reader.pos === start) return false;
    const { received, skipped } = this.#tally;
    const { skippedMetadata, metadata } = kernel;
    received.sample += lines.takeFromKernel();
    received.metadata += skippedMetadata;
    skipped.metadata += skippedMetadata;
    if (metadata) {
      received.metadata++;
      metadataLines.writeV2(metadata);
    }
    return true;
  }

  /** A piece has one series at least, however large. */
  #endOfPiece(): number {
    const { pos, end, bytes } = this.#parts.reader;
    if (end - pos <= PIECE_BYTES) return end;
    let at = pos + 1;
    let length = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return Math.min(end, Math.max(pos + PIECE_BYTES, at + length));
  }

  #options() {
    const { reader, lines } = this.#parts;
    const { pos, count } = lines.end;
    const from = reader.pos;
    const end = this.#endOfPiece();
    return { from, end, pos, count, maxLineBytes: this.#maxLineBytes, maxTimeMs: this.#tally.maxTimeMs ?? Infinity };
  }
}
