/** A request's leave to be read, and the share of memory that it holds until its lines are referenced no more. */
export interface Pass {
  /** The most bytes that it may hold, as things stand. */
  readonly roomBytes: number;

  /** Sets what it holds; false, and nothing changed, when that is over its room. */
  readonly tryHold: (bytes: number) => boolean;

  /** The request has been read: its lines are queued, or it is refused. Again is no harm. */
  readonly endReading: () => void;

  /** Gives everything back. Once only. */
  readonly release: () => void;
}

/**
 * Admission by bytes: bodies while they are read, lines until the last sink call that carries them has ended. Nobody waits here: what does not fit
 * is refused, and the sender's WAL keeps it. A request alone in flight always fits, so that no request is refused for ever.
 */
export class Gate {
  readonly #maxBytes: number;
  #heldBytes = 0;
  #passes = 0;
  #reading = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a request is being read, whose lines may join those that wait. */
  get isReading(): boolean {
    return this.#reading > 0;
  }

  /** @returns undefined when there is no room for so many bytes */
  tryEnter(bytes: number): Pass | undefined {
    if (this.#passes > 0 && this.#heldBytes + bytes > this.#maxBytes) return undefined;
    this.#passes++;
    this.#reading++;
    this.#heldBytes += bytes;
    return this.#createPass(bytes);
  }

  #createPass(bytes: number): Pass {
    let held = bytes;
    let isReading = true;
    const roomBytes = () => (this.#passes === 1 ? Infinity : this.#maxBytes - this.#heldBytes + held);
    const hold = (next: number) => {
      this.#heldBytes += next - held;
      held = next;
    };
    const endReading = () => {
      if (isReading) this.#reading--;
      isReading = false;
    };
    return {
      get roomBytes() {
        return roomBytes();
      },
      tryHold: (next) => {
        if (next > held && next > roomBytes()) return false;
        hold(next);
        return true;
      },
      endReading,
      release: () => {
        endReading();
        hold(0);
        this.#passes--;
      },
    };
  }
}
