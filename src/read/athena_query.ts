import { CommandError } from '../errors.ts';
import { Athena } from './athena.ts';
import type { AthenaApi, Execution } from './athena_api.ts';
import { sizeText, summaryOf } from './athena_cost.ts';
import { queryError } from './athena_errors.ts';
import { columnsOf, firstRowsOf, isPlan, rowsOf } from './athena_rows.ts';
import { runToItsEnd } from './athena_run.ts';
import { createOutput } from './output.ts';
import { print, type QueryIo } from './print.ts';
import { showProgress } from './progress.ts';
import type { QueryFormat } from './query_options.ts';
import type { Result } from './renderer.ts';

export interface AthenaQueryOptions {
  readonly format: QueryFormat;
  readonly workgroup: string;
  readonly database: string;
  readonly outputLocation?: string | undefined;
  readonly region?: string | undefined;
  readonly endpointUrl?: string | undefined;
  /** Aborted by Ctrl-C: the query is stopped, and the command ends with the CommandError "interrupted". */
  readonly signal?: AbortSignal | undefined;
}

/** https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html: QueryString */
const MAX_SQL_BYTES = 262_144;

/**
 * Runs SQL in Athena, and prints its result as it comes, page by page. A line on stderr says in the end what was scanned and what that costs.
 *
 * @throws CommandError for what the user can mend: wrong SQL (Athena's message), missing permissions, Ctrl-C; ConfigError without a region
 */
export async function queryAthena(sql: string, options: AthenaQueryOptions, io: QueryIo): Promise<void> {
  const { format, workgroup, database, outputLocation, region, endpointUrl } = options;
  const { signal = new AbortController().signal } = options;
  mustBeSent(sql);
  const log = { warn: (text: string) => void io.stderr.write(`warning: ${text}\n`) };
  const athena = await Athena.connect({ workgroup, database, outputLocation, region, endpointUrl, log });
  const seen: { execution?: Execution } = {};
  const progress = io.isTerminal ? showProgress(io.stderr, () => statusOf(seen.execution)) : undefined;
  try {
    const onStatus = (execution: Execution) => (seen.execution = execution);
    const ended = await runToItsEnd(athena, sql, { signal, onStatus });
    if (ended.state !== 'SUCCEEDED') {
      const what = `the query ${ended.state === 'FAILED' ? 'failed' : 'was cancelled'}`;
      throw queryError(what, ended.reason, athena.place);
    }
    await print(await resultOf(athena, ended, signal), format, createOutput(io.stdout, signal, progress));
  } catch (error) {
    throw signal.aborted && !(error instanceof CommandError) ? new CommandError('interrupted') : error;
  } finally {
    progress?.stop();
    if (seen.execution) io.stderr.write(`${summaryOf(seen.execution)}\n`);
    athena.close();
  }
}

function mustBeSent(sql: string): void {
  if (sql.trim() === '') throw new CommandError('the SQL is empty');
  const bytes = Buffer.byteLength(sql);
  if (bytes > MAX_SQL_BYTES)
    throw new CommandError(`the SQL has ${bytes} bytes; Athena takes ${MAX_SQL_BYTES} at most`);
}

function statusOf(execution: Execution | undefined): string {
  if (!execution) return 'starting';
  const { state, scannedBytes } = execution;
  const status = state === 'SUCCEEDED' ? 'reading the result' : state.toLowerCase();
  return scannedBytes === 0 ? status : `${status}, ${sizeText(scannedBytes)} scanned`;
}

/** The result of a query that succeeded. One page of it is held at a time. */
async function resultOf(
  athena: AthenaApi,
  { id, statementType }: Execution,
  signal: AbortSignal,
): Promise<Result<string>> {
  let page = await athena.page(id, undefined, signal);
  return {
    columns: columnsOf(page.columns),
    isPlan: isPlan(page.columns),
    async *chunks() {
      yield firstRowsOf(page, statementType);
      while (page.next !== undefined) {
        page = await athena.page(id, page.next, signal);
        yield rowsOf(page);
      }
    },
  };
}
