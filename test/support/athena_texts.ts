import { DuckDBListValue, DuckDBMapValue, DuckDBStructValue, type DuckDBValue } from '@duckdb/node-api';
import { textOf } from '../../src/read/values.ts';

/** DuckDB's types and values as Athena has them: https://docs.aws.amazon.com/athena/latest/ug/data-types.html */

const TYPES: Readonly<Record<string, string>> = {
  VARCHAR: 'varchar',
  BOOLEAN: 'boolean',
  SMALLINT: 'smallint',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  // The sum of integers, which stays bigint in Trino.
  HUGEINT: 'bigint',
  FLOAT: 'float',
  DOUBLE: 'double',
  TIMESTAMP: 'timestamp',
  DATE: 'date',
};
const NESTED: readonly (readonly [RegExp, string])[] = [
  [/\[\]$/, 'array'],
  [/^MAP\(/, 'map'],
  [/^STRUCT\(/, 'row'],
  [/^DECIMAL\(/, 'decimal'],
];

export function athenaType(type: string): string {
  const known = TYPES[type] ?? NESTED.find(([form]) => form.test(type))?.[1];
  if (known === undefined) throw new Error(`no type of Athena's for ${type}`);
  return known;
}

/**
 * A value's text; undefined for NULL.
 *
 * @param type the column's in DuckDB; numbers in one are all doubles, or none of them
 */
export function athenaText(value: DuckDBValue, type: string): string | undefined {
  return value === null ? undefined : nestedText(value, /DOUBLE|FLOAT/.test(type) ? javaDouble : String);
}

/** Without quotes, as Athena has it. */
function nestedText(value: DuckDBValue, numberText: (value: number) => string): string {
  const textOfItem = (item: DuckDBValue) => nestedText(item, numberText);
  if (value === null) return 'null';
  if (typeof value === 'number') return numberText(value);
  if (value instanceof DuckDBListValue) return `[${value.items.map(textOfItem).join(', ')}]`;
  if (value instanceof DuckDBMapValue) {
    return `{${value.entries.map(({ key, value: item }) => `${textOfItem(key)}=${textOfItem(item)}`).join(', ')}}`;
  }
  if (value instanceof DuckDBStructValue) {
    const fields = Object.entries(value.entries).map(([name, item]) => `${name}=${textOfItem(item)}`);
    return `{${fields.join(', ')}}`;
  }
  return textOf(value);
}

/** Java's Double.toString: plain from 10^-3 to below 10^7, with a digit behind the point at least. */
export function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0.0';
  const withPoint = (digits: string) => (digits.includes('.') ? digits : `${digits}.0`);
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e7)) return withPoint(String(value));
  const [digits = '', exponent] = value.toExponential().split('e');
  return `${withPoint(digits)}E${Number(exponent)}`;
}
