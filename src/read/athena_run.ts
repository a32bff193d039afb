import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError, messageOf } from '../errors.ts';
import type { AthenaApi, Execution } from './athena_api.ts';

export interface RunOptions {
  /** Aborting stops the query. */
  readonly signal: AbortSignal;
  readonly onStatus: (execution: Execution) => void;
}

const ENDED: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED']);
/** After Ctrl-C, for the answer to a start that is under way and then for the stop: a call whose answer is lost is made again after 10 s. */
const LEAVE_WITHIN_MS = 15_000;

/**
 * Runs a query to its end, whichever that is. Nothing is left running: when the signal is aborted or a call fails for good, the query is
 * stopped, also one of which Athena has not said yet that it is started. Only of a start that never gets an answer nobody knows.
 *
 * @returns how it ended
 * @throws the signal's reason, or a CommandError
 */
export async function runToItsEnd(
  athena: AthenaApi,
  sql: string,
  { signal, onStatus }: RunOptions,
): Promise<Execution> {
  signal.throwIfAborted();
  const leaving = leavingAfter(signal);
  // Not ended by the signal: what was sent may start the query, and only the answer says which it is.
  const id = await athena.start(sql, randomUUID(), leaving);
  try {
    return await follow(athena, id, { signal, onStatus });
  } catch (error) {
    await mustStop(athena, id, { signal: leaving, why: signal.aborted ? 'interrupted' : messageOf(error) });
    // What it had scanned by then is paid.
    const last = await athena.status(id, leaving).catch(() => undefined);
    if (last) onStatus(ENDED.has(last.state) ? last : { ...last, state: 'CANCELLED' });
    throw error;
  }
}

async function follow(athena: AthenaApi, id: string, { signal, onStatus }: RunOptions): Promise<Execution> {
  const startedMs = performance.now();
  for (;;) {
    const execution = await athena.status(id, signal);
    onStatus(execution);
    if (ENDED.has(execution.state)) return execution;
    await sleep(pollAfterMs(performance.now() - startedMs), undefined, { signal });
  }
}

/** How long to wait before asking again: a tenth of the time that the query has taken, so that asking makes it no more than that longer. */
export function pollAfterMs(elapsedMs: number): number {
  return Math.min(5_000, Math.max(200, elapsedMs / 10));
}

async function mustStop(
  athena: AthenaApi,
  id: string,
  { signal, why }: { readonly signal: AbortSignal; readonly why: string },
): Promise<void> {
  try {
    await athena.stop(id, signal);
  } catch (error) {
    throw new CommandError(
      `${why}\nThe query may still run, because it could not be stopped (${messageOf(error)}): ` +
        `aws athena stop-query-execution --query-execution-id ${id}`,
    );
  }
}

/** A signal that follows another after the time that it takes to clean up. */
function leavingAfter(signal: AbortSignal): AbortSignal {
  const leaving = new AbortController();
  const leave = () => {
    leaving.abort(
      new CommandError('interrupted; Athena did not answer in time, so a query may still run: see its list'),
    );
  };
  signal.addEventListener('abort', () => setTimeout(leave, LEAVE_WITHIN_MS).unref(), { once: true });
  return leaving.signal;
}
