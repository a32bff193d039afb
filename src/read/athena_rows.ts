/** Athena's results, which are texts, as columns and rows. PURE. */

import type { AthenaColumn, AthenaPage } from './athena_api.ts';
import { numberText, numberToken } from './numbers.ts';
import type { Column, Row } from './renderer.ts';

/** How the texts of a type are written. */
type Writing = Omit<Column<string>, 'name'>;

const TEXT: Writing = { isNumeric: false, textOf: (text) => text, jsonOf: (text) => JSON.stringify(text) };
// Digits are exact as they come, whatever their number.
const EXACT: Writing = { isNumeric: true, textOf: (text) => text, jsonOf: numberOrString };
const DOUBLE: Writing = {
  isNumeric: true,
  textOf: (text) => withDouble(text, numberText) ?? text,
  jsonOf: (text) => withDouble(text, numberToken) ?? JSON.stringify(text),
};
const BOOLEAN: Writing = { ...TEXT, jsonOf: (text) => (/^(true|false)$/.test(text) ? text : JSON.stringify(text)) };
const TIMESTAMP: Writing = {
  isNumeric: false,
  textOf: timestampText,
  jsonOf: (text) => JSON.stringify(timestampText(text)),
};

/** The rest, maps and rows among it, is Athena's own text: `{job=node}`, which does not tell a comma in a value from one between two. */
const WRITINGS: ReadonlyMap<string, Writing> = new Map([
  ...['tinyint', 'smallint', 'integer', 'int', 'bigint', 'decimal'].map((type) => [type, EXACT] as const),
  ...['double', 'float', 'real'].map((type) => [type, DOUBLE] as const),
  ['boolean', BOOLEAN],
  ['timestamp', TIMESTAMP],
]);

export function columnsOf(columns: readonly AthenaColumn[]): Column<string>[] {
  return columns.map(({ name, type }) => ({ name, ...(WRITINGS.get(type) ?? TEXT) }));
}

/** The columns of EXPLAIN, SHOW CREATE TABLE and SHOW CREATE VIEW, whose rows are the lines of a text. */
const LINES_OF_TEXT: ReadonlySet<string> = new Set(['Query Plan', 'createtab_stmt', 'Create View']);

export function isPlan(columns: readonly AthenaColumn[]): boolean {
  return columns.length === 1 && LINES_OF_TEXT.has(columns[0]!.name);
}

/**
 * The rows of a result's first page. Of SELECT and EXPLAIN its first row is the header; of SHOW and DESCRIBE it is not, even where it looks
 * like one.
 */
export function firstRowsOf(page: AthenaPage, statementType: string | undefined): Row<string>[] {
  const { columns, rows, updateCount } = page;
  const names = columns.map(({ name }) => name);
  // INSERT, UNLOAD and CREATE TABLE AS SELECT have a column and no row.
  if (rows.length === 0 && updateCount !== undefined && names.join() === 'rows') return [[String(updateCount)]];
  const mayHaveHeader = statementType === 'DML' || isPlan(columns);
  const hasHeader = mayHaveHeader && rows[0]?.length === names.length && names.every((name, i) => name === rows[0]![i]);
  return rowsOf(hasHeader ? { ...page, rows: rows.slice(1) } : page);
}

/** The rows of any other page. What DESCRIBE and some SHOW answer is one text a row, with tabs and padding between what it says it has as columns. */
export function rowsOf({ columns, rows }: AthenaPage): Row<string>[] {
  return rows.map((row) => {
    if (row.length !== 1 || columns.length < 2) return row;
    const cells = (row[0] ?? '').split('\t');
    return columns.map((_, index) => cells[index]?.trim() ?? '');
  });
}

function withDouble(text: string, write: (value: number) => string): string | undefined {
  const value = Number(text);
  const isDouble = text === 'NaN' || (text !== '' && !Number.isNaN(value));
  return isDouble ? write(value) : undefined;
}

// https://www.rfc-editor.org/rfc/rfc8259#section-6
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

function numberOrString(text: string): string {
  return JSON_NUMBER.test(text) ? text : JSON.stringify(text);
}

/** Milliseconds always, finer digits where there are any. */
function timestampText(text: string): string {
  const [, second, fraction = ''] = /^(.*:\d{2})(?:\.(\d+))?$/.exec(text) ?? [];
  if (second === undefined) return text;
  return `${second}.${fraction.slice(0, 3).padEnd(3, '0')}${fraction.slice(3).replace(/0+$/, '')}`;
}
