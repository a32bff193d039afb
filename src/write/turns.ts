/** What the work of one turn may take, in milliseconds, before what comes next waits for another: timers and sockets have theirs in between. */
const TURN_MS = 10;

/** Shares out the turns of the event loop among pieces of work, first come, first served. */
export class Turns {
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #startedAtMs: number | undefined;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Does a piece of work: at once while this turn has time left and nothing else waits, else in one of the next. Rejects with what it throws. */
  run<Result>(work: () => Result): Promise<Result> {
    if (this.#waiting.length === 0 && this.#hasTime()) return attempt(work);
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(attempt(work)));
    });
  }

  #hasTime(): boolean {
    if (this.#startedAtMs === undefined) {
      this.#startedAtMs = this.#now();
      setImmediate(this.#onTurnEnd);
      return true;
    }
    return this.#now() - this.#startedAtMs < TURN_MS;
  }

  readonly #onTurnEnd = (): void => {
    this.#startedAtMs = undefined;
    while (this.#waiting.length > 0 && this.#hasTime()) this.#waiting.shift()!();
  };
}

function attempt<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
