import { HiveSQL, TrinoSQL } from 'dt-sql-parser';

/**
 * The SQL of Athena, as far as this machine can tell: engine version 3 is Trino, whose grammar reads queries and views, and tables are made by
 * Hive's. Neither knows tables, columns or types; those are shown by running the same text on DuckDB, as {@link toDuckdb} has it.
 */

const trino = new TrinoSQL();
const hive = new HiveSQL();

/** What Trino's grammar has against a text, in words; empty where it is SQL. */
export function trinoProblems(sql: string): string[] {
  return trino.validate(sql).map(({ startLine, startColumn, message }) => `${startLine}:${startColumn}: ${message}`);
}

/** The same of Hive's grammar, for CREATE EXTERNAL TABLE. */
export function hiveProblems(sql: string): string[] {
  return hive.validate(sql).map(({ startLine, startColumn, message }) => `${startLine}:${startColumn}: ${message}`);
}

/**
 * Functions of Trino's that DuckDB lacks, or has under the same name with another meaning, and that only the views and compaction call; those
 * of users' queries are part of the program: src/read/trino_functions.ts.
 */
export const VIEW_FUNCTIONS: readonly string[] = [
  'CREATE MACRO cardinality(list) AS len(list)',
  'CREATE MACRO json_format(value) AS CAST(value AS VARCHAR)',
  'CREATE MACRO slice(list, first, length) AS list_slice(list, first, first + length - 1)',
];

/**
 * The same statement in DuckDB's dialect: what a macro cannot stand for is put into other words. These are the types of arrays, and the
 * functions that take a lambda.
 */
export function toDuckdb(sql: string): string {
  const typed = sql.replace(/\barray\((\w+)\)/gi, '$1[]').replace(/\btransform\(/gi, 'list_transform(');
  return rewriteCalls(typed, 'reduce', ([list, initial, step, finish, ...more]) => {
    if (finish === undefined || more.length > 0 || !/^(\w+) -> \1$/.test(finish)) {
      throw new Error(`reduce is known with a last step that does nothing only, not ${finish}`);
    }
    return `list_reduce(${list}, ${step}, ${initial})`;
  });
}

/** Replaces the calls of a function, given their arguments as texts. No argument may hold a bracket or a comma in quotes. */
function rewriteCalls(sql: string, name: string, rewrite: (args: readonly string[]) => string): string {
  const call = new RegExp(`\\b${name}\\(`, 'i').exec(sql);
  if (!call) return sql;
  const args: string[] = [];
  let depth = 1;
  let at = call.index + call[0].length;
  let argAt = at;
  for (; depth > 0; at++) {
    const character = sql[at];
    if (character === undefined) throw new Error(`${name}( is not closed`);
    if ('(['.includes(character)) depth++;
    if (')]'.includes(character)) depth--;
    if (depth > 1 || (depth === 1 && character !== ',')) continue;
    args.push(sql.slice(argAt, at));
    argAt = at + 1;
  }
  const rest = rewriteCalls(sql.slice(at), name, rewrite);
  return sql.slice(0, call.index) + rewrite(args.map((arg) => rewriteCalls(arg.trim(), name, rewrite))) + rest;
}
