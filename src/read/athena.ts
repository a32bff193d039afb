import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { clientSettings, regionOf, type AwsClientOptions } from '../aws_client.ts';
import type { AthenaApi, AthenaPage, Execution } from './athena_api.ts';
import { callError, type AthenaPlace } from './athena_errors.ts';

export interface AthenaOptions extends AwsClientOptions {
  readonly workgroup: string;
  readonly database: string;
  /** Undefined leaves it to the workgroup. */
  readonly outputLocation: string | undefined;
}

/**
 * Every call here may be made again without harm, StartQueryExecution by its token, so the SDK's own retries do. They outlast some seconds
 * without a network and, as their delays are longer then, most of a minute of throttling.
 */
const CALLS = { maxSockets: 2, maxAttempts: 9 } as const;
/** The most that GetQueryResults gives: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html */
const ROWS_PER_PAGE = 1_000;

/** Athena through the AWS SDK. */
export class Athena implements AthenaApi {
  readonly #client: AthenaClient;
  readonly #options: AthenaOptions;
  readonly place: AthenaPlace;

  private constructor(client: AthenaClient, options: AthenaOptions, region: string) {
    this.#client = client;
    this.#options = options;
    this.place = { workgroup: options.workgroup, database: options.database, region };
  }

  /** @throws ConfigError when no region is to be found */
  static async connect(options: AthenaOptions): Promise<Athena> {
    const client = new AthenaClient(clientSettings(options, CALLS));
    return new Athena(client, options, await regionOf(client, 'Athena'));
  }

  async start(sql: string, token: string, signal: AbortSignal): Promise<string> {
    const { workgroup, database, outputLocation } = this.#options;
    const command = new StartQueryExecutionCommand({
      QueryString: sql,
      ClientRequestToken: token,
      QueryExecutionContext: { Database: database },
      WorkGroup: workgroup,
      ...(outputLocation === undefined ? {} : { ResultConfiguration: { OutputLocation: outputLocation } }),
    });
    const started = await this.#call('StartQueryExecution', signal, (options) => this.#client.send(command, options));
    return started.QueryExecutionId ?? '';
  }

  async status(id: string, signal: AbortSignal): Promise<Execution> {
    const command = new GetQueryExecutionCommand({ QueryExecutionId: id });
    const answer = await this.#call('GetQueryExecution', signal, (options) => this.#client.send(command, options));
    const { Status: status, Statistics: statistics, StatementType: statementType } = answer.QueryExecution ?? {};
    return {
      id,
      state: status?.State ?? 'QUEUED',
      reason: status?.StateChangeReason ?? status?.AthenaError?.ErrorMessage ?? '',
      statementType,
      scannedBytes: statistics?.DataScannedInBytes ?? 0,
      totalMs: statistics?.TotalExecutionTimeInMillis ?? statistics?.EngineExecutionTimeInMillis ?? 0,
    };
  }

  async page(id: string, next: string | undefined, signal: AbortSignal): Promise<AthenaPage> {
    const command = new GetQueryResultsCommand({
      QueryExecutionId: id,
      MaxResults: ROWS_PER_PAGE,
      ...(next === undefined ? {} : { NextToken: next }),
    });
    const answer = await this.#call('GetQueryResults', signal, (options) => this.#client.send(command, options));
    const { ResultSet: result, UpdateCount: updateCount, NextToken: following } = answer;
    return {
      columns: (result?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '', Type = '' }) => ({
        name: Name,
        type: Type,
      })),
      rows: (result?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue: text = null }) => text)),
      updateCount,
      next: following,
    };
  }

  async stop(id: string, signal: AbortSignal): Promise<void> {
    const command = new StopQueryExecutionCommand({ QueryExecutionId: id });
    await this.#call('StopQueryExecution', signal, (options) => this.#client.send(command, options));
  }

  close(): void {
    this.#client.destroy();
  }

  async #call<Answer>(
    action: string,
    signal: AbortSignal,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    signal.throwIfAborted();
    try {
      return await send({ abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      throw callError(error, action, this.place);
    }
  }
}
