import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Lines } from '../record.ts';
import { bytesOf, type LineQueue, type Range, type RequestSpan, type Waiting } from './batch.ts';

/** Why lines go back to the sender; the label `reason` of the returned lines' counter. */
export type ReturnReason = 'deadline' | 'aborted' | 'stopping' | 'sink_down';

/** How the delivery of a request ended. */
export interface Outcome {
  readonly ending: 'delivered' | ReturnReason;
  /** Lines that the sink refused for good. */
  readonly refused: number;
  /** The lines that the sink had accepted by then. */
  readonly accepted: readonly Range[];
}

export interface DeliverOptions {
  /** When the request came, in milliseconds of the clock `now`; its deadline is the delivery timeout after this. */
  readonly arrivedAtMs: number;
  /** Aborted when the sender went away. */
  readonly signal: AbortSignal;
  /** Called once no call carries the request's lines any more, which may be after the delivery ended. */
  readonly onUnreferenced: () => void;
}

/** A request under delivery. Each of its lines waits in the queue, is in a call, or is settled: accepted or refused. */
interface Request extends DeliverOptions, Waiting {
  readonly resolve: (outcome: Outcome) => void;
  readonly deadline: NodeJS.Timeout;
  readonly onAbort: () => void;
  settled: number;
  refused: number;
  readonly accepted: Range[];
  /** Spans of it in calls under way. */
  references: number;
  hasEnded: boolean;
}

/** The lines of one call. */
export type Spans = readonly RequestSpan<Request>[];

export interface LedgerOptions {
  readonly queue: LineQueue<Request>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly deliveryTimeoutMs: number;
  readonly now: () => number;
}

/** The requests under delivery, and what became of each of their lines: a line is settled once, and a request ends once. */
export class Ledger {
  readonly #options: LedgerOptions;
  /** Oldest first. */
  readonly #requests = new Set<Request>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#requests.size === 0;
  }

  /** Lines that are not settled yet. */
  get linesInFlight(): number {
    let count = 0;
    for (const { lines, settled } of this.#requests) count += lines.ends.length - settled;
    return count;
  }

  /** Seconds since the oldest request came; 0 when there is none. */
  get oldestSeconds(): number {
    for (const { arrivedAtMs } of this.#requests) return (this.#options.now() - arrivedAtMs) / 1000;
    return 0;
  }

  /**
   * Queues the lines of a request.
   *
   * @param refusal why it ends at once; undefined when it does not
   * @returns resolves when it ends
   */
  enter(lines: Lines, options: DeliverOptions, refusal?: ReturnReason): Promise<Outcome> {
    const { queue, deliveryTimeoutMs, now } = this.#options;
    return new Promise((resolve) => {
      const request: Request = {
        ...options,
        lines,
        queuedAtMs: now(),
        ranges: [],
        resolve,
        deadline: setTimeout(
          () => this.#end(request, 'deadline'),
          Math.max(0, options.arrivedAtMs + deliveryTimeoutMs - now()),
        ),
        onAbort: () => this.#end(request, 'aborted'),
        settled: 0,
        refused: 0,
        accepted: [],
        references: 0,
        hasEnded: false,
      };
      options.signal.addEventListener('abort', request.onAbort);
      this.#requests.add(request);
      queue.add(request);
      if (options.signal.aborted) request.onAbort();
      else if (refusal !== undefined) this.#end(request, refusal);
      else this.#endIfSettled(request);
    });
  }

  /** Keeps the lines of a call referenced until `release`. */
  reference(spans: Spans): void {
    for (const { request } of spans) request.references++;
  }

  release(spans: Spans): void {
    for (const { request } of spans) {
      request.references--;
      this.#releaseIfUnreferenced(request);
    }
  }

  /** The sink has these lines. Those of a request that has ended are only counted: its sender sends them again. */
  accept(spans: Spans): void {
    const { metrics } = this.#options;
    for (const span of spans) {
      const { request, from, to } = span;
      metrics.bytesDelivered.inc(bytesOf(span.lines, span));
      (request.hasEnded ? metrics.linesDeliveredLate : metrics.linesDelivered).inc(to - from);
      if (!request.hasEnded) addRange(request.accepted, { from, to });
      this.#settle(request, to - from);
    }
  }

  /** The sink will never take these lines. */
  refuse(spans: Spans, why: { readonly code: string; readonly message: string }): void {
    const { metrics, log } = this.#options;
    for (const { request, from, to } of spans) {
      if (request.hasEnded) continue;
      metrics.linesRejected.inc({ reason: 'refused_by_sink' }, to - from);
      log.error({ code: why.code, error: why.message }, 'the sink refused a record for good');
      request.refused += to - from;
      this.#settle(request, to - from);
    }
  }

  /** These lines were not taken, and are to be sent again. */
  putBack(spans: Spans): void {
    const { metrics, queue } = this.#options;
    for (const { request, from, to } of spans) {
      if (request.hasEnded) continue;
      metrics.linesRetried.inc(to - from);
      queue.putBack(request, { from, to });
    }
  }

  /** Returns everything that is not settled to its senders. */
  endAll(reason: ReturnReason): void {
    for (const request of this.#requests) this.#end(request, reason);
  }

  #settle(request: Request, count: number): void {
    request.settled += count;
    this.#endIfSettled(request);
  }

  #endIfSettled(request: Request): void {
    if (request.settled === request.lines.ends.length) this.#end(request, 'delivered');
  }

  #end(request: Request, ending: Outcome['ending']): void {
    if (request.hasEnded) return;
    const { queue, metrics, now } = this.#options;
    request.hasEnded = true;
    clearTimeout(request.deadline);
    request.signal.removeEventListener('abort', request.onAbort);
    this.#requests.delete(request);
    queue.remove(request);
    if (ending === 'delivered') metrics.deliveryDuration.observe((now() - request.arrivedAtMs) / 1000);
    else metrics.linesReturned.inc({ reason: ending }, request.lines.ends.length - request.settled);
    request.resolve({ ending, refused: request.refused, accepted: request.accepted });
    this.#releaseIfUnreferenced(request);
  }

  #releaseIfUnreferenced(request: Request): void {
    if (request.hasEnded && request.references === 0) request.onUnreferenced();
  }
}

/** Most ranges follow the last one. */
function addRange(ranges: Range[], { from, to }: Range): void {
  const last = ranges.at(-1);
  if (last?.to === from) ranges[ranges.length - 1] = { from: last.from, to };
  else ranges.push({ from, to });
}
