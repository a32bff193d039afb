/**
 * The archive's layout, shared by the directory sink that writes it and the readers. PURE.
 *
 *     <archive-dir>/YYYY/MM/DD/HH/<writer>-1-YYYY-MM-DD-HH-MM-SS-<id>.json.gz
 *
 * Folders are UTC hours of *arrival*, as Firehose's prefix `!{timestamp:yyyy/MM/dd/HH}/` makes them, so that
 * `aws s3 sync` turns a local archive into a bucket that the same SQL reads. A file is a row of gzip members, each holding whole
 * lines. While it is being written it carries OPEN_SUFFIX besides; what stands behind its last whole member was never acknowledged.
 */

export const FILE_SUFFIX = '.json.gz';
/** Added to the name of the file that is being written, or that a killed process left. */
export const OPEN_SUFFIX = '.open';

const HOUR_MS = 3_600_000;
const HOUR_FOLDER = /^(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})$/;

/** The folder of an arrival time, `2026/11/20/10`; also the value of the column `datehour`. */
export function hourFolder(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 13).replace(/[-T]/g, '/');
}

/** The first millisecond of an hour folder, or undefined where the path is not one. */
export function parseHourFolder(folder: string): number | undefined {
  const parts = HOUR_FOLDER.exec(folder);
  if (!parts) return undefined;
  const startMs = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]), Number(parts[4]));
  return hourFolder(startMs) === folder ? startMs : undefined;
}

/** The end of the hour that a time lies in, in milliseconds since the epoch. */
export function endOfHour(timeMs: number): number {
  return (Math.floor(timeMs / HOUR_MS) + 1) * HOUR_MS;
}

/** The name of a new file, in Firehose's form. `id` makes it unique among writers and within a second. */
export function fileName(timeMs: number, id: string): string {
  const stamp = new Date(timeMs).toISOString().slice(0, 19).replace(/[T:]/g, '-');
  return `prometheus-1-${stamp}-${id}${FILE_SUFFIX}`;
}

/*
 * A member as this program writes it carries its own length, so that a reader finds the last whole member of a file without
 * inflating it. RFC 1952 §2.3.1.1: FLG.FEXTRA, XLEN, then one subfield SI1 SI2 LEN data.
 *
 *     1f 8b 08 | 04 | mtime 4 | xfl os | 08 00 | 'P' 'K' | 04 00 | length of the member, 4 bytes little-endian | deflate … crc32 isize
 */
const PLAIN_HEADER_BYTES = 10;
const FEXTRA = 4;
/** Bytes from a member's start to the end of its length. */
export const MEMBER_HEADER_BYTES = 20;
const EXTRA_FIELD = [8, 0, 0x50, 0x4b, 4, 0] as const;

/** Makes a member of a plain gzip stream (RFC 1952, no optional header fields) by adding its length. */
export function frameMember(gzip: Uint8Array): Uint8Array {
  if (gzip[0] !== 0x1f || gzip[1] !== 0x8b || gzip[3] !== 0) throw new TypeError('not a plain gzip stream');
  const member = new Uint8Array(gzip.length + MEMBER_HEADER_BYTES - PLAIN_HEADER_BYTES);
  member.set(gzip.subarray(0, PLAIN_HEADER_BYTES));
  member[3] = FEXTRA;
  member.set(EXTRA_FIELD, PLAIN_HEADER_BYTES);
  new DataView(member.buffer).setUint32(16, member.length, true);
  member.set(gzip.subarray(PLAIN_HEADER_BYTES), MEMBER_HEADER_BYTES);
  return member;
}

/**
 * The whole length in bytes of the member whose header starts at `offset`.
 *
 * @returns undefined where fewer than MEMBER_HEADER_BYTES are left or the bytes are no member's header
 */
export function memberLength(bytes: Uint8Array, offset = 0): number | undefined {
  if (offset + MEMBER_HEADER_BYTES > bytes.length) return undefined;
  if (bytes[offset] !== 0x1f || bytes[offset + 1] !== 0x8b || bytes[offset + 3] !== FEXTRA) return undefined;
  if (EXTRA_FIELD.some((byte, index) => bytes[offset + PLAIN_HEADER_BYTES + index] !== byte)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset + offset + 16, 4).getUint32(0, true);
  return length > MEMBER_HEADER_BYTES ? length : undefined;
}
