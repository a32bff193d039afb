import { randomUUID } from 'node:crypto';
import type { AthenaOnDuckdb } from './athena_on_duckdb.ts';
import { readId, readResults, readStart, Refusal, type StartInput } from './athena_rules.ts';
import { Failure, hasHeader, runStatement, statementTypeOf, type Answered } from './athena_statements.ts';
import { must, type JsonObject } from './aws_rules.ts';
import { trinoProblems } from './trino.ts';

export type AthenaOperation = 'StartQueryExecution' | 'GetQueryExecution' | 'GetQueryResults' | 'StopQueryExecution';

/** A query as the service knows it. */
export interface FakeExecution extends StartInput {
  readonly id: string;
  state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  /** Times that GetQueryExecution was answered for it. */
  polls: number;
  /** Why it failed or was cancelled. */
  reason?: string;
}

/** Workgroups by name, with the output location that each has of its own. */
const WORKGROUPS: ReadonlyMap<string, string | undefined> = new Map([
  ['prometheus', 's3://results/prometheus/'],
  ['primary', undefined],
]);
const NO_OUTPUT_LOCATION =
  'No output location provided. You did not provide an output location for  your query results. Either specify an S3 bucket location or ' +
  'enable Athena managed query results in your workgroup settings.';
const SUBMITTED_S = 1_795_171_513;

/** The four operations of Amazon Athena that a query needs. Each takes the input of a call and gives the output. */
export class AthenaService {
  /** Answers of GetQueryExecution until a query's end: queued once, then running; without an end for Infinity. */
  polls = 2;
  /** What each query scans; it grows while it runs. */
  scannedBytes = 1_234_567_890;
  readonly #athena: AthenaOnDuckdb;
  readonly #executions = new Map<string, FakeExecution & { readonly outcome: Promise<Answered | Failure> }>();
  /** DuckDB does one thing at a time. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(athena: AthenaOnDuckdb) {
    this.#athena = athena;
  }

  get executions(): readonly FakeExecution[] {
    return [...this.#executions.values()];
  }

  /** Resolves when nothing is computed any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  readonly operations: Readonly<Record<AthenaOperation, (input: JsonObject) => object | Promise<object>>> = {
    StartQueryExecution: (input) => ({ QueryExecutionId: this.#start(readStart(input)) }),
    GetQueryExecution: (input) => this.#status(this.#find(readId(input))),
    GetQueryResults: (input) => this.#results(input),
    StopQueryExecution: (input) => this.#stop(this.#find(readId(input))),
  };

  #find(id: string) {
    const execution = this.#executions.get(id);
    must(execution !== undefined, 'InvalidRequestException', `QueryExecution ${id} was not found`);
    return execution;
  }

  #start(query: StartInput): string {
    const before = this.executions.find(({ token }) => token === query.token);
    if (before) {
      const isSame = (['sql', 'database', 'outputLocation', 'workgroup'] as const).every(
        (name) => before[name] === query[name],
      );
      must(isSame, 'InvalidRequestException', 'Idempotent parameters do not match');
      return before.id;
    }
    mayStart(query);
    const running = this.#running.then(() => runStatement(this.#athena, query.sql, query.database));
    const outcome = running.catch((error: unknown) => {
      if (error instanceof Failure) return error;
      throw error;
    });
    this.#running = outcome.catch(() => undefined);
    const id = randomUUID();
    this.#executions.set(id, { ...query, id, state: 'QUEUED', polls: 0, outcome });
    return id;
  }

  async #status(execution: FakeExecution & { readonly outcome: Promise<Answered | Failure> }): Promise<object> {
    execution.polls++;
    if (execution.state !== 'CANCELLED') {
      if (execution.polls <= this.polls) execution.state = execution.polls === 1 ? 'QUEUED' : 'RUNNING';
      else {
        const outcome = await execution.outcome;
        execution.state = outcome instanceof Failure ? 'FAILED' : 'SUCCEEDED';
        if (outcome instanceof Failure) execution.reason = outcome.message;
      }
    }
    return { QueryExecution: this.#describe(execution) };
  }

  #describe({ id, sql, workgroup, database, outputLocation, state, polls, reason }: FakeExecution): object {
    const isDone = state === 'SUCCEEDED' || state === 'FAILED';
    // By its fourth answer while it runs a query has scanned all.
    const share = isDone ? 1 : Math.min(4, polls - 1) / 4;
    return {
      QueryExecutionId: id,
      Query: sql,
      StatementType: statementTypeOf(sql),
      WorkGroup: workgroup,
      QueryExecutionContext: { Database: database },
      ResultConfiguration: { OutputLocation: `${outputLocation ?? WORKGROUPS.get(workgroup)}${id}.csv` },
      Statistics: {
        DataScannedInBytes: statementTypeOf(sql) === 'DML' ? Math.floor(this.scannedBytes * share) : 0,
        TotalExecutionTimeInMillis: polls * 1_000,
      },
      Status: {
        State: state,
        SubmissionDateTime: SUBMITTED_S,
        ...(reason !== undefined && { StateChangeReason: reason }),
        ...(state === 'FAILED' && {
          AthenaError: { ErrorCategory: 2, ErrorType: 1_000, Retryable: false, ErrorMessage: reason },
        }),
      },
    };
  }

  async #results(input: JsonObject): Promise<object> {
    const { id, maxResults, nextToken } = readResults(input);
    const { state, outcome, sql } = this.#find(id);
    must(state === 'SUCCEEDED', 'InvalidRequestException', `Query has not yet finished. Current state: ${state}`);
    const { columns, rows } = (await outcome) as Answered;
    const all = hasHeader(sql) ? [columns.map(({ name }) => name), ...rows] : rows;
    const first = nextToken === undefined ? 0 : offsetOf(nextToken, id);
    const end = first + maxResults;
    return {
      UpdateCount: 0,
      ResultSet: {
        Rows: all.slice(first, end).map((row) => ({
          Data: row.map((text) => (text === undefined ? {} : { VarCharValue: text })),
        })),
        ResultSetMetadata: { ColumnInfo: columns.map(columnInfo) },
      },
      ...(end < all.length && { NextToken: tokenOf(id, end) }),
    };
  }

  /** Of a query that has ended it changes nothing. */
  #stop(execution: FakeExecution): object {
    if (execution.state === 'QUEUED' || execution.state === 'RUNNING') {
      execution.state = 'CANCELLED';
      execution.reason = 'Query cancelled by user';
    }
    return {};
  }
}

/** @throws Refusal */
function mayStart({ sql, workgroup, outputLocation }: StartInput): void {
  if (!WORKGROUPS.has(workgroup)) throw new Refusal('INVALID_INPUT', 'WorkGroup is not found.');
  const location = outputLocation ?? WORKGROUPS.get(workgroup);
  if (location === undefined) throw new Refusal('INVALID_INPUT', NO_OUTPUT_LOCATION);
  if (!/^s3:\/\/[^/]+(\/.*)?$/.test(location)) {
    throw new Refusal('INVALID_INPUT', 'outputLocation is not a valid S3 path.');
  }
  const [problem] = trinoProblems(sql);
  if (problem !== undefined) throw new Refusal('MALFORMED_QUERY', `line ${problem}`);
}

function columnInfo({ name, type }: { readonly name: string; readonly type: string }): object {
  const ofTable = { CatalogName: 'hive', SchemaName: '', TableName: '' };
  return { ...ofTable, Name: name, Label: name, Type: type, Nullable: 'UNKNOWN' };
}

/** Opaque to clients, and good for one query. */
function tokenOf(id: string, offset: number): string {
  return Buffer.from(`${id}/${offset}`).toString('base64url');
}

function offsetOf(token: string, id: string): number {
  const [ofId, offset] = Buffer.from(token, 'base64url').toString().split('/');
  must(ofId === id && offset !== undefined, 'InvalidRequestException', `nextToken ${token} is not valid`);
  return Number(offset);
}
