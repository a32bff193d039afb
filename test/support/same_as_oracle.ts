import { expect } from 'vitest';
import { RequestError } from '../../src/errors.ts';
import { KINDS, type Kind } from '../../src/record.ts';
import type { Flattened, Flattener, FlattenOptions } from '../../src/write/flatten.ts';
import { textsOf } from './lines.ts';
import { flattenPlainly, type OracleOptions } from './oracle.ts';

export const NO_LIMITS: FlattenOptions = {
  version: 1,
  arrivedAtMs: 1_795_167_565_285,
  maxTimeMs: undefined,
  maxLinesBytes: 2 ** 31,
  maxLineBytes: 2 ** 30,
};

/** What a request is held against besides its bytes; what is not given is as in NO_LIMITS. */
export interface Given extends Partial<
  Pick<FlattenOptions, 'version' | 'arrivedAtMs' | 'maxTimeMs' | 'maxLineBytes' | 'labelLimits'>
> {
  /** Has to say of metadata what the flattener's own memory says. */
  readonly isSeen?: OracleOptions['isSeen'];
}

/**
 * Holds the flattener to the oracle: the same verdict on the request and, when it decodes, the same lines and counts.
 *
 * @returns what the flattener made of the request; undefined when it can't be decoded
 */
export function expectSameAsOracle(
  flattener: Flattener,
  request: Uint8Array,
  given: Given = {},
): Flattened | undefined {
  const { isSeen = () => false, ...options } = { ...NO_LIMITS, ...given };
  const expected = flattenPlainly(request, { ...options, isSeen });
  const flattened = tryFlatten(flattener, embedded(request), options);
  if (!expected || !flattened) {
    expect(flattened === undefined, 'can it be decoded?').toBe(expected === undefined);
    return undefined;
  }
  const { lines, received, skipped, rejected, emptyLabels, firstProblem } = flattened;
  expect(Buffer.from(lines.bytes).toString()).toBe(expected.lines.join(''));
  expect({ received, skipped, rejected: Object.fromEntries(rejected), emptyLabels }).toEqual({
    received: expected.received,
    skipped: expected.skipped,
    rejected: expected.rejected,
    emptyLabels: expected.emptyLabels,
  });
  expect(firstProblem === undefined).toBe(rejected.size === 0);
  expectWholeIndex(flattened);
  return flattened;
}

/** The same bytes as part of a larger buffer, so that whoever forgets byteOffset, or reads on past the end, reads something else. */
function embedded(request: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(request.length + 6).fill(0x0a);
  buffer.set(request, 3);
  return buffer.subarray(3, 3 + request.length);
}

/** @returns undefined for a request that can't be decoded; anything else that is thrown is a fault. */
function tryFlatten(flattener: Flattener, request: Uint8Array, options: FlattenOptions): Flattened | undefined {
  try {
    return flattener.flatten(request, options);
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_protobuf') return undefined;
    throw error;
  }
}

/** Each line ends where the index says, lines of the same labels have the same hash, and no line is counted twice or not at all. */
export function expectWholeIndex({ lines, counts, received, skipped, rejected }: Flattened): void {
  const { bytes, ends, hashes } = lines;
  const texts = textsOf(bytes);
  let end = 0;
  expect([...ends]).toEqual(
    texts.map((line) => {
      end += Buffer.byteLength(line) + 1;
      return end;
    }),
  );
  const hashOfLabels = new Map<string, number>();
  texts.forEach((line, index) => {
    // An exemplar's own labels stand before those of its series. Metadata has none, and its hash is anyone's.
    const labelsAt = line.lastIndexOf(',"labels":{');
    if (labelsAt < 0) return;
    const labels = line.slice(labelsAt);
    const known = hashOfLabels.get(labels) ?? hashes[index]!;
    expect(hashes[index]).toBe(known);
    hashOfLabels.set(labels, known);
  });
  expect(hashes.length).toBe(ends.length);

  const written: Record<Kind, number> = { sample: 0, histogram: 0, exemplar: 0, metadata: 0 };
  for (const line of texts) written[kindOf(line)]++;
  expect(counts).toEqual(written);

  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  expect(Object.keys(received).toSorted()).toEqual([...KINDS].toSorted());
  expect(sum(received)).toBe(ends.length + sum(skipped) + sum(Object.fromEntries(rejected)));
}

function kindOf(line: string): Kind {
  return KINDS.find((kind) => line.startsWith(`{"kind":"${kind}",`)) ?? 'sample';
}
