/**
 * The hot loops, from a compressed body to the bytes of lines, in WebAssembly: AssemblyScript, https://www.assemblyscript.org. What they do not take is left
 * to the TypeScript in src/, which does all of it by itself, and which the tests hold them to. `npm run generate` compiles them.
 */
import { count, out, startLines } from './lines';
import * as regions from './memory';
import { LINES, REGISTERS } from './memory';
import { fillDigits } from './numbers';
import { fillPieces } from './pieces';
import { writeSeriesV1 as writeAllV1 } from './series_v1';
import { skippedMetadata, writeSeriesV2 as writeAllV2 } from './series_v2';

export { limitLabels } from './lines';
export { decodeSnappy } from './snappy';
export { readSymbols } from './symbols';

/** Makes everything ready. Once, before anything else. Returns where the registers are, which tell where each region is and how large. */
export function start(): usize {
  regions.take();
  fillDigits();
  fillPieces();
  store<u32>(REGISTERS, <u32>regions.BODY);
  store<u32>(REGISTERS, <u32>regions.BODY_BYTES, 4);
  store<u32>(REGISTERS, <u32>regions.REQUEST, 8);
  store<u32>(REGISTERS, <u32>regions.REQUEST_BYTES, 12);
  store<u32>(REGISTERS, <u32>regions.LINES, 16);
  store<u32>(REGISTERS, <u32>regions.LINES_BYTES, 20);
  store<u32>(REGISTERS, <u32>regions.ENDS, 24);
  store<u32>(REGISTERS, <u32>regions.HASHES, 28);
  store<u32>(REGISTERS, <u32>regions.MAX_LINES, 32);
  store<u32>(REGISTERS, <u32>regions.SYMBOLS, 36);
  store<u32>(REGISTERS, <u32>regions.MAX_SYMBOLS, 40);
  store<u32>(REGISTERS, <u32>regions.MEMO, 44);
  store<u32>(REGISTERS, <u32>regions.MEMO_ENTRIES, 48);
  return REGISTERS;
}

/** See series_v1.ts. The registers then have the end of the lines and their count. */
export function writeSeriesV1(
  from: usize,
  end: usize,
  pos: usize,
  lines: usize,
  maxLineBytes: usize,
  maxTimeMs: f64,
): usize {
  startLines(pos, lines, maxLineBytes, maxTimeMs);
  const stop = writeAllV1(from, end);
  tellLines();
  return stop;
}

/** See series_v2.ts. The registers have the same, then what was skipped of metadata, then what is new. */
export function writeSeriesV2(
  from: usize,
  end: usize,
  pos: usize,
  lines: usize,
  maxLineBytes: usize,
  maxTimeMs: f64,
): usize {
  startLines(pos, lines, maxLineBytes, maxTimeMs);
  const stop = writeAllV2(from, end);
  tellLines();
  store<u32>(REGISTERS, skippedMetadata, 8);
  return stop;
}

function tellLines(): void {
  store<u32>(REGISTERS, <u32>(out - LINES));
  store<u32>(REGISTERS, <u32>count, 4);
}
