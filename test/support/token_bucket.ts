/** What AWS takes in a second. */
export interface Throughput {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** A capacity that refills steadily, up to one second's worth. Without a limit it takes everything. */
export class TokenBucket {
  readonly #limits: Throughput | undefined;
  #records: number;
  #bytes: number;
  #filledAt = performance.now();

  constructor(limits: Throughput | undefined) {
    this.#limits = limits;
    this.#records = limits?.recordsPerSecond ?? 0;
    this.#bytes = limits?.bytesPerSecond ?? 0;
  }

  /** Takes one record of so many bytes, where there is room for it. */
  tryTake(bytes: number): boolean {
    if (!this.#limits) return true;
    const { recordsPerSecond, bytesPerSecond } = this.#limits;
    const now = performance.now();
    const seconds = (now - this.#filledAt) / 1_000;
    this.#filledAt = now;
    this.#records = Math.min(recordsPerSecond, this.#records + seconds * recordsPerSecond);
    this.#bytes = Math.min(bytesPerSecond, this.#bytes + seconds * bytesPerSecond);
    if (this.#records < 1 || this.#bytes < bytes) return false;
    this.#records -= 1;
    this.#bytes -= bytes;
    return true;
  }
}
