import { expect } from 'vitest';
import { RequestError } from '../../src/errors.ts';
import { KINDS } from '../../src/record.ts';
import { Flattener, type Flattened } from '../../src/write/flatten.ts';
import { textsOf } from './lines.ts';
import { flattenPlainly } from './oracle.ts';

export const NO_LIMITS = { maxLinesBytes: 2 ** 31, maxLineBytes: 2 ** 30 };

/**
 * Holds the flattener to the oracle: the same verdict on the request and, when it decodes, the same lines and counts.
 *
 * @returns what the flattener made of the request; undefined when it can't be decoded
 */
export function expectSameAsOracle(flattener: Flattener, request: Uint8Array): Flattened | undefined {
  const expected = flattenPlainly(request);
  const flattened = tryFlatten(flattener, request);
  if (!expected || !flattened) {
    expect(flattened === undefined, 'can it be decoded?').toBe(expected === undefined);
    return undefined;
  }
  const { lines, received, skipped, rejected, firstProblem } = flattened;
  expect(Buffer.from(lines.bytes).toString()).toBe(expected.lines.join(''));
  expect({ received, skipped, rejected: Object.fromEntries(rejected) }).toEqual({
    received: expected.received,
    skipped: expected.skipped,
    rejected: expected.rejected,
  });
  expect(firstProblem === undefined).toBe(rejected.size === 0);
  expectWholeIndex(flattened);
  return flattened;
}

/** @returns undefined for a request that can't be decoded; anything else that is thrown is a fault. */
function tryFlatten(flattener: Flattener, request: Uint8Array): Flattened | undefined {
  try {
    return flattener.flatten(request, NO_LIMITS);
  } catch (error) {
    if (error instanceof RequestError && error.code === 'invalid_protobuf') return undefined;
    throw error;
  }
}

/** Each line ends where the index says, lines of the same labels have the same hash, and no line is counted twice or not at all. */
export function expectWholeIndex({ lines, received, skipped, rejected }: Flattened): void {
  const { bytes, ends, hashes } = lines;
  let end = 0;
  expect([...ends]).toEqual(
    textsOf(bytes).map((line) => {
      end += Buffer.byteLength(line) + 1;
      return end;
    }),
  );
  const hashOfLabels = new Map<string, number>();
  textsOf(bytes).forEach((line, index) => {
    const labels = line.slice(line.indexOf(',"labels":{'));
    const known = hashOfLabels.get(labels) ?? hashes[index]!;
    expect(hashes[index]).toBe(known);
    hashOfLabels.set(labels, known);
  });
  expect(hashes.length).toBe(ends.length);

  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  expect(Object.keys(received).toSorted()).toEqual([...KINDS].toSorted());
  expect(sum(received)).toBe(ends.length + sum(skipped) + sum(Object.fromEntries(rejected)));
}
