import type { EngineFile } from './archive_files.ts';
import type { Engine } from './duckdb.ts';
import { COLUMNS, DATEHOUR, identifier, listOf, readJson, type LineColumn } from './line_columns.ts';
import { DAY_NUMBER, hourNumber, lineHash, LINE_STORES, SERIES_HASH, type LineStore } from './line_stores.ts';

/**
 * The lines of an arrival day in tables of the engine:
 *
 *     sums     store, day, name, text, lines, checksum         taken in a reading of its own
 *     series   id, name, labels                                no two the same
 *     texts    name, text, id                                  the texts that the labels of the series have in JSON
 *     samples  id, time, start, value, stale, bits, hour       the stores; minusZeros is as samples
 *     others   id, kind, …, histogram, exemplar, metadata, hour
 *
 * Files are read twice (once more for each store besides samples that they have lines of): that costs no more than to keep the labels' text of each line until its series is
 * known, takes less memory, and what is compared in the end with what was written does not come from the same reading.
 */

/** So many bytes of gzip are read at once; of that many files or more, all threads have work. */
const GROUP_BYTES = 256 * 1024 ** 2;

export interface StagedFile extends EngineFile {
  readonly bytes: number;
}

/** How many lines there are, and their checksum. */
export interface LineSum {
  readonly lines: bigint;
  readonly checksum: bigint;
}

/** Labels are mapped once for each text, not for each line. */
const INCOMING_COLUMNS: readonly LineColumn[] = COLUMNS.map((column) =>
  column.name === 'labels' ? { name: 'labels', type: 'JSON' } : column,
);

/**
 * Reads JSON files into the tables.
 *
 * @param onRead is told how many more bytes are read
 * @throws CommandError with DuckDB's message
 */
export async function stageFiles(
  engine: Engine,
  files: readonly StagedFile[],
  onRead: (bytes: number) => void,
): Promise<void> {
  for (const statement of createTables()) await engine.run(statement);
  for (const group of groupsOf(files)) {
    const paths = group.map(({ path }) => path);
    await engine.run(sumLines(paths));
    for (const statement of nameSeries()) await engine.run(statement);
    const stores = (await engine.rows('SELECT DISTINCT store FROM incoming')).map(([name]) => name);
    for (const store of LINE_STORES) if (stores.includes(store.name)) await insertLines(engine, store, paths);
    onRead(group.reduce((sum, { bytes }) => sum + bytes, 0));
  }
}

/** The days of samples that there are lines of, in days since the epoch; null for times without one. */
export async function stagedDays(engine: Engine): Promise<(bigint | null)[]> {
  const rows = await engine.rows('SELECT DISTINCT day FROM sums ORDER BY day NULLS LAST');
  return rows.map(([day]) => day as bigint | null);
}

/** What was read of a day. */
export async function stagedSum(engine: Engine, store: LineStore, day: bigint | null): Promise<LineSum> {
  return lineSum(
    engine,
    `SELECT sum(lines), sum(checksum * ${SERIES_HASH}) FROM (
      SELECT name, ${asLabels('text')} AS labels, lines, checksum FROM sums
      WHERE store = '${store.name}' AND day IS NOT DISTINCT FROM ${day ?? 'NULL'})`,
  );
}

/** Of a statement that answers one row of the two, or of NULLs where there is nothing. */
export async function lineSum(engine: Engine, sql: string): Promise<LineSum> {
  const [row] = await engine.rows(sql);
  const [lines, checksum] = row as [bigint | null, bigint | null];
  return { lines: lines ?? 0n, checksum: checksum ?? 0n };
}

/** Reads a file as staging does, and fails where that does. */
export function tryIncoming(path: string): string {
  return `SELECT count(CAST("value" AS DOUBLE)), count(${asLabels('labels')}) FROM ${readJson(listOf([path]), INCOMING_COLUMNS)}`;
}

function createTables(): string[] {
  const define = (columns: readonly LineColumn[]) =>
    columns.map(({ name, type }) => `${identifier(name)} ${type}`).join(', ');
  return [
    'CREATE TABLE series (id INTEGER, name VARCHAR, labels MAP(VARCHAR, VARCHAR))',
    'CREATE TABLE texts (name VARCHAR, text VARCHAR, id INTEGER)',
    'CREATE TABLE sums (store VARCHAR, day BIGINT, name VARCHAR, text VARCHAR, lines BIGINT, checksum HUGEINT)',
    ...LINE_STORES.map(({ name, columns }) => `CREATE TABLE ${name} (id INTEGER, ${define(columns)}, hour BIGINT)`),
  ];
}

function sumLines(paths: readonly string[]): string {
  const cases = (expression: (store: LineStore) => string) =>
    `CASE ${LINE_STORES.map((store) => `WHEN ${store.condition} THEN ${expression(store)}`).join(' ')} END`;
  return `CREATE OR REPLACE TABLE incoming AS
    SELECT ${cases(({ name }) => `'${name}'`)} AS store, ${DAY_NUMBER} AS day, name, CAST(labels AS VARCHAR) AS text,
      count(*) AS lines, sum(${cases(lineHash)}) AS checksum
    FROM ${incoming(paths)} GROUP BY ALL`;
}

/** Lines as they come, but that the value is a number. */
function incoming(paths: readonly string[]): string {
  return `(SELECT * REPLACE (CAST("value" AS DOUBLE) AS "value") FROM ${readJson(listOf(paths), INCOMING_COLUMNS)})`;
}

function nameSeries(): string[] {
  return [
    'INSERT INTO sums FROM incoming',
    `CREATE OR REPLACE TABLE new_texts AS
      SELECT name, text, ${asLabels('text')} AS labels FROM (SELECT DISTINCT name, text FROM incoming) AS found
      WHERE NOT EXISTS (SELECT 1 FROM texts WHERE ${areSame('texts', 'found', ['name', 'text'])})`,
    addSeries('new_texts'),
    `INSERT INTO texts
      SELECT new_texts.name, new_texts.text, series.id FROM new_texts
      JOIN series ON ${areSame('series', 'new_texts', ['name', 'labels'])}`,
  ];
}

/** How many lines a file has is not known to DuckDB, which would take the texts for the larger side of the join, and so keep every line. */
async function insertLines(engine: Engine, store: LineStore, paths: readonly string[]): Promise<void> {
  const values = store.columns.map(({ name }) => identifier(name)).join(', ');
  await engine.run("SET disabled_optimizers = 'join_order,build_side_probe_side'");
  await engine.run(
    `INSERT INTO ${store.name} SELECT texts.id, ${values}, ${hourNumber(DATEHOUR)}
      FROM (SELECT * RENAME (labels AS text) FROM ${incoming(paths)}) AS line
      JOIN texts ON ${areSame('texts', 'line', ['name', 'text'])} WHERE ${store.condition}`,
  );
  await engine.run('RESET disabled_optimizers');
}

/** Gives an id to those series of a table that have none yet. */
export function addSeries(table: string): string {
  return `INSERT INTO series
    SELECT (SELECT coalesce(max(id), 0) FROM series) + row_number() OVER (), name, labels
    FROM (SELECT DISTINCT name, labels FROM ${table}) AS found
    WHERE NOT EXISTS (SELECT 1 FROM series WHERE ${areSame('series', 'found', ['name', 'labels'])})`;
}

/** Whether two tables have the same in these columns; NULL is the same as NULL. */
export function areSame(one: string, other: string, columns: readonly string[]): string {
  return columns.map((column) => `${one}.${column} IS NOT DISTINCT FROM ${other}.${column}`).join(' AND ');
}

function asLabels(text: string): string {
  return `CAST(CAST(${text} AS JSON) AS MAP(VARCHAR, VARCHAR))`;
}

/** Groups of files of about GROUP_BYTES, in order. */
function groupsOf(files: readonly StagedFile[]): StagedFile[][] {
  const groups: StagedFile[][] = [];
  let groupBytes = Infinity;
  for (const file of files) {
    if (groupBytes + file.bytes > GROUP_BYTES) {
      groups.push([]);
      groupBytes = 0;
    }
    groups.at(-1)!.push(file);
    groupBytes += file.bytes;
  }
  return groups;
}
