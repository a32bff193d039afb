/**
 * The SQL of `samples_raw` and `samples` in DuckDB's dialect, as pure strings. docs/record.md says what they mean.
 */

import { SAMPLE_COLUMNS } from '../record.ts';
import type { TimeRange } from './query_options.ts';

const DUCKDB_TYPES = {
  string: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  'map<string,string>': 'MAP(VARCHAR, VARCHAR)',
} as const satisfies Record<(typeof SAMPLE_COLUMNS)[keyof typeof SAMPLE_COLUMNS], string>;

const COLUMNS = Object.entries(SAMPLE_COLUMNS).map(([name, type]) => ({ name, type: DUCKDB_TYPES[type] }));

/** Holds the paths of the files, so that no statement, and no message of the engine, has to carry thousands of them. */
const FILES_VARIABLE = 'archive_files';

/** The four folders above the file's name. DuckDB computes it from `filename` before it opens a file, and so opens only those that match. */
const DATEHOUR = String.raw`regexp_extract(filename, '([0-9]{4}/[0-9]{2}/[0-9]{2}/[0-9]{2})/[^/]*$', 1)`;

/** The statements that make both views, and the macro `element_at` that Athena has built in. */
export function createViews(paths: readonly string[], range: TimeRange): string[] {
  return [
    `SET VARIABLE ${FILES_VARIABLE} = [${paths.map(quote).join(', ')}]::VARCHAR[]`,
    `CREATE VIEW samples_raw AS ${paths.length === 0 ? noLines() : lines(range)}`,
    `CREATE VIEW samples AS ${samples()}`,
    // Trino throws on map['absent'], so published SQL says element_at; DuckDB's own of this name answers a list.
    'CREATE MACRO element_at(map, key) AS map[key]',
  ];
}

/** Reads one file to its end, which fails when it is damaged. */
export function readThrough(path: string): string {
  return `SELECT count(*) FROM ${readJson(`[${quote(path)}]`)}`;
}

/**
 * A row a line: the line's fields in their order, then the folder. A field that the line does not have is NULL (`kind` of a sample, for
 * one); `value` is the line's own text, of any JSON number or string.
 */
function lines(range: TimeRange): string {
  const names = COLUMNS.map(({ name }) => identifier(name)).join(', ');
  return `SELECT ${names}, ${DATEHOUR} AS datehour FROM ${readJson(`getvariable('${FILES_VARIABLE}')`)}${where(range)}`;
}

/** Of an empty archive; DuckDB does not read an empty list of files. */
function noLines(): string {
  const nulls = COLUMNS.map(({ name, type }) => `NULL::${type} AS ${identifier(name)}`).join(', ');
  return `SELECT ${nulls}, NULL::VARCHAR AS datehour WHERE false`;
}

function readJson(files: string): string {
  const columns = COLUMNS.map(({ name, type }) => `${identifier(name)}: '${type}'`).join(', ');
  return (
    `read_json(${files}, columns = {${columns}}, filename = true, format = 'newline_delimited', records = true, ` +
    `compression = 'gzip', hive_partitioning = false)`
  );
}

function where({ fromMs, toMs }: TimeRange): string {
  const conditions = [
    ...(fromMs === undefined ? [] : [`"time" >= ${fromMs}`]),
    ...(toMs === undefined ? [] : [`"time" < ${toMs}`]),
  ];
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/**
 * Samples without stale markers and duplicates. `datehour` belongs to what makes a row distinct, because only so a predicate on it reaches
 * the files. `ts` follows from `time`, so it stays out of the DISTINCT, whose memory it would cost; TRY makes it NULL where a time is
 * beyond what a TIMESTAMP holds.
 */
function samples(): string {
  return (
    'SELECT "name", "time", TRY(epoch_ms("time")) AS ts, "value", labels, datehour FROM (' +
    'SELECT DISTINCT "name", "time", CAST("value" AS DOUBLE) AS "value", labels, datehour FROM samples_raw ' +
    'WHERE kind IS NULL AND stale IS NOT TRUE)'
  );
}

function identifier(name: string): string {
  return `"${name}"`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
