import { expect } from 'vitest';
import { RequestError } from '../../src/errors.ts';
import { Flattener, type Flattened, type FlattenOptions } from '../../src/write/flatten.ts';
import { NoKernel } from './no_kernel.ts';
import { expectSameAsOracle, NO_LIMITS, type Given } from './same_as_oracle.ts';
import { WatchedKernel } from './watched_kernel.ts';

/** A flattener with the kernel beside one without it: what both are held to. */
export class KernelAndAlone {
  readonly kernel = new WatchedKernel();
  readonly #flattener = new Flattener(undefined, this.kernel);
  readonly #alone = new Flattener(undefined, new NoKernel());

  /** Holds both to the oracle and to each other; `kernel` tells what it took of it. */
  expectSame(request: Uint8Array, given: Given): void {
    this.kernel.takenLines = 0;
    const flattened = expectSameAsOracle(this.#flattener, request, given);
    const alone = expectSameAsOracle(this.#alone, request, given);
    expect(flattened?.lines.hashes).toEqual(alone?.lines.hashes);
    expect(flattened?.metadata === undefined).toBe(alone?.metadata === undefined);
  }

  /**
   * Holds them to each other alone, where a request is too large for the oracle.
   *
   * @returns how many lines they made of it; what they say of a request that they refuse
   */
  expectSameOfLarge(request: Uint8Array, given: Partial<FlattenOptions>): number | string {
    this.kernel.takenLines = 0;
    const options = { ...NO_LIMITS, ...given };
    const [one, other] = [this.#flattener, this.#alone].map((flattener) =>
      outcomeOf(() => flattener.flatten(request, options)),
    );
    if (typeof one === 'string') {
      expect(one).toBe(other);
      return one;
    }
    if (typeof other === 'string') throw new Error(other);
    const { lines, metadata, ...rest } = one!;
    const { lines: otherLines, metadata: otherMetadata, ...otherRest } = other!;
    expect(rest).toEqual(otherRest);
    expect(metadata === undefined).toBe(otherMetadata === undefined);
    // Not toEqual, which takes seconds for megabytes.
    for (const column of ['bytes', 'ends', 'hashes'] as const) {
      expect(Buffer.compare(bytesOf(lines[column]), bytesOf(otherLines[column])), column).toBe(0);
    }
    return lines.ends.length;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function outcomeOf(work: () => Flattened): Flattened | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof RequestError) return `${error.code}: ${error.message}`;
    throw error;
  }
}
