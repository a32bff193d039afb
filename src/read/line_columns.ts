/**
 * The columns of lines in SQL, and how files of lines are read, in DuckDB's dialect, as pure strings.
 */

import { OBJECT_FIELDS, SAMPLE_COLUMNS } from '../record.ts';

export interface LineColumn {
  readonly name: string;
  readonly type: string;
}

/** A line's fields, the objects behind the plain ones. A field that is not projected is not read, so that they cost `samples` nothing. */
export const COLUMNS: readonly LineColumn[] = [
  ...Object.entries(SAMPLE_COLUMNS).map(([name, type]) => ({ name, type: duckdbType(type) })),
  ...Object.entries(OBJECT_FIELDS).map(([name, fields]) => ({ name, type: structType(fields) })),
];

/** The columns of compacted lines: those of `samples_raw`, but that `value` is a number; no two rows are the same. */
export const COMPACTED_COLUMNS: readonly LineColumn[] = [
  ...COLUMNS.map(({ name, type }) => ({ name, type: name === 'value' ? 'DOUBLE' : type })),
  { name: 'datehour', type: 'VARCHAR' },
];

/** The four folders above the file's name. DuckDB computes it from `filename` before it opens a file, and so opens only those that match. */
export const DATEHOUR = String.raw`regexp_extract(filename, '([0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{2})/[^/]*$', 1)`;

/** Reads JSON files, which `files` is a list of in SQL, as these columns and `filename`. */
export function readJson(files: string, columns: readonly LineColumn[] = COLUMNS): string {
  const fields = columns.map(({ name, type }) => `${identifier(name)}: ${quote(type)}`).join(', ');
  return (
    `read_json(${files}, columns = {${fields}}, filename = true, format = 'newline_delimited', records = true, ` +
    `compression = 'gzip', hive_partitioning = false)`
  );
}

/** Reads Parquet files, which `files` is a list of in SQL. Their folders are no columns. */
export function readParquet(files: string): string {
  return `read_parquet(${files}, hive_partitioning = false)`;
}

export function listOf(paths: readonly string[]): string {
  return `[${paths.map(quote).join(', ')}]::VARCHAR[]`;
}

export function identifier(name: string): string {
  return `"${name}"`;
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** DuckDB's name of a type that is named as Athena names it. */
function duckdbType(type: string): string {
  const [, item] = /^array<(.*)>$/.exec(type) ?? [];
  if (item !== undefined) return `${duckdbType(item)}[]`;
  switch (type) {
    case 'string':
      return 'VARCHAR';
    case 'bigint':
      return 'BIGINT';
    case 'boolean':
      return 'BOOLEAN';
    case 'map<string,string>':
      return 'MAP(VARCHAR, VARCHAR)';
    default:
      throw new TypeError(`no type of DuckDB for ${type}`);
  }
}

function structType(fields: Readonly<Record<string, string>>): string {
  const members = Object.entries(fields).map(([name, type]) => `${identifier(name)} ${duckdbType(type)}`);
  return `STRUCT(${members.join(', ')})`;
}
