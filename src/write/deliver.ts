import { SinkError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Lines } from '../record.ts';
import type { Rejected, Sink } from '../sinks/sink.ts';
import { LineQueue } from './batch.ts';
import { Ledger, type DeliverOptions, type Outcome, type Spans } from './ledger.ts';
import { SinkHealth } from './sink_health.ts';

export interface DeliveryOptions {
  readonly sink: Sink;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly flushIntervalMs: number;
  readonly deliveryTimeoutMs: number;
  /** Whether a request is being read, whose lines may fill the batch that waits. */
  readonly isReading: () => boolean;
  readonly now?: () => number;
  readonly random?: () => number;
}

/**
 * Sends the lines of concurrent requests in shared batches, until the sink has accepted each line of a request or its time is over.
 *
 *     deliver ──► queue ──► call ──► accepted ──► all lines of the request ──► delivered
 *                   ▲         │
 *                   └─────────┴── not taken: back in their place, the next call held back
 *
 * This is the one retry loop. A delay holds back calls, never single lines, so that the oldest request always goes first.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #now: () => number;
  readonly #queue: LineQueue<Spans[number]['request']>;
  readonly #ledger: Ledger;
  readonly #health: SinkHealth;
  readonly #calls = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;

  constructor(options: DeliveryOptions) {
    const { now = Date.now, random = Math.random, sink } = options;
    this.#options = options;
    this.#now = now;
    this.#queue = new LineQueue(sink.limits);
    this.#ledger = new Ledger({ ...options, queue: this.#queue, now });
    this.#health = new SinkHealth({ ...options, now, random });
  }

  get isSinkUp(): boolean {
    return this.#health.isUp;
  }

  /** Lines under delivery that have not ended. */
  get linesInFlight(): number {
    return this.#ledger.linesInFlight;
  }

  /** Seconds since the oldest request under delivery came; 0 when there is none. */
  get oldestSeconds(): number {
    return this.#ledger.oldestSeconds;
  }

  /** Whether a request may come in, as far as the sink's health goes. */
  tryAdmit(): boolean {
    return this.#health.tryAdmit();
  }

  /**
   * Delivers the lines of one request.
   *
   * @param lines kept until `onUnreferenced`
   * @returns how it ended; never rejects
   */
  deliver(lines: Lines, options: DeliverOptions): Promise<Outcome> {
    const outcome = this.#ledger.enter(lines, options);
    if (this.#stopping.signal.aborted) this.#ledger.endAll('stopping');
    this.pump();
    return outcome;
  }

  /** Makes the calls that are due. To be called when `isReading` turns false, too. */
  pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { sink } = this.#options;
    while (this.#queue.count > 0 && this.#calls.size < sink.limits.maxCallsInFlight) {
      const waitMs = this.#waitMs();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      const call = this.#call(this.#queue.take()).finally(() => {
        this.#calls.delete(call);
        this.pump();
      });
      this.#calls.add(call);
    }
  }

  /** Sends what waits from now on without waiting for more. */
  drain(): void {
    this.#isDraining = true;
    this.pump();
  }

  /** Returns all that is under delivery to its senders, and waits for the calls under way to end. */
  async stop(): Promise<void> {
    this.#ledger.endAll('stopping');
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#calls);
  }

  /** Milliseconds until the next call is due: later while calls are held back, or while a batch may still fill. */
  #waitMs(): number {
    const now = this.#now();
    const heldBackMs = this.#health.resumeAtMs - now;
    if (heldBackMs > 0) return heldBackMs;
    if (this.#queue.isFull || this.#isDraining || !this.#options.isReading()) return 0;
    return (this.#queue.oldestQueuedAtMs ?? now) + this.#options.flushIntervalMs - now;
  }

  async #call(spans: Spans): Promise<void> {
    const { sink, metrics } = this.#options;
    const startedAtMs = this.#now();
    this.#ledger.reference(spans);
    try {
      const rejected = await sink.send(spans, this.#stopping.signal);
      metrics.sinkCalls.inc({ outcome: rejected.length === 0 ? 'accepted' : 'partial' });
      this.#health.noteAnswer(rejected, startedAtMs);
      this.#settle(spans, rejected);
    } catch (error) {
      this.#fail(spans, asSinkError(error), startedAtMs);
    } finally {
      this.#ledger.release(spans);
    }
  }

  /** Books a call that got through: `rejected` is ascending by index. */
  #settle(spans: Spans, rejected: readonly Rejected[]): void {
    let next = 0;
    let offset = 0;
    for (const span of spans) {
      const length = span.to - span.from;
      let accepted = span.from;
      for (; next < rejected.length && rejected[next]!.index < offset + length; next++) {
        const { index, failure, code, message } = rejected[next]!;
        const line = span.from + index - offset;
        this.#ledger.accept(span, accepted, line);
        accepted = line + 1;
        if (failure === 'refused') this.#ledger.refuse(span, { code, message });
        else this.#ledger.putBack(span, line, line + 1);
      }
      this.#ledger.accept(span, accepted, span.to);
      offset += length;
    }
  }

  #fail(spans: Spans, error: SinkError, startedAtMs: number): void {
    this.#options.metrics.sinkCalls.inc({ outcome: error.failure });
    // A call that was cut off by stopping says nothing about the sink.
    if (!this.#stopping.signal.aborted) this.#health.noteFailure(error, startedAtMs);
    for (const span of spans) this.#ledger.putBack(span, span.from, span.to);
    // What needs mending fails every call, so nothing is to be gained by waiting.
    if (error.failure === 'down' || error.failure === 'refused') this.#ledger.endAll('sink_down');
  }
}

function asSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SinkError('transient', message, { code: error instanceof Error ? error.name : 'unknown', cause: error });
}
