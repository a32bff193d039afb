import { setMaxListeners } from 'node:events';
import { messageOf, SinkError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Lines } from '../record.ts';
import { countRecords, type Batch, type Rejected, type Sink } from '../sinks/sink.ts';
import { bytesOf, LineQueue, type Room } from './batch.ts';
import { countBill } from './bill.ts';
import type { BufferPool } from '../buffer_pool.ts';
import { CallWindow } from './call_window.ts';
import { DrainRate } from './drain_rate.ts';
import { isolate } from './isolate.ts';
import { Ledger, type DeliverOptions, type Outcome, type Spans } from './ledger.ts';
import { createPacker, type Packer, type Packing, type Verdicts } from './pack.ts';
import { SinkHealth } from './sink_health.ts';

export interface DeliveryOptions {
  readonly sink: Sink;
  readonly packing: Packing;
  readonly pool: BufferPool;
  /** What a packed record aims at, in bytes. */
  readonly recordBytes: number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly flushIntervalMs: number;
  readonly deliveryTimeoutMs: number;
  /** Requests that are being read, whose lines may fill the batch that waits. */
  readonly countReading: () => number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  readonly random?: () => number;
}

const PACKING_ADVICE =
  'a shard takes 1,000 records a second, and with packing none each sample is one; --packing gzip puts some 1,500 samples into a record';

/** How many more records are worth another call for each that is under way. */
const FILLS_PER_CALL = 2;
/** The weight of the newest request in the running number of lines that a request has. */
const REQUEST_WEIGHT = 0.1;

/**
 * Sends the lines of concurrent requests in shared batches, until the sink has accepted each line of a request or its time is over.
 *
 *     deliver ──► queue ──► pack ──► call ──► accepted ──► all lines of the request ──► delivered
 *                   ▲                  │
 *                   └──────────────────┴── not taken: back in their place, the next call held back
 *
 * This is the one retry loop. A delay holds back calls, never single lines, so that the oldest request always goes first.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #now: () => number;
  readonly #queue = new LineQueue<Spans[number]['request']>();
  readonly #packer: Packer;
  /** For finding out which line a sink refuses. */
  readonly #linePerRecord: Packer;
  readonly #ledger: Ledger;
  readonly #health: SinkHealth;
  readonly #window: CallWindow;
  readonly #drainRate = new DrainRate();
  readonly #calls = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;
  #linesPerRequest = 0;

  constructor(options: DeliveryOptions) {
    const { now = () => performance.now(), random = Math.random, sink } = options;
    this.#options = options;
    this.#now = now;
    const packing = { ...options, limits: sink.limits, random };
    this.#packer = createPacker(packing);
    this.#linePerRecord = createPacker({ ...packing, packing: 'none' });
    this.#ledger = new Ledger({ ...options, queue: this.#queue, now });
    const isLinePerRecord = options.packing === 'none' && sink.limits.billingUnitBytes !== undefined;
    const throttledAdvice = isLinePerRecord ? PACKING_ADVICE : undefined;
    this.#health = new SinkHealth({ ...options, throttledAdvice, now, random });
    this.#window = new CallWindow(sink.limits.maxCallsInFlight);
    // Each call under way listens to it: that is no leak, of which Node would warn.
    setMaxListeners(2 * sink.limits.maxCallsInFlight, this.#stopping.signal);
  }

  /** The longest line that makes a record, in bytes. */
  get maxLineBytes(): number {
    return this.#packer.maxLineBytes;
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

  /** Why another request may not come in; undefined when it may. */
  refusal(): 'sink_down' | 'overloaded' | undefined {
    if (!this.#canDrainInTime()) return 'overloaded';
    return this.#health.admits ? undefined : 'sink_down';
  }

  /**
   * Delivers the lines of one request.
   *
   * @param lines kept until `onUnreferenced`
   * @returns how it ended; never rejects
   */
  deliver(lines: Lines, options: DeliverOptions): Promise<Outcome> {
    this.#linesPerRequest += REQUEST_WEIGHT * (lines.ends.length - this.#linesPerRequest);
    const outcome = this.#ledger.enter(lines, options, this.#refusalOf(lines));
    this.pump();
    return outcome;
  }

  /** Why these lines are not sent at all: of requests that came in together to a sink that needs mending only one is its probe. */
  #refusalOf(lines: Lines): 'stopping' | 'sink_down' | undefined {
    if (this.#stopping.signal.aborted) return 'stopping';
    return lines.ends.length === 0 || this.#health.trySend() ? undefined : 'sink_down';
  }

  /** Makes the calls that are due. To be called when fewer requests are being read, too. */
  pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.count > 0 && this.#calls.size < this.#window.calls) {
      const waitMs = this.#waitMs();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      const call = this.#call(this.#take()).finally(() => {
        this.#calls.delete(call);
        this.pump();
      });
      this.#calls.add(call);
    }
    this.#drainRate.noteBusy(!this.#ledger.isEmpty, this.#now());
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

  /**
   * Whether one more request can be delivered in half of its time, by what the sink has been taking, behind those that came before. Sharing the sink
   * among more than that would let every request miss its deadline.
   */
  #canDrainInTime(): boolean {
    const reading = this.#options.countReading();
    if (this.#ledger.isEmpty && reading <= 1) return true;
    // One call that is never answered says nothing of what the sink could take besides.
    if (this.#queue.count === 0 && this.#mayCall()) return true;
    const rate = this.#drainRate.linesPerSecond(this.#now());
    if (rate === undefined) return true;
    const lines = this.#ledger.linesInFlight + reading * this.#linesPerRequest;
    return lines * 1000 <= (rate * this.#options.deliveryTimeoutMs) / 2;
  }

  /** Whether another call may be made now. */
  #mayCall(): boolean {
    return this.#calls.size < this.#window.calls && this.#health.resumeAtMs <= this.#now();
  }

  /** Milliseconds until the next call is due: later while calls are held back, or while a record may still fill. */
  #waitMs(): number {
    const heldBackMs = this.#health.resumeAtMs - this.#now();
    if (heldBackMs > 0) return heldBackMs;
    if (this.#queue.fills(this.#worthACall()) || this.#isDue()) return 0;
    return this.#flushAtMs() - this.#now();
  }

  /**
   * What is worth another call: two more records for each call that is under way, as many as a call may have. Most of what a call costs does not
   * depend on what it holds, so calls hold more of what comes in while others take their time, and there are few of them.
   */
  #worthACall(): Room {
    const { fill, perCall } = this.#packer;
    const { share } = this.#window;
    const fills = Math.min(
      1 + FILLS_PER_CALL * this.#calls.size,
      perCall.fills * share,
      (perCall.bytes * share) / fill.bytes,
    );
    return fills <= 1 ? fill : { ...fill, lines: fills * fill.lines, bytes: fills * fill.bytes };
  }

  /** Whether what waits has to go, however little it is. */
  #isDue(): boolean {
    if (this.#isDraining || this.#flushAtMs() <= this.#now()) return true;
    return !this.#packer.gainsByWaiting && this.#options.countReading() === 0;
  }

  #flushAtMs(): number {
    return (this.#queue.oldestQueuedAtMs ?? this.#now()) + this.#options.flushIntervalMs;
  }

  /** Takes the lines of one call: as many records as are full, and what is left when it is due. */
  #take(): Spans[] {
    const { fill, perCall, maxLineBytes } = this.#packer;
    const isDue = this.#isDue();
    const { share } = this.#window;
    const fills: Spans[] = [];
    let bytes = 0;
    do {
      const spans = this.#queue.take(fill);
      fills.push(spans);
      bytes += callBytes(spans, fill);
    } while (
      fills.length < perCall.fills * share &&
      bytes + Math.max(fill.bytes, maxLineBytes) <= perCall.bytes * share &&
      (this.#queue.fills(fill) || (isDue && this.#queue.count > 0))
    );
    return fills;
  }

  async #call(fills: readonly Spans[]): Promise<void> {
    const spans = fills.flat();
    this.#ledger.reference(spans);
    const startedAtMs = this.#now();
    try {
      const packing = this.#packer.pack(fills);
      const packed = packing instanceof Promise ? await packing : packing;
      this.#settle(packed.sort(await this.#send(packed.batch, startedAtMs)));
    } catch (error) {
      await this.#fail(spans, asSinkError(error), startedAtMs);
    } finally {
      this.#ledger.release(spans);
    }
  }

  async #send(batch: Batch, startedAtMs: number): Promise<readonly Rejected[]> {
    const { sink, metrics } = this.#options;
    const rejected = await sink.send(batch, this.#stopping.signal);
    metrics.sinkCalls.inc({ outcome: rejected.length === 0 ? 'accepted' : 'partial' });
    countBill(batch, { rejected, limits: sink.limits, metrics });
    this.#health.noteAnswer(rejected, countRecords(batch), startedAtMs);
    if (rejected.some(({ failure }) => failure === 'throttled')) this.#window.noteThrottled(startedAtMs, this.#now());
    else this.#window.noteSuccess();
    return rejected;
  }

  /** Books a call that got through. */
  #settle({ accepted, rejected }: Verdicts<Spans[number]>): void {
    this.#accept(accepted);
    for (const { spans, rejection } of rejected) {
      if (rejection.failure === 'refused') this.#ledger.refuse(spans, rejection);
      else this.#ledger.putBack(spans);
    }
  }

  #accept(spans: Spans): void {
    this.#drainRate.noteAccepted(countRecords(spans), this.#now());
    this.#ledger.accept(spans);
  }

  async #fail(spans: Spans, error: SinkError, startedAtMs: number): Promise<void> {
    this.#options.metrics.sinkCalls.inc({ outcome: error.failure });
    if (this.#stopping.signal.aborted) {
      // Cut off by stopping: it says nothing about the sink, and its requests have ended.
      return;
    }
    if (error.failure === 'refused') {
      await this.#isolate(spans, error);
      return;
    }
    if (error.failure === 'throttled') this.#window.noteThrottled(startedAtMs, this.#now());
    this.#health.noteFailure(error, startedAtMs);
    this.#ledger.putBack(spans);
    // What needs mending fails every call, so nothing is to be gained by waiting.
    if (error.failure === 'down') this.#ledger.endAll('sink_down');
  }

  /** A call was refused as a whole: finds the lines that are to blame, so that no good line goes with them. */
  async #isolate(spans: Spans, refusal: SinkError): Promise<void> {
    const { fill } = this.#linePerRecord;
    const isolated = await isolate(spans, {
      fits: (part) => countRecords(part) <= fill.lines && callBytes(part, fill) <= fill.bytes,
      send: (part) => this.#send(part, this.#now()),
    });
    this.#accept(isolated.accepted);
    this.#ledger.putBack(isolated.rest);
    if (isolated.accepted.length > 0) {
      this.#ledger.refuse(isolated.refused, refusal);
      return;
    }
    // Nothing was accepted, so it is not for its lines that the sink refuses the call.
    this.#ledger.putBack(isolated.refused);
    const mend = 'correct the name of the stream, or its ARN: the sink refuses every call';
    const error =
      isolated.error ?? new SinkError('down', refusal.message, { code: refusal.code, mend, cause: refusal });
    this.#health.noteFailure(error, this.#now());
    if (error.failure === 'down') this.#ledger.endAll('sink_down');
  }
}

function callBytes(spans: Spans, { overheadBytesPerLine }: Room): number {
  return spans.reduce((sum, span) => sum + bytesOf(span.lines, span) + (span.to - span.from) * overheadBytesPerLine, 0);
}

function asSinkError(error: unknown): SinkError {
  if (error instanceof SinkError) return error;
  return new SinkError('transient', messageOf(error), {
    code: error instanceof Error ? error.name : 'unknown',
    cause: error,
  });
}
