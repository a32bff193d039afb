/** Buffers are made in these steps, so that those of requests of about the same size can take each other's place. Smaller ones are not kept. */
const STEP_BYTES = 64 * 1024;
/** Neither are larger ones, which are rare. */
const MAX_POOLED_BYTES = 4 * 1024 * 1024;
/** What is kept at most for later. */
const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/**
 * Buffers that are used again. Memory that is made anew for every request has to be zeroed or mapped by the kernel, and the garbage collector
 * marks the whole heap each time that enough of it was let go of.
 */
export class BufferPool {
  readonly #idle = new Map<number, Uint8Array<ArrayBuffer>[]>();
  #idleBytes = 0;

  /** A buffer of at least so many bytes, with whatever is in it; the caller's until it gives it back, or for good. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const size = bytes < STEP_BYTES / 2 ? bytes : Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
    const buffer = this.#idle.get(size)?.pop();
    if (!buffer) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    this.#idleBytes -= size;
    return buffer;
  }

  /** Takes a buffer back that `take` returned, or a view of it. Nobody may read or write it any more. */
  give({ buffer }: Uint8Array): void {
    const size = buffer.byteLength;
    if (size < STEP_BYTES || size > MAX_POOLED_BYTES || this.#idleBytes + size > MAX_IDLE_BYTES) return;
    const idle = this.#idle.get(size);
    if (idle) idle.push(new Uint8Array(buffer as ArrayBuffer));
    else this.#idle.set(size, [new Uint8Array(buffer as ArrayBuffer)]);
    this.#idleBytes += size;
  }
}
