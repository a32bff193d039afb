import { expect, test } from 'vitest';
import { runEndToEnd } from '../../bench/end_to_end.ts';
import { BASE, type Scenario } from '../../bench/scenario.ts';

/** Long enough for some requests, too short for a figure. */
const SHORT = { ...BASE, seriesCount: 1_000, connections: 4, warmUpMs: 300, windowMs: 300 } as const;

const SCENARIOS: Readonly<Record<string, Partial<Scenario>>> = {
  'gzip on Kinesis': {},
  'one line per record on Firehose, remote write 2.0, at a rate': {
    sink: 'firehose',
    packing: 'none',
    version: 2,
    requestsPerSecond: 50,
  },
  'long labels into a directory': { sink: 'directory', labels: 'long' },
};

// It reads the adapter's CPU time and memory in /proc.
test.skipIf(process.platform !== 'linux').each(Object.entries(SCENARIOS))(
  'the bench runs, and nothing is lost or doubled: %s',
  async (_, scenario) => {
    // It throws when what arrived is not what was acknowledged, or a call broke a rule.
    const { lines } = await runEndToEnd({ ...SHORT, ...scenario });
    expect(lines).toBeGreaterThan(0);
  },
);
