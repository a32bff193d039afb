/**
 * The SQL of the views in DuckDB's dialect, as pure strings. docs/record.md says what they mean.
 */

import { PARQUET_SUFFIX } from '../archive.ts';
import { HISTOGRAM_MACROS } from './histogram_macros.ts';
import {
  COLUMNS,
  COMPACTED_COLUMNS,
  DATEHOUR,
  identifier,
  listOf,
  quote,
  readJson,
  readParquet,
  type LineColumn,
} from './line_columns.ts';
import type { TimeRange } from './query_options.ts';
import { TRINO_FUNCTIONS } from './trino_functions.ts';

/** Hold the paths of the files, so that no statement, and no message of the engine, has to carry thousands of them. */
const JSON_FILES = 'json_files';
const PARQUET_FILES = 'parquet_files';
const METADATA_FILES = 'metadata_files';

/**
 * NULL outside of the years 1 to 9999, which is what a TIMESTAMP holds everywhere. The condition stands within: DuckDB 1.5 computes the
 * result of a CASE for rows that are not its own where a Parquet file holds one value only, and a time that is no TIMESTAMP ends the query.
 */
const TS = 'epoch_ms(CASE WHEN "time" BETWEEN -62135596800000 AND 253402300799999 THEN "time" END) AS ts';

/** The files of an archive, each line in one of them only (but for copies, which delivery at least once makes). */
export interface ArchivePaths {
  /** Lines as they came, below their hour folders. */
  readonly json: readonly string[];
  /** Compacted lines, with the columns of {@link COMPACTED_COLUMNS}. */
  readonly parquet: readonly string[];
  /** Those compacted lines that metadata is looked for in; all that there are unless told. */
  readonly metadata?: CompactedMetadata;
}

/** Metadata has no time of its own, so that it is chosen by its arrival: by files, and by hours within them. */
export interface CompactedMetadata {
  readonly parquet: readonly string[];
  /** The earliest hour of arrival, as `datehour`. */
  readonly fromHour: string;
}

/** The statements that make the views, the macros over histograms, and functions that Athena has built in. */
export function createViews({ json, parquet, metadata }: ArchivePaths, range: TimeRange): string[] {
  const { parquet: metadataParquet, fromHour } = metadata ?? { parquet, fromHour: '' };
  const ofMetadata = [
    jsonLines(json, ALL_TIMES),
    parquetLines(METADATA_FILES, metadataParquet, [`datehour >= ${quote(fromHour)}`]),
  ];
  return [
    // Before the view that calls one of them.
    ...HISTOGRAM_MACROS,
    `SET VARIABLE ${JSON_FILES} = ${listOf(json)}`,
    `SET VARIABLE ${PARQUET_FILES} = ${listOf(parquet)}`,
    `SET VARIABLE ${METADATA_FILES} = ${listOf(metadataParquet)}`,
    `CREATE VIEW _json_lines AS ${jsonLines(json, range)}`,
    `CREATE VIEW _parquet_lines AS ${parquetLines(PARQUET_FILES, parquet, timesOf(range))}`,
    `CREATE VIEW samples_raw AS ${samplesRaw()}`,
    `CREATE VIEW samples AS ${samples()}`,
    `CREATE VIEW histograms AS ${histograms()}`,
    `CREATE VIEW exemplars AS ${exemplars()}`,
    // Metadata tells what series mean, and is written once an hour: cut to the times of the samples it would be missing.
    `CREATE VIEW metadata AS ${metadataOf(ofMetadata)}`,
    ...TRINO_FUNCTIONS,
  ];
}

const ALL_TIMES: TimeRange = { fromMs: undefined, toMs: undefined };

/** Reads one file to its end, which fails when it is damaged. */
export function readThrough(path: string): string {
  const file = `[${quote(path)}]`;
  if (!path.endsWith(PARQUET_SUFFIX)) return `SELECT count(*) FROM ${readJson(file)}`;
  return `SELECT count(hash(COLUMNS(*))) FROM ${readParquet(file)}`;
}

/**
 * A row a line: the line's fields, then the folder. A field that the line does not have is NULL (`kind` of a sample, for one); `value` is
 * the line's own text, of any JSON number or string.
 */
function jsonLines(paths: readonly string[], range: TimeRange): string {
  if (paths.length === 0) return noLines([...COLUMNS, { name: 'datehour', type: 'VARCHAR' }]);
  const names = COLUMNS.map(({ name }) => identifier(name)).join(', ');
  return `SELECT ${names}, ${DATEHOUR} AS datehour FROM ${readJson(`getvariable('${JSON_FILES}')`)}${where(timesOf(range))}`;
}

function parquetLines(variable: string, paths: readonly string[], conditions: readonly string[]): string {
  if (paths.length === 0) return noLines(COMPACTED_COLUMNS);
  const names = COMPACTED_COLUMNS.map(({ name }) => identifier(name)).join(', ');
  return `SELECT ${names} FROM ${readParquet(`getvariable('${variable}')`)}${where(conditions)}`;
}

/** DuckDB does not read an empty list of files. */
function noLines(columns: readonly LineColumn[]): string {
  return `SELECT ${columns.map(({ name, type }) => `NULL::${type} AS ${identifier(name)}`).join(', ')} WHERE false`;
}

function timesOf({ fromMs, toMs }: TimeRange): string[] {
  return [
    ...(fromMs === undefined ? [] : [`"time" >= ${fromMs}`]),
    ...(toMs === undefined ? [] : [`"time" < ${toMs}`]),
  ];
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

/** Of a compacted sample `value` is the number's text as DuckDB writes it, with the words that a line has for what is no number. */
function samplesRaw(): string {
  const names = COMPACTED_COLUMNS.map(({ name }) => identifier(name));
  const value = `
      CASE WHEN isnan("value") THEN 'NaN' WHEN isinf("value") THEN replace(CAST("value" AS VARCHAR), 'inf', 'Infinity')
        ELSE CAST("value" AS VARCHAR) END AS "value"`;
  return `
    SELECT ${names.join(', ')} FROM _json_lines
    UNION ALL
    SELECT ${names.map((name) => (name === '"value"' ? value : name)).join(', ')} FROM _parquet_lines`;
}

/**
 * Samples without stale markers and duplicates. `datehour` belongs to what makes a row distinct, because only so a predicate on it reaches
 * the files. `ts` follows from `time`, so it stays out of the DISTINCT, whose memory it would cost. Of compacted lines none is a duplicate,
 * and none is in a JSON file that is read.
 */
function samples(): string {
  return `
    SELECT "name", "time", ${TS}, "value", labels, datehour
    FROM (
      SELECT DISTINCT "name", "time", CAST("value" AS DOUBLE) AS "value", labels, datehour
      FROM _json_lines
      WHERE kind IS NULL AND stale IS NOT TRUE
      UNION ALL
      SELECT "name", "time", "value", labels, datehour
      FROM _parquet_lines
      WHERE kind IS NULL AND stale IS NOT TRUE
    )`;
}

/**
 * Native histograms, distinct as samples are. What is computed from the object stands outside of the DISTINCT, so that it costs only those
 * who ask for it.
 */
function histograms(): string {
  const buckets = (side: string) => `
      CASE histogram.type
        WHEN 'integer' THEN CAST(_histogram_running_sums(histogram.${side}_deltas) AS DOUBLE[])
        ELSE CAST(histogram.${side}_counts AS DOUBLE[])
      END AS ${side}_buckets`;
  return `
    SELECT "name", "time", ${TS}, "start",
      histogram.type AS "type",
      CAST(histogram.count AS DOUBLE) AS "count",
      CASE histogram.type WHEN 'integer' THEN CAST(histogram.count AS DECIMAL(20, 0)) END AS count_int,
      CAST(histogram.sum AS DOUBLE) AS "sum",
      histogram.schema AS "schema",
      CAST(histogram.zero_threshold AS DOUBLE) AS zero_threshold,
      CAST(histogram.zero_count AS DOUBLE) AS zero_count,
      histogram.positive_spans AS positive_spans,${buckets('positive')},
      histogram.negative_spans AS negative_spans,${buckets('negative')},
      CAST(histogram.custom_values AS DOUBLE[]) AS custom_values,
      histogram.reset_hint AS reset_hint,
      labels, datehour
    FROM (
      SELECT DISTINCT "name", "time", "start", histogram, labels, datehour
      FROM _json_lines
      WHERE kind = 'histogram' AND histogram.stale IS NOT TRUE
      UNION ALL
      SELECT "name", "time", "start", histogram, labels, datehour
      FROM _parquet_lines
      WHERE kind = 'histogram' AND histogram.stale IS NOT TRUE
    )`;
}

/** DISTINCT over all: compacted exemplars that differ in the bits of a NaN are two. */
function exemplars(): string {
  return `
    SELECT "name", "time", ${TS}, "value", exemplar_labels, labels, datehour
    FROM (
      SELECT DISTINCT "name", "time", CAST(exemplar.value AS DOUBLE) AS "value",
        exemplar.labels AS exemplar_labels, labels, datehour
      FROM samples_raw
      WHERE kind = 'exemplar'
    )`;
}

/** Each copy of the server writes the metadata that it sees, so that in an hour there may be many lines of one text. */
function metadataOf(sources: readonly string[]): string {
  const lines = sources.map((source) => `SELECT kind, "name", "time", metadata, datehour FROM (${source})`);
  return `
    SELECT "name", "time", ${TS}, "type", help, unit, datehour
    FROM (
      SELECT "name", min("time") AS "time",
        metadata.type AS "type", metadata.help AS help, metadata.unit AS unit, datehour
      FROM (${lines.join(' UNION ALL ')})
      WHERE kind = 'metadata'
      GROUP BY ALL
    )`;
}
