/**
 * How many calls may be under way at once: one more for every window of calls that got through, half as many when the sink throttles. Additive
 * increase and multiplicative decrease is what shares a limit fairly among writers that do not know of each other (TCP, RFC 5681 §3.1).
 */
export class CallWindow {
  readonly #maxCalls: number;
  #calls: number;
  #loweredAtMs = -Infinity;

  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
    this.#calls = Math.min(maxCalls, FIRST_CALLS);
  }

  get calls(): number {
    return Math.max(1, Math.floor(this.#calls));
  }

  /**
   * How much of its room a call may fill, up to 1: a call of packed records can hold more than a few shards take in seconds, and most of it would be
   * sent in vain, again and again.
   */
  get share(): number {
    return Math.min(1, this.#calls);
  }

  noteSuccess(): void {
    this.#calls = Math.min(this.#maxCalls, this.#calls + Math.min(this.#calls, 1 / this.#calls));
  }

  /** A call that was made at `startedAtMs` was throttled. Those that were under way when the window was lowered say nothing new. */
  noteThrottled(startedAtMs: number, nowMs: number): void {
    if (startedAtMs < this.#loweredAtMs) return;
    this.#loweredAtMs = nowMs;
    this.#calls = Math.max(LEAST_SHARE, this.#calls / 2);
  }
}

/** A request of Prometheus's default size is four calls of one line per record. */
const FIRST_CALLS = 4;
/** Of 5 MiB this leaves a dozen records of 25 KB. */
const LEAST_SHARE = 1 / 16;
