import { readFileSync } from 'node:fs';
import { decodeSnappy } from '../../src/wire/snappy.ts';
import type { Kind } from '../../src/record.ts';
import type { Version } from './oracle_messages.ts';

export interface Fixture {
  readonly name: string;
  readonly version: Version;
  /** As test/fixtures/README.md has it. */
  readonly received: Readonly<Record<Kind, number>>;
  readonly staleCount: number;
}

/** What real senders posted. */
export const FIXTURES: readonly Fixture[] = (
  [
    ['rw1-2.42/001', { sample: 497, histogram: 0, exemplar: 3, metadata: 0 }, 0],
    ['rw1-2.42/009', { sample: 0, histogram: 0, exemplar: 0, metadata: 452 }, 0],
    ['rw1-2.42/043', { sample: 500, histogram: 0, exemplar: 0, metadata: 0 }, 12],
    ['rw1-3.5.3/000', { sample: 1988, histogram: 6, exemplar: 6, metadata: 0 }, 0],
    ['rw1-3.5.3/003', { sample: 0, histogram: 0, exemplar: 0, metadata: 531 }, 0],
    ['rw1-3.5.3/016', { sample: 1995, histogram: 5, exemplar: 0, metadata: 0 }, 19],
    ['rw2-3.5.3/000', { sample: 1988, histogram: 6, exemplar: 6, metadata: 2000 }, 0],
    ['rw2-3.5.3/012', { sample: 1995, histogram: 5, exemplar: 0, metadata: 2000 }, 19],
  ] as const
).map(([name, received, staleCount]) => ({ name, version: name.startsWith('rw2') ? 2 : 1, received, staleCount }));

/** The body of a request, decompressed. */
export function fixture(name: string): Uint8Array {
  return decodeSnappy(readFileSync(new URL(`../fixtures/${name}.bin`, import.meta.url)), 1e9);
}
