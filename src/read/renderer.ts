import type { DuckDBValue } from '@duckdb/node-api';

export interface Column {
  readonly name: string;
  readonly isNumeric: boolean;
}

export type Row = readonly DuckDBValue[];

/** Turns a result into text piece by piece: nothing of the result is kept, but for the rows that a table is aligned by. */
export interface Renderer {
  rows(rows: readonly Row[]): string;
  end(): string;
}
