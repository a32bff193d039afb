import { CommandError } from '../../src/errors.ts';
import { textOf } from '../../src/read/values.ts';
import type { AthenaOnDuckdb } from './athena_on_duckdb.ts';
import { athenaText, athenaType } from './athena_texts.ts';
import { toDuckdb } from './trino.ts';

export type StatementType = 'DML' | 'DDL' | 'UTILITY';

/** What a statement answered. NULL is undefined. */
export interface Answered {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | undefined)[])[];
}

/** A statement that Athena takes and that fails; the message is its StateChangeReason. */
export class Failure extends Error {}

/** The words that a statement begins with, comments apart. */
function beginOf(sql: string): string {
  return sql.replace(/^(?:\s|\(|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '').toLowerCase();
}

/** As Athena calls them: EXPLAIN is DML too. */
export function statementTypeOf(sql: string): StatementType {
  if (/^(show|desc|describe)\b/.test(beginOf(sql))) return 'UTILITY';
  return /^(create|drop|alter)\b/.test(beginOf(sql)) ? 'DDL' : 'DML';
}

/** The first row of a result is its header. */
export function hasHeader(sql: string): boolean {
  return statementTypeOf(sql) === 'DML';
}

/**
 * Runs a statement over the views of `athena/`.
 *
 * @throws Failure
 */
export async function runStatement(
  athena: AthenaOnDuckdb,
  sql: string,
  database: string | undefined,
): Promise<Answered> {
  if (database !== 'prometheus') throw new Failure(`SCHEMA_NOT_FOUND: line 1:15: Schema '${database}' does not exist`);
  const begin = beginOf(sql);
  try {
    if (/^show tables\b/.test(begin)) return await showTables(athena);
    if (/^desc(ribe)?\b/.test(begin)) return await describe(athena, sql);
    if (/^explain\b/.test(begin)) return await explain(athena, sql);
    return await select(athena, sql);
  } catch (error) {
    if (error instanceof CommandError) throw new Failure(reasonOf(error.message, sql));
    throw error;
  }
}

async function select(athena: AthenaOnDuckdb, sql: string): Promise<Answered> {
  const statement = toDuckdb(sql).replace(/;\s*$/, '');
  if (statementTypeOf(sql) === 'DDL') {
    await athena.engine.run(statement);
    return { columns: [], rows: [] };
  }
  const described = await textsOf(athena, `DESCRIBE ${statement}`);
  const types = described.map(([, type = '']) => type);
  const rows: (string | undefined)[][] = [];
  for await (const chunk of (await athena.engine.stream(statement)).chunks()) {
    rows.push(...chunk.map((row) => row.map((value, index) => athenaText(value, types[index]!))));
  }
  return { columns: described.map(([name = '', type = '']) => ({ name, type: athenaType(type) })), rows };
}

async function showTables(athena: AthenaOnDuckdb): Promise<Answered> {
  const names = await textsOf(athena, "SELECT view_name FROM duckdb_views() WHERE schema_name = 'athena' ORDER BY 1");
  return { columns: [{ name: 'tab_name', type: 'string' }], rows: names };
}

/** One text a row, padded and with tabs, under three columns. */
async function describe(athena: AthenaOnDuckdb, sql: string): Promise<Answered> {
  const columns = await textsOf(athena, sql.replace(/^\s*desc\b/i, 'DESCRIBE'));
  return {
    columns: ['col_name', 'data_type', 'comment'].map((name) => ({ name, type: 'string' })),
    rows: columns.map(([name = '', type = '']) => [`${name.padEnd(20)}\t${type.padEnd(20)}\t${' '.repeat(20)}`]),
  };
}

/** A row a line. */
async function explain(athena: AthenaOnDuckdb, sql: string): Promise<Answered> {
  const [[, plan = ''] = []] = await textsOf(athena, toDuckdb(sql));
  return { columns: [{ name: 'Query Plan', type: 'varchar' }], rows: plan.split('\n').map((line) => [line]) };
}

async function textsOf(athena: AthenaOnDuckdb, statement: string): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const chunk of (await athena.engine.stream(statement)).chunks()) {
    rows.push(...chunk.map((row) => row.map((value) => (value === null ? '' : textOf(value)))));
  }
  return rows;
}

const REASONS: readonly (readonly [RegExp, (name: string, at: string) => string])[] = [
  [
    /Table with name (\w+) does not exist/,
    (name, at) => `TABLE_NOT_FOUND: ${at}: Table 'awsdatacatalog.prometheus.${name}' does not exist`,
  ],
  [/column "(\w+)" (?:was )?not found/i, (name, at) => `COLUMN_NOT_FOUND: ${at}: Column '${name}' cannot be resolved`],
  [
    /Function with name (\w+) does not exist/,
    (name, at) => `FUNCTION_NOT_FOUND: ${at}: Function '${name}' not registered`,
  ],
];

/** DuckDB's error in Athena's words. */
function reasonOf(message: string, sql: string): string {
  for (const [form, say] of REASONS) {
    const [found, name = ''] = form.exec(message) ?? [];
    if (found === undefined) continue;
    const before = sql.slice(0, sql.toLowerCase().indexOf(name.toLowerCase())).split('\n');
    return say(name, `line ${before.length}:${before.at(-1)!.length + 1}`);
  }
  return `GENERIC_USER_ERROR: ${message}`;
}
