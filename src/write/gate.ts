import { RequestError } from '../errors.ts';

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

/** What a request takes besides its body and its lines: the objects of its connection, its answer and its delivery, as measured with 30,000 of them. */
export const REQUEST_BYTES = 20 * 1024;

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

  /** Requests that are being read, whose lines may join those that wait. */
  get reading(): number {
    return this.#reading;
  }

  /**
   * @param bytes what the request says that it will hold; nothing of it is held before it comes
   * @returns undefined when there is no room for it
   */
  tryEnter(bytes: number): Pass | undefined {
    if (this.#passes > 0 && this.#heldBytes + REQUEST_BYTES + bytes > this.#maxBytes) return undefined;
    this.#passes++;
    this.#reading++;
    this.#heldBytes += REQUEST_BYTES;
    return this.#createPass();
  }

  #createPass(): Pass {
    let held = 0;
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
        this.#heldBytes -= REQUEST_BYTES;
        this.#passes--;
      },
    };
  }
}

/** What a request is answered that the gate has no room for. */
export function noRoom(): RequestError {
  return new RequestError('overloaded', 'too many bytes in flight (--max-in-flight-bytes)');
}
