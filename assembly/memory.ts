/*
 * The kernel's memory: a page of tables, then regions of fixed size, each with some bytes behind it that may be read and written along with it: texts
 * are moved 16 bytes at a time. Nothing here grows and nothing is freed; src/kernel/kernel.ts looks at the same regions.
 */

const SPARE_BYTES: usize = 64;

const TABLES: usize = memory.data(20 * 1024, 16);
/** What a call returns besides its result; see src/kernel/kernel.ts. */
export const REGISTERS: usize = TABLES;
/** The digits of each number below 1,000 with leading zeros, as a word; see numbers.ts. */
export const THREE_DIGITS: usize = TABLES + 64;
/** The same without leading zeros; the top byte counts them. */
export const LEADING_DIGITS: usize = THREE_DIGITS + 4 * 1000;
/** The pieces that are the same in every line; see pieces.ts. */
export const PIECES: usize = LEADING_DIGITS + 4 * 1000;
/** The time that was written last, as text. */
export const TIME_TEXT: usize = PIECES + 32 * 16;
/** The labels of the series at hand, LABEL_BYTES each. */
export const LABELS: usize = TIME_TEXT + 32;
export const LABEL_BYTES: usize = 24;
export const MAX_LABELS: usize = 128;

export const BODY_BYTES: usize = 8 * 1024 * 1024;
export const REQUEST_BYTES: usize = 8 * 1024 * 1024;
export const LINES_BYTES: usize = 16 * 1024 * 1024;
export const MAX_LINES: usize = 128 * 1024;
export const MAX_SYMBOLS: usize = 64 * 1024;
export const SYMBOL_BYTES: usize = 16;
export const MEMO_ENTRIES: usize = 2048;
export const MEMO_BYTES: usize = 16;

/** Behind all that the compiler has laid down. */
const REGIONS: usize = (__heap_base + 15) & ~15;
/** A compressed request. */
export const BODY: usize = REGIONS;
/** A request, decompressed. */
export const REQUEST: usize = BODY + BODY_BYTES + SPARE_BYTES;
/** The lines of a request, then where each of them ends, then a hash of its series. */
export const LINES: usize = REQUEST + REQUEST_BYTES + SPARE_BYTES;
export const ENDS: usize = LINES + LINES_BYTES + SPARE_BYTES;
export const HASHES: usize = ENDS + 4 * MAX_LINES;
/** The symbols of a remote write 2.0 request; see symbols.ts. */
export const SYMBOLS: usize = HASHES + 4 * MAX_LINES;
/** What is known of the metadata of the series before; see series_v2.ts. */
export const MEMO: usize = SYMBOLS + SYMBOL_BYTES * MAX_SYMBOLS;
const END: usize = MEMO + MEMO_BYTES * MEMO_ENTRIES;

/** Takes the memory. Once, before anything else. */
export function take(): void {
  memory.grow(<i32>((END + 0xffff) >>> 16) - memory.size());
}
