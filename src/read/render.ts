import type { QueryFormat } from './query_options.ts';
import type { Column, Renderer, Row } from './renderer.ts';
import { renderTable } from './table.ts';

/** `plan` prints what EXPLAIN answers: a key and a drawing of many lines. */
export function createRenderer<Value>(
  format: QueryFormat | 'plan',
  columns: readonly Column<Value>[],
): Renderer<Value> {
  switch (format) {
    case 'plan':
      return renderPlan(columns);
    case 'table':
      return renderTable(columns);
    case 'csv':
      return renderCsv(columns);
    case 'json':
      return renderJson(columns);
  }
}

function renderPlan<Value>(columns: readonly Column<Value>[]): Renderer<Value> {
  const lineOf = (row: Row<Value>) => {
    const value = row.at(-1) ?? null;
    return value === null ? '\n' : `${columns.at(-1)!.textOf(value)}\n`;
  };
  return { rows: (rows) => rows.map(lineOf).join(''), end: () => '' };
}

/**
 * CSV by RFC 4180: a header, CRLF, quotes where they are needed. NULL is an empty field and the empty string `""`, as DuckDB's own CSV
 * has them.
 */
function renderCsv<Value>(columns: readonly Column<Value>[]): Renderer<Value> {
  let header = record(columns.map(({ name }) => name));
  const take = () => {
    const text = header;
    header = '';
    return text;
  };
  const fieldsOf = (row: Row<Value>) =>
    row.map((value, index) => (value === null ? null : columns[index]!.textOf(value)));
  return {
    rows: (rows) => take() + rows.map((row) => record(fieldsOf(row))).join(''),
    end: take,
  };
}

function record(fields: readonly (string | null)[]): string {
  return `${fields.map(csvField).join()}\r\n`;
}

function csvField(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One JSON object a line. A name that comes again gets a number, because readers of JSON would keep one of the two. */
function renderJson<Value>(columns: readonly Column<Value>[]): Renderer<Value> {
  const keys = uniqueNames(columns.map(({ name }) => name)).map((name) => `${JSON.stringify(name)}:`);
  const tokenOf = (value: Value | null, index: number) => (value === null ? 'null' : columns[index]!.jsonOf(value));
  return {
    rows: (rows) =>
      rows.map((row) => `{${row.map((value, index) => keys[index]! + tokenOf(value, index)).join()}}\n`).join(''),
    end: () => '',
  };
}

function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let number = 1; used.has(unique) || (unique !== name && taken.has(unique)); number++)
      unique = `${name}_${number}`;
    used.add(unique);
    return unique;
  });
}
