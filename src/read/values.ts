/** DuckDB's values as text: in a table or CSV cell, and as JSON. Digits are exact, as the archive's own lines have them. */

import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  DuckDBVariantValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { numberText, numberToken } from './numbers.ts';

export type DuckdbValue = Exclude<DuckDBValue, null>;

/** A value as a JSON token. What is neither number, boolean nor nested is a string. */
export function jsonOf(value: DuckDBValue): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return numberToken(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint' || typeof value === 'boolean' || value instanceof DuckDBDecimalValue)
    return value.toString();
  return nestedJson(value) ?? JSON.stringify(textOf(value));
}

/** A value as the text of a cell: strings and words bare, nested values as JSON. */
export function textOf(value: DuckdbValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return value.toString();
  if (value instanceof DuckDBTimestampTZValue) return `${timestampText(new DuckDBTimestampValue(value.micros))}+00`;
  if (isTimestamp(value)) return timestampText(value);
  return nestedJson(value) ?? value.toString();
}

function nestedJson(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBMapValue) return object(value.entries);
  if (value instanceof DuckDBStructValue)
    return object(Object.entries(value.entries).map(([key, item]) => ({ key, value: item })));
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return `[${value.items.map(jsonOf).join()}]`;
  if (value instanceof DuckDBUnionValue || value instanceof DuckDBVariantValue) return jsonOf(value.value);
  return undefined;
}

function object(entries: readonly { readonly key: DuckDBValue; readonly value: DuckDBValue }[]): string {
  return `{${entries.map(({ key, value }) => `${JSON.stringify(key === null ? 'null' : textOf(key))}:${jsonOf(value)}`).join()}}`;
}

type Timestamp =
  | DuckDBTimestampValue
  | DuckDBTimestampMillisecondsValue
  | DuckDBTimestampNanosecondsValue
  | DuckDBTimestampSecondsValue;

function isTimestamp(value: DuckDBValue): value is Timestamp {
  return (
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue ||
    value instanceof DuckDBTimestampSecondsValue
  );
}

/** `2026-11-20 10:45:13.120`: milliseconds always, finer digits where there are any. */
function timestampText(value: Timestamp): string {
  const text = value.toString();
  const point = text.indexOf('.');
  if (point !== -1) return text.padEnd(point + 4, '0');
  return text.endsWith('infinity') ? text : `${text}.000`;
}
