import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/config.ts';
import { ROOT } from '../support/adapter.ts';
import { memoryCeilingMib, type MemoryOptions } from '../torture/support/memory.ts';

/** docs/operations.md says how much memory the program takes at most: these are the sums of its terms. */

const OPERATIONS = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const MIB = 1024 ** 2;
const config = resolveConfig({});
const DEFAULTS = {
  maxInFlightMib: config.maxInFlightBytes / MIB,
  maxBodyMib: config.maxBodyBytes / MIB,
  maxRequestLinesMib: config.maxRequestLinesBytes / MIB,
};
const SMALL = { maxInFlightMib: 32, maxBodyMib: 4, maxRequestLinesMib: 8 };

const SINKS: readonly (Pick<MemoryOptions, 'sink' | 'packing'> & { readonly title: string })[] = [
  { title: 'Kinesis, packing `none`', sink: 'kinesis', packing: 'none' },
  { title: 'Kinesis, packing `lines` or `gzip`', sink: 'kinesis', packing: 'gzip' },
  { title: 'Firehose, packing `none`', sink: 'firehose', packing: 'none' },
  { title: 'Firehose, packing `lines` or `gzip`', sink: 'firehose', packing: 'gzip' },
  { title: 'directory', sink: 'directory', packing: 'none' },
];

test.each(SINKS)('docs/operations.md has the ceilings of: $title', ({ title, ...sink }) => {
  const [byDefault, small] = [DEFAULTS, SMALL].map((options) => memoryCeilingMib({ ...sink, ...options }).toFixed(0));
  expect(OPERATIONS).toContain(`| ${title} | ${byDefault} MiB | ${small} MiB |`);
});
