import type { BufferPool } from '../buffer_pool.ts';
import { Kernel } from '../kernel/kernel.ts';
import { decodeSnappySlices, readDeclaredLength } from '../wire/snappy.ts';
import { Flattener, type Flattened, type FlattenOptions } from './flatten.ts';
import type { MetadataSet } from './metadata_set.ts';
import { Turns } from './turns.ts';

/** What a request may take in the fast lane, in milliseconds. Of 2,000 samples it takes one. */
const FAST_MS = 20;
/** What a slice of the slow lane takes: its work comes on top of a turn's. */
const SLICE_MS = 10;

export interface LaneOptions extends Omit<FlattenOptions, 'maxLinesBytes'> {
  readonly maxBodyBytes: number;
  /** How many bytes of lines it may become, as things stand when that begins. */
  readonly maxLinesBytes: () => number;
  /** Called with its length, decompressed, when it goes to the slow lane. What it throws ends it. */
  readonly onSlow: (bytes: number) => void;
  /** Throws when nobody wants it any more. */
  readonly checkWanted: () => void;
}

/**
 * Decompresses and flattens requests. Nearly all take the fast lane, each in one go. One that is large, or turns out to take long, is done anew in the slow lane,
 * one after the other, in slices: however laborious a body was made, the others go on meanwhile.
 */
export class Lanes {
  readonly #seen: MetadataSet;
  readonly #createLane: () => Lane;
  readonly #turns: Turns;
  readonly #fast: Lane;
  #slow: Lane | undefined;
  /** Resolved when the slow lane is free. */
  #slowEnd: Promise<unknown> = Promise.resolve();

  constructor({ seen, pool, turns = new Turns() }: { seen: MetadataSet; pool: BufferPool; turns?: Turns }) {
    this.#seen = seen;
    this.#createLane = () => new Lane(seen, pool);
    this.#turns = turns;
    this.#fast = this.#createLane();
  }

  /** @throws RequestError invalid_snappy, invalid_protobuf, lines_too_large; and what `checkWanted` throws */
  async flatten(body: Uint8Array, options: LaneOptions): Promise<Flattened> {
    const { length } = readDeclaredLength(body, options.maxBodyBytes);
    if (this.#fast.isLarge(body.length, length)) return this.#flattenSlowly(body, options);
    const { value } = await this.#turns.run(() => {
      // Its sender may have gone while it waited for its turn.
      options.checkWanted();
      return this.#fast.slices(body, options, timer(FAST_MS)).next();
    });
    return value ?? this.#flattenSlowly(body, options);
  }

  /** Notes the metadata of a request as written: it need not be written again. */
  async noteWritten(metadata: MetadataSet, nowMs: number): Promise<void> {
    await this.#runSlices((isTimeUp) => this.#seen.addAll(metadata, nowMs, isTimeUp));
  }

  async #flattenSlowly(body: Uint8Array, options: LaneOptions): Promise<Flattened> {
    options.onSlow(readDeclaredLength(body, options.maxBodyBytes).length);
    const flattened = this.#slowEnd.then(() => this.#flattenInSlices(body, options));
    // Without its lines, which are not to be held until the next one.
    const end = () => undefined;
    this.#slowEnd = flattened.then(end, end);
    return flattened;
  }

  async #flattenInSlices(body: Uint8Array, options: LaneOptions): Promise<Flattened> {
    const slow = (this.#slow ??= this.#createLane());
    return this.#runSlices((isTimeUp) => slow.slices(body, options, isTimeUp), options.checkWanted);
  }

  /** @param checkWanted called before each slice */
  async #runSlices<Result>(start: StartSlices<Result>, checkWanted?: () => void): Promise<Result> {
    let isTimeUp = timer(SLICE_MS);
    const slices = start(() => isTimeUp());
    for (;;) {
      checkWanted?.();
      const { done, value } = await this.#turns.run(() => {
        isTimeUp = timer(SLICE_MS);
        return slices.next();
      });
      if (done) return value;
    }
  }
}

type StartSlices<Result> = (isTimeUp: () => boolean) => Generator<undefined, Result>;

/** A flattener, and the memory that it works in. */
class Lane {
  readonly #kernel = new Kernel();
  readonly #flattener: Flattener;

  constructor(seen: MetadataSet, pool: BufferPool) {
    this.#flattener = new Flattener(seen, this.#kernel, pool);
  }

  /** Whether a body that decompresses to so many bytes is too large for the kernel. */
  isLarge(bodyBytes: number, bytes: number): boolean {
    return Math.max(bodyBytes, bytes) > this.#kernel.request.length;
  }

  *slices(body: Uint8Array, options: LaneOptions, isTimeUp: () => boolean): Generator<undefined, Flattened> {
    const { maxBodyBytes } = options;
    const request =
      this.#kernel.tryDecodeSnappy(body, maxBodyBytes) ?? (yield* decodeSnappySlices(body, maxBodyBytes, isTimeUp));
    if (isTimeUp()) yield;
    return yield* this.#flattener.slices(request, { ...options, maxLinesBytes: options.maxLinesBytes() }, isTimeUp);
  }
}

function timer(ms: number): () => boolean {
  const endsAtMs = performance.now() + ms;
  return () => performance.now() >= endsAtMs;
}
