import { describe, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { bytesField, groupField } from '../../support/protobuf_writer.ts';
import { expectSameAsOracle } from '../../support/same_as_oracle.ts';

const flattener = new Flattener();

/** Groups within groups, of a number that no message has. */
function nest(depth: number): Uint8Array {
  let nested: Uint8Array = new Uint8Array(0);
  for (let level = 0; level < depth; level++) nested = groupField(99, nested);
  return nested;
}

/** The messages of a request by the fields that lead to them, the outermost first. */
const PLACES: readonly (readonly [name: string, version: 1 | 2, path: readonly number[]])[] = [
  ['request', 1, []],
  ['series', 1, [1]],
  ['label', 1, [1, 1]],
  ['sample', 1, [1, 2]],
  ['exemplar', 1, [1, 3]],
  ['histogram', 1, [1, 4]],
  ['span', 1, [1, 4, 8]],
  ['request', 2, []],
  ['series', 2, [5]],
  ['sample', 2, [5, 2]],
  ['histogram', 2, [5, 3]],
  ['span', 2, [5, 3, 11]],
  ['exemplar', 2, [5, 4]],
  ['metadata', 2, [5, 5]],
];

describe('unknown groups nest as deep as protobufjs lets them', () => {
  test.each(PLACES)('in a %s of version %d', (_, version, path) => {
    for (let depth = 90; depth <= 110; depth++) {
      const request = path.reduceRight<Uint8Array>((content, field) => bytesField(field, content), nest(depth));
      expectSameAsOracle(flattener, request, { version });
    }
  });
});
