import { backoffMs, THROTTLED, TRANSIENT, type BackoffPolicy } from '../backoff.ts';
import type { SinkError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Rejected } from '../sinks/sink.ts';

/** How often a sink that is down is tried, each time with a real request. */
const PROBE_INTERVAL_MS = 5_000;
/** How often a sink that keeps failing is logged. */
const WARN_INTERVAL_MS = 30_000;

export interface SinkHealthOptions {
  readonly log: Log;
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
  #warnedAtMs = -Infinity;

  constructor(options: SinkHealthOptions) {
    this.#options = options;
  }

  /** Whether the latest call got through: false after a failure of a whole call, other than throttling. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** When the next call may be made, in milliseconds since the epoch. */
  get resumeAtMs(): number {
    return this.#resumeAtMs;
  }

  /** Whether a request may come in: always, save to a sink that needs mending, where one at a time is the probe. */
  tryAdmit(): boolean {
    if (this.#probeAtMs === undefined) return true;
    const now = this.#options.now();
    if (now < this.#probeAtMs) return false;
    this.#probeAtMs = now + PROBE_INTERVAL_MS;
    return true;
  }

  /** A call got through, save for some of its records. `startedAtMs` is when it was made. */
  noteAnswer(rejected: readonly Rejected[], startedAtMs: number): void {
    if (!this.#isUp) this.#options.log.info('the sink accepts records again');
    this.#isUp = true;
    this.#probeAtMs = undefined;
    this.#warnedAtMs = -Infinity;
    const isThrottled = rejected.some(({ failure }) => failure === 'throttled');
    const isTransient = rejected.some(({ failure }) => failure === 'transient');
    if (isThrottled || isTransient) this.#holdBack(isThrottled ? THROTTLED : TRANSIENT, startedAtMs);
    else this.#failuresInRow = 0;
  }

  /** A call failed as a whole. `startedAtMs` is when it was made. */
  noteFailure(error: SinkError, startedAtMs: number): void {
    const { log, now } = this.#options;
    if (error.failure === 'throttled') {
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
    if (this.#probeAtMs === undefined) {
      log.error(
        { ...details, mend: error.mend },
        'the sink is down until this is mended; writes are answered 503, so that their senders keep the samples',
      );
    }
    this.#probeAtMs = now() + PROBE_INTERVAL_MS;
  }

  #holdBack(policy: BackoffPolicy, startedAtMs: number): void {
    const { now, random } = this.#options;
    // Calls that were under way together fail together: they count as one failure.
    if (this.#failuresInRow > 0 && startedAtMs < this.#resumeAtMs) return;
    this.#failuresInRow++;
    this.#resumeAtMs = now() + backoffMs(policy, this.#failuresInRow, random());
  }
}
