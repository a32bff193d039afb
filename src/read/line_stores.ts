/**
 * The SQL of what compaction knows of lines, in DuckDB's dialect, as pure strings.
 *
 * Lines are compacted by stores. A sample, which is nearly every line, is narrow there: the id of its series, and some numbers. What else there
 * is, rare and wide, is whole.
 */

import { DAY_MS, DAYS_END_MS } from '../archive.ts';
import { COMPACTED_COLUMNS, identifier, type LineColumn } from './line_columns.ts';
import type { StoreName } from './manifest.ts';

export interface LineStore {
  readonly name: StoreName;
  /** Which lines are its own, where `value` is a number. */
  readonly condition: string;
  /** What a line has besides its series and its hour of arrival; the other columns of a line are NULL. */
  readonly columns: readonly LineColumn[];
  /** Columns that do not tell lines apart, by the aggregate that chooses among those of copies. */
  readonly merged: Readonly<Record<string, 'min' | 'max'>>;
  /** So many lines are sorted and written at once, unless a single series has more: a file of Parquet. */
  readonly lotLines: number;
}

const OBJECTS = ['histogram', 'exemplar', 'metadata'];
const IS_SAMPLE = `(${['kind', ...OBJECTS].map((name) => `${identifier(name)} IS NULL`).join(' AND ')})`;
const IS_MINUS_ZERO = `coalesce("value" = 0 AND signbit("value"), false)`;

const SAMPLES: LineStore = {
  name: 'samples',
  condition: `${IS_SAMPLE} AND NOT ${IS_MINUS_ZERO}`,
  columns: columnsBut('name', 'labels', 'datehour', 'kind', ...OBJECTS),
  // As on Athena (athena/compaction/write.sql): the view `samples` does not have them, and would show a sample twice.
  merged: { start: 'max', bits: 'min' },
  // Some 8 MiB of Parquet, 15 files of 10,000 series' day. Sorting them spills with 1 GiB of memory, at no loss that could be measured.
  lotLines: 4_000_000,
};

const MINUS_ZEROS: LineStore = { ...SAMPLES, name: 'minusZeros', condition: `${IS_SAMPLE} AND ${IS_MINUS_ZERO}` };

const OTHERS: LineStore = {
  name: 'others',
  condition: `NOT ${IS_SAMPLE}`,
  columns: columnsBut('name', 'labels', 'datehour'),
  merged: {},
  // A native histogram takes a hundred times what a sample does.
  lotLines: 200_000,
};

export const LINE_STORES: readonly LineStore[] = [SAMPLES, MINUS_ZEROS, OTHERS];

/** What tells lines of one series apart. */
export function identityOf({ columns, merged }: LineStore): string {
  return columns
    .map(({ name }) => name)
    .filter((name) => !(name in merged))
    .map(identifier)
    .join(', ');
}

/**
 * The checksum of lines is the sum over them of a hash of the series, below 2^31, times a hash of the rest, below 2^32. So that of all lines of
 * a series is the product of the one with the sum of the other, and it makes no difference in which order, or from where, they are read.
 */
export function lineHash({ columns }: LineStore): string {
  // SQL takes −0 and 0 for equal.
  const all = [...columns.map(({ name }) => identifier(name)), 'signbit("value")'];
  return `(hash(${all.join(', ')}) % 4294967296::UBIGINT)`;
}

export const SERIES_HASH = '(hash("name", labels) % 2147483648::UBIGINT)';

/** A folder's hour as a number that is ordered as hours are: 2026112010. */
export function hourNumber(datehour: string): string {
  return `CAST(replace(${datehour}, '/', '') AS BIGINT)`;
}

/** The reverse of it. */
function hourText(hour: string): string {
  const digits = (from: number, length: number) => `substr(CAST(${hour} AS VARCHAR), ${from}, ${length})`;
  return [digits(1, 4), digits(5, 2), digits(7, 2), digits(9, 2)].join(` || '/' || `);
}

/** The day of a sample as days since the epoch; NULL for those that are together in one partition. */
export const DAY_NUMBER = `CASE WHEN "time" >= 0 AND "time" < ${DAYS_END_MS} THEN "time" // ${DAY_MS} END`;

/** Whether a time lies in the partition of such a day. */
export function isInDay(day: bigint | null, time = '"time"'): string {
  if (day === null) return `(${time} >= 0 AND ${time} < ${DAYS_END_MS}) IS NOT TRUE`;
  const startMs = day * BigInt(DAY_MS);
  return `${time} >= ${startMs} AND ${time} < ${startMs + BigInt(DAY_MS)}`;
}

/** The columns of a compacted line, of a row that has the store's columns, the series' name and labels, and the number of the hour. */
export function compactedRow({ columns }: LineStore): string {
  const own = new Set(['name', 'labels', ...columns.map(({ name }) => name)]);
  const expression = ({ name, type }: LineColumn) => {
    if (name === 'datehour') return hourText('hour');
    return own.has(name) ? identifier(name) : `NULL::${type}`;
  };
  return COMPACTED_COLUMNS.map((column) => `${expression(column)} AS ${identifier(column.name)}`).join(', ');
}

function columnsBut(...left: readonly string[]): LineColumn[] {
  return COMPACTED_COLUMNS.filter(({ name }) => !left.includes(name));
}
