import { backoffMs, THROTTLED, TRANSIENT, type BackoffPolicy } from '../backoff.ts';
import type { SinkError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Rejected } from '../sinks/sink.ts';

/** How often a sink that is down is tried, each time with a real request. */
const PROBE_INTERVAL_MS = 5_000;
/** How often a sink that keeps failing is logged. */
const WARN_INTERVAL_MS = 30_000;
/** Throttled for so long, with no longer pause than this, is more than a burst. */
const THROTTLED_LONG_MS = 60_000;
const THROTTLED_PAUSE_MS = 10_000;

export interface SinkHealthOptions {
  readonly log: Log;
  /** What helps against throttling; logged once when it lasts. Undefined where nothing does. */
  readonly throttledAdvice: string | undefined;
  readonly now: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

/**
 * What the outcomes of the sink's calls say about the next one.
 *
 *     up ── throttled or transient failure ──► up, calls held back ── success ──► up
 *      └──────── needs mending ──────────────► down, one request admitted as the probe every 5 s ── success ──► up
 */
export class SinkHealth {
  readonly #options: SinkHealthOptions;
  #failuresInRow = 0;
  #resumeAtMs = 0;
  #isUp = true;
  #probeAtMs: number | undefined;
  /** Why it needs mending, as it was logged. */
  #downCode: string | undefined;
  #warnedAtMs = -Infinity;
  /** When the throttling that goes on began, and when it was seen last. */
  #throttledSinceMs = -Infinity;
  #throttledAtMs = -Infinity;
  #hasAdvised = false;

  constructor(options: SinkHealthOptions) {
    this.#options = options;
  }

  /** Whether the latest call got through: false after a failure of a whole call, other than throttling. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** When the next call may be made, in milliseconds of the clock `now`. */
  get resumeAtMs(): number {
    return this.#resumeAtMs;
  }

  /** Whether a request may come in: always, save to a sink that needs mending, where it has to be time for the next probe. */
  get admits(): boolean {
    return this.#probeAtMs === undefined || this.#options.now() >= this.#probeAtMs;
  }

  /** Whether a request's lines may be sent; to a sink that needs mending, those of one request at a time, as the probe. */
  trySend(): boolean {
    if (!this.admits) return false;
    if (this.#probeAtMs !== undefined) this.#probeAtMs = this.#options.now() + PROBE_INTERVAL_MS;
    return true;
  }

  /**
   * A call of so many records got through, save for some of them. `startedAtMs` is when it was made.
   *
   * While the sink takes some of each call, waits do not grow, and are shorter the more it takes: a shard that throttles must not hold the others up,
   * nor a record in a hundred that fails its neighbours.
   */
  noteAnswer(rejected: readonly Rejected[], records: number, startedAtMs: number): void {
    if (!this.#isUp) this.#options.log.info('the sink accepts records again');
    this.#isUp = true;
    this.#probeAtMs = undefined;
    this.#downCode = undefined;
    this.#warnedAtMs = -Infinity;
    const count = (wanted: Rejected['failure']) => rejected.filter(({ failure }) => failure === wanted).length;
    const throttled = count('throttled');
    const transient = count('transient');
    const policy = throttled > 0 ? THROTTLED : TRANSIENT;
    if (throttled > 0) this.#noteThrottled();
    if (throttled + transient === records) {
      this.#holdBack(policy, startedAtMs);
      return;
    }
    this.#failuresInRow = 0;
    const share = (throttled > 0 ? throttled : transient) / records;
    const resumeAtMs = this.#options.now() + share * backoffMs(policy, 1, this.#options.random());
    this.#resumeAtMs = Math.max(this.#resumeAtMs, resumeAtMs);
  }

  /** A call failed as a whole. `startedAtMs` is when it was made. */
  noteFailure(error: SinkError, startedAtMs: number): void {
    const { log, now } = this.#options;
    if (error.failure === 'throttled') {
      this.#noteThrottled();
      this.#holdBack(THROTTLED, startedAtMs);
      return;
    }
    this.#isUp = false;
    const details = { code: error.code, error: error.message };
    if (error.failure === 'transient') {
      this.#holdBack(TRANSIENT, startedAtMs);
      if (now() < this.#warnedAtMs + WARN_INTERVAL_MS) return;
      this.#warnedAtMs = now();
      log.warn(details, 'the sink fails; its calls are retried');
      return;
    }
    // What needs mending may change: a disk that was full is read-only now.
    if (error.code !== this.#downCode) {
      this.#downCode = error.code;
      log.error(
        { ...details, mend: error.mend },
        'the sink is down until this is mended; writes are answered 503, so that their senders keep the samples',
      );
    }
    this.#probeAtMs = now() + PROBE_INTERVAL_MS;
  }

  #noteThrottled(): void {
    const { log, now, throttledAdvice } = this.#options;
    if (now() - this.#throttledAtMs > THROTTLED_PAUSE_MS) this.#throttledSinceMs = now();
    this.#throttledAtMs = now();
    if (this.#hasAdvised || throttledAdvice === undefined) return;
    if (this.#throttledAtMs - this.#throttledSinceMs < THROTTLED_LONG_MS) return;
    this.#hasAdvised = true;
    log.warn(`the sink has been throttling for a minute: ${throttledAdvice}`);
  }

  #holdBack(policy: BackoffPolicy, startedAtMs: number): void {
    const { now, random } = this.#options;
    // Calls that were under way together fail together: they count as one failure.
    if (this.#failuresInRow > 0 && startedAtMs < this.#resumeAtMs) return;
    this.#failuresInRow++;
    this.#resumeAtMs = now() + backoffMs(policy, this.#failuresInRow, random());
  }
}
