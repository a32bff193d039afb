/** Smaller ones are not kept. */
const LEAST_BYTES = 32 * 1024;
/** Neither are larger ones, which are rare. */
const MOST_BYTES = 4 * 1024 * 1024;
/** What is kept at most for later. */
export const MAX_IDLE_BYTES = 32 * 1024 * 1024;

/**
 * Buffers that are used again. Memory that is made anew for every request has to be zeroed or mapped by the kernel, and the garbage collector
 * marks the whole heap each time that enough of it was let go of.
 */
export class BufferPool {
  /** By their size, that of the longest unused first. */
  readonly #idle = new Map<number, Uint8Array<ArrayBuffer>[]>();
  #idleBytes = 0;

  /** A buffer of at least so many bytes, with whatever is in it; the caller's until it gives it back, or for good. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const size = bytes < LEAST_BYTES ? bytes : sizeFor(bytes);
    const buffer = this.#idleOf(size).pop();
    if (!buffer) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    this.#idleBytes -= size;
    return buffer;
  }

  /** Takes a buffer back that `take` returned, or a view of it. Nobody may read or write it any more. */
  give({ buffer }: Uint8Array): void {
    const size = buffer.byteLength;
    if (size < LEAST_BYTES || size > MOST_BYTES) return;
    this.#idleOf(size).push(new Uint8Array(buffer as ArrayBuffer));
    this.#idleBytes += size;
    if (this.#idleBytes > MAX_IDLE_BYTES) this.#dropUnused();
  }

  /** Buffers of a size, which are the last from now on that were used. */
  #idleOf(size: number): Uint8Array<ArrayBuffer>[] {
    const idle = this.#idle.get(size) ?? [];
    if (size < LEAST_BYTES || size > MOST_BYTES) return idle;
    this.#idle.delete(size);
    this.#idle.set(size, idle);
    return idle;
  }

  /** Makes room: who sends requests of another size than before asks for no more of the old ones. */
  #dropUnused(): void {
    for (const [size, idle] of this.#idle) {
      while (idle.length > 0 && this.#idleBytes > MAX_IDLE_BYTES) {
        idle.pop();
        this.#idleBytes -= size;
      }
      if (idle.length === 0) this.#idle.delete(size);
      if (this.#idleBytes <= MAX_IDLE_BYTES) return;
    }
  }
}

/** Few sizes, so that buffers of requests of about the same size can take each other's place: an eighth of a power of two apart. */
function sizeFor(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / 8;
  return Math.ceil(bytes / step) * step;
}
