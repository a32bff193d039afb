import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { fixture, FIXTURES } from '../../support/fixtures.ts';
import { textsOf } from '../../support/lines.ts';
import type { Version } from '../../support/oracle_messages.ts';
import { expectSameAsOracle, NO_LIMITS } from '../../support/same_as_oracle.ts';

const flattener = new Flattener();

/** Each line with the hash of its series, which is its partition key. */
function hashedLines(name: string, version: Version): { readonly line: string; readonly hash: number }[] {
  const { bytes, hashes } = flattener.flatten(fixture(name), { ...NO_LIMITS, version }).lines;
  return textsOf(bytes).map((line, index) => ({ line, hash: hashes[index]! }));
}

describe('requests of real senders', () => {
  test.each(FIXTURES)('$name', ({ name, version, received, staleCount }) => {
    const flattened = expectSameAsOracle(flattener, fixture(name), { version })!;
    expect(flattened.received).toEqual(received);
    // Version 2 tells the metadata of a family with each of its series.
    const repeated = received.metadata - flattened.counts.metadata;
    expect(flattened.skipped).toEqual({ sample: 0, histogram: 0, exemplar: 0, metadata: repeated });
    expect(flattened.rejected.size).toBe(0);
    const lines = textsOf(flattened.lines.bytes);
    expect(lines.filter((line) => line.includes(',"value":null,"stale":true,')).length).toBe(staleCount);
  });

  test.each([
    ['rw1-3.5.3/000', 'rw2-3.5.3/000'],
    ['rw1-3.5.3/016', 'rw2-3.5.3/012'],
  ])(
    '%s and %s, the same scrapes in both versions, become the same lines by the same partition keys',
    (first, second) => {
      const v1 = hashedLines(first, 1);
      const v2 = hashedLines(second, 2);
      expect(v1.length).toBe(2000);
      expect(v2.filter(({ line }) => !line.startsWith('{"kind":"metadata"'))).toEqual(v1);
    },
  );
});
