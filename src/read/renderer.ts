/** A column of a result, and how its values are written. Those that are NULL are the renderer's own. */
export interface Column<Value> {
  readonly name: string;
  readonly isNumeric: boolean;
  /** The text of a cell. */
  readonly textOf: (value: Value) => string;
  /** A JSON token. */
  readonly jsonOf: (value: Value) => string;
}

export type Row<Value> = readonly (Value | null)[];

/** The result of one statement, of whichever engine. Its rows come as they are read, and only once. */
export interface Result<Value> {
  /** None where the statement has no result, as CREATE has none. */
  readonly columns: readonly Column<Value>[];
  /** A plan: its last column is meant to be printed as it is. */
  readonly isPlan: boolean;
  /** @throws CommandError with the engine's message */
  readonly chunks: () => AsyncGenerator<readonly Row<Value>[]>;
}

/** Turns a result into text piece by piece: nothing of the result is kept, but for the rows that a table is aligned by. */
export interface Renderer<Value> {
  rows(rows: readonly Row<Value>[]): string;
  end(): string;
}
