/** What `query --athena` asks of Athena. PURE. */

import type { Row } from './renderer.ts';

/** https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html. A running query may be queued again. */
export type ExecutionState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** How far a query is. */
export interface Execution {
  readonly id: string;
  readonly state: ExecutionState;
  /** Why it failed or was cancelled. */
  readonly reason: string;
  /** DML, DDL or UTILITY. */
  readonly statementType: string | undefined;
  readonly scannedBytes: number;
  readonly totalMs: number;
}

/** A column as GetQueryResults tells of it. */
export interface AthenaColumn {
  readonly name: string;
  /** In Athena's words: `varchar`, `bigint`, `double`, `timestamp`, `map`, `row`… */
  readonly type: string;
}

/** A page of a result; NULL is null. */
export interface AthenaPage {
  readonly columns: readonly AthenaColumn[];
  readonly rows: readonly Row<string>[];
  /** Rows that a statement wrote, such as INSERT. */
  readonly updateCount: number | undefined;
  /** Asks for the next page; undefined after the last. */
  readonly next: string | undefined;
}

/** Each call ends with the signal's reason when it is aborted, and with a CommandError, naming the mend, when it fails. */
export interface AthenaApi {
  /**
   * Starts a query, or finds the one that was started with the same token.
   *
   * @param token any text of 32 to 128 characters
   * @returns the query's id
   */
  start(sql: string, token: string, signal: AbortSignal): Promise<string>;
  status(id: string, signal: AbortSignal): Promise<Execution>;
  /** A page of at most 1,000 rows; `next` undefined asks for the first. */
  page(id: string, next: string | undefined, signal: AbortSignal): Promise<AthenaPage>;
  stop(id: string, signal: AbortSignal): Promise<void>;
}
