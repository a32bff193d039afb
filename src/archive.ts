/**
 * The archive's layout, shared by the directory sink that writes it and the readers. PURE.
 *
 *     <archive-dir>/YYYY/MM/DD/HH/<writer>-1-YYYY-MM-DD-HH-MM-SS-<id>.json.gz
 *     <archive-dir>/compacted/day=YYYY-MM-DD/run=<id>/lines-000.parquet
 *     <archive-dir>/compacted/manifest.json
 *
 * Folders are UTC hours of *arrival*, as Firehose's prefix `!{timestamp:yyyy/MM/dd/HH}/` makes them, so that
 * `aws s3 sync` turns a local archive into a bucket that the same SQL reads. A file is a row of gzip members, each holding whole
 * lines. While it is being written it carries OPEN_SUFFIX besides; what stands behind its last whole member was never acknowledged.
 */

export const FILE_SUFFIX = '.json.gz';
/** Added to the name of the file that is being written, or that a killed process left. */
export const OPEN_SUFFIX = '.open';

/** What compaction made of the lines, beside the hour folders. Of what lies in it only what the manifest names is part of the archive. */
export const COMPACTED_FOLDER = 'compacted';
export const MANIFEST_FILE = 'manifest.json';
export const PARQUET_SUFFIX = '.parquet';

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

/*
 * Compacted lines lie in a folder for each day of *samples*, which is not the day of arrival, as `day=…`, the partitions of Athena's table.
 * The day is a function of a line's time alone; times outside of what every reader can make a date of are together in one.
 */
export const DAY_MS = 86_400_000;
/** 2200-01-01. */
export const DAYS_END_MS = 7_258_118_400_000;
export const OTHER_DAY = 'other';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const RUN_FOLDER = /^day=([^/]+)\/run=([0-9A-Za-z-]+)$/;

/** The partition of a time in milliseconds since the epoch: its day in UTC, `2026-11-20`, or OTHER_DAY. */
export function sampleDay(timeMs: number): string {
  if (!(timeMs >= 0 && timeMs < DAYS_END_MS)) return OTHER_DAY;
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** The first millisecond of a partition that is a day; undefined for OTHER_DAY and for what is no partition. */
export function parseSampleDay(day: string): number | undefined {
  if (!DAY.test(day)) return undefined;
  const startMs = Date.parse(day);
  return sampleDay(startMs) === day ? startMs : undefined;
}

/** The folder below COMPACTED_FOLDER that one run writes a partition into. Its files are never changed. */
export function runFolder(day: string, run: string): string {
  return `day=${day}/run=${run}`;
}

/** The partition of a run's folder; undefined where the path is none. */
export function parseRunFolder(folder: string): string | undefined {
  const [, day] = RUN_FOLDER.exec(folder) ?? [];
  return day !== undefined && (day === OTHER_DAY || parseSampleDay(day) !== undefined) ? day : undefined;
}

/** The name of a run's `index`th file. */
export function linesFileName(index: number): string {
  return `lines-${String(index).padStart(3, '0')}${PARQUET_SUFFIX}`;
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
