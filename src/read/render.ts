import type { QueryFormat } from './query_options.ts';
import type { Column, Renderer } from './renderer.ts';
import { renderTable } from './table.ts';
import { jsonOf, textOf } from './values.ts';

/** `plan` prints what EXPLAIN answers: a key and a drawing of many lines. */
export function createRenderer(format: QueryFormat | 'plan', columns: readonly Column[]): Renderer {
  switch (format) {
    case 'plan':
      return { rows: (rows) => rows.map((row) => `${textOf(row.at(-1) ?? '')}\n`).join(''), end: () => '' };
    case 'table':
      return renderTable(columns);
    case 'csv':
      return renderCsv(columns);
    case 'json':
      return renderJson(columns);
  }
}

/**
 * CSV by RFC 4180: a header, CRLF, quotes where they are needed. NULL is an empty field and the empty string `""`, as DuckDB's own CSV
 * has them.
 */
function renderCsv(columns: readonly Column[]): Renderer {
  let header = record(columns.map(({ name }) => name));
  const take = () => {
    const text = header;
    header = '';
    return text;
  };
  return {
    rows: (rows) =>
      take() + rows.map((row) => record(row.map((value) => (value === null ? null : textOf(value))))).join(''),
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
function renderJson(columns: readonly Column[]): Renderer {
  const keys = uniqueNames(columns).map((name) => `${JSON.stringify(name)}:`);
  return {
    rows: (rows) => rows.map((row) => `{${row.map((value, index) => keys[index]! + jsonOf(value)).join()}}\n`).join(''),
    end: () => '',
  };
}

function uniqueNames(columns: readonly Column[]): string[] {
  const taken = new Set(columns.map(({ name }) => name));
  const used = new Set<string>();
  return columns.map(({ name }) => {
    let unique = name;
    for (let number = 1; used.has(unique) || (unique !== name && taken.has(unique)); number++)
      unique = `${name}_${number}`;
    used.add(unique);
    return unique;
  });
}
