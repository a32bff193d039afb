/** What is measured over: long enough to span the waits after throttling. */
const WINDOW_MS = 10_000;
const BUCKET_MS = 500;
const BUCKETS = WINDOW_MS / BUCKET_MS;
/** Before this nothing is known. */
const LEAST_MS = 1_000;

/**
 * The lines that the sink accepts per second while it has as much as it can take. When nothing waits for it the rate says nothing about what it
 * could take, so measuring starts anew.
 */
export class DrainRate {
  readonly #accepted = new Array<number>(BUCKETS).fill(0);
  #bucket = 0;
  #busySinceMs: number | undefined;

  /** To be called whenever it may have changed. */
  noteBusy(isBusy: boolean, nowMs: number): void {
    if (isBusy === (this.#busySinceMs !== undefined)) return;
    this.#busySinceMs = isBusy ? nowMs : undefined;
    this.#accepted.fill(0);
    this.#bucket = Math.floor(nowMs / BUCKET_MS);
  }

  noteAccepted(lines: number, nowMs: number): void {
    if (this.#busySinceMs === undefined) return;
    this.#turn(nowMs);
    this.#accepted[this.#bucket % BUCKETS]! += lines;
  }

  /** Undefined while nothing is known. */
  linesPerSecond(nowMs: number): number | undefined {
    if (this.#busySinceMs === undefined || nowMs - this.#busySinceMs < LEAST_MS) return undefined;
    this.#turn(nowMs);
    const lines = this.#accepted.reduce((sum, count) => sum + count, 0);
    const measuredMs = Math.min(nowMs - this.#busySinceMs, WINDOW_MS - BUCKET_MS + (nowMs % BUCKET_MS));
    return (lines * 1000) / measuredMs;
  }

  /** Empties the buckets of the time that passed. */
  #turn(nowMs: number): void {
    const now = Math.floor(nowMs / BUCKET_MS);
    for (let steps = Math.min(now - this.#bucket, BUCKETS); steps > 0; steps--) {
      this.#accepted[(now - steps + 1) % BUCKETS] = 0;
    }
    this.#bucket = now;
  }
}
