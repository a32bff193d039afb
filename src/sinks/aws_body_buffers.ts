/** Larger ones are not worth holding: few calls are. */
const MAX_KEPT_BYTES = 512 * 1024;
/** Sizes are rounded up to multiples of this, so that the next call, which is about as long, finds room. */
const STEP_BYTES = 32 * 1024;

/**
 * Buffers for the bodies of calls, used again: a new one costs as much as writing a body into it does, as the system hands out and clears
 * its pages anew. Holds at most `most` of them.
 */
export class BodyBuffers {
  readonly #most: number;
  readonly #kept: Buffer[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** A buffer of so many bytes, of any content. It is the caller's, until it is given back if ever. */
  take(bytes: number): Buffer {
    const kept = this.#kept.findIndex(({ length }) => length >= bytes);
    const [whole = Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES)] =
      kept < 0 ? [] : this.#kept.splice(kept, 1);
    return whole.subarray(0, bytes);
  }

  /** Takes back what `take` gave, which nobody reads or writes any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (this.#kept.length < this.#most && buffer.byteLength <= MAX_KEPT_BYTES)
      this.#kept.push(Buffer.from(buffer as ArrayBuffer));
  }
}
