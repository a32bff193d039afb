import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { writeRequests } from '../../support/arbitrary_requests.ts';
import { writeRequestsV2 } from '../../support/arbitrary_requests_v2.ts';
import { fixture, FIXTURES } from '../../support/fixtures.ts';
import { NoKernel } from '../../support/no_kernel.ts';
import { runs } from '../../support/runs.ts';
import { expectSameAsOracle, NO_LIMITS, type Given } from '../../support/same_as_oracle.ts';
import { SlicedFlattener } from '../../support/sliced_flattener.ts';

/** One for all tests: it has to be as good as new after every request and every error. */
const flattener = new Flattener();
/** Without the kernel, and with a stop wherever there may be one. */
const flattenerAlone = new SlicedFlattener(undefined, new NoKernel());

/** Holds both ways to the oracle; what they have of their own, the hashes of the series, is the same too, so that a series keeps its shard. */
function expectSame(request: Uint8Array, given: Given): void {
  const flattened = expectSameAsOracle(flattener, request, given);
  const flattenedAlone = expectSameAsOracle(flattenerAlone, request, given);
  expect(flattened?.lines.hashes).toEqual(flattenedAlone?.lines.hashes);
}

/** The latest time that is accepted, and the longest line: mostly any, else such that some of what is generated is beyond it. */
const bounds = fc.record({
  maxTimeMs: fc.constantFrom(undefined, undefined, 0, 2 ** 31, 1_700_000_000_000, 2 ** 53 - 1),
  maxLineBytes: fc.oneof(
    { arbitrary: fc.constant(NO_LIMITS.maxLineBytes), weight: 4 },
    fc.integer({ min: 160, max: 400 }),
  ),
});

describe.each([
  [1 as const, writeRequests],
  [2 as const, writeRequestsV2],
])('generated requests of version %d', (version, requests) => {
  test('become what the oracle makes of them', () => {
    fc.assert(
      fc.property(requests, bounds, (request, given) => {
        expectSame(request, { version, ...given });
      }),
      runs(2500),
    );
  });

  test('cut at every offset', () => {
    fc.assert(
      fc.property(requests, (request) => {
        for (let end = 0; end < request.length; end++) {
          expectSame(request.subarray(0, end), { version });
        }
      }),
      runs(25),
    );
  });

  test('with bits flipped', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(requests, fc.array(flips, { minLength: 10, maxLength: 10 }), (request, tries) => {
        for (const flipped of tries) expectSame(flip(request, flipped), { version });
      }),
      runs(300),
    );
  });

  test('taken for the other version', () => {
    const other = version === 1 ? 2 : 1;
    fc.assert(
      fc.property(requests, (request) => expectSame(request, { version: other })),
      runs(500),
    );
  });
});

describe('requests of real senders, damaged', () => {
  const anyFixture = fc.constantFrom(...FIXTURES);

  test('cut', () => {
    fc.assert(
      fc.property(anyFixture, fc.double({ min: 0, max: 1, noNaN: true }), ({ name, version }, share) => {
        const request = fixture(name);
        expectSame(request.subarray(0, Math.floor(share * request.length)), { version });
      }),
      runs(60),
    );
  });

  test('with bits flipped', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(anyFixture, flips, ({ name, version }, flips) => {
        expectSame(flip(fixture(name), flips), { version });
      }),
      runs(60),
    );
  });
});

function flip(request: Uint8Array, flips: readonly (readonly [at: number, bit: number])[]): Uint8Array {
  const flipped = request.slice();
  for (const [at, bit] of flips) flipped[at % request.length]! ^= 1 << bit;
  return flipped;
}
