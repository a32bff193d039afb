import { expect } from 'vitest';
import { sidesOfTheLaw, startAdapter, type Adapter } from '../../support/adapter.ts';
import { freePort } from '../../support/processes.ts';
import type { Audit, Load } from './load.ts';
import { memoryCeilingMib, PeakMemory, type MemoryOptions } from './memory.ts';
import { record } from './record.ts';
import type { TorturedSink } from './sinks.ts';

/**
 * Small, so that the ceiling is: loads as they are here fill what is in flight, and no request is large. Rows that need others say so.
 */
const SMALL = { maxInFlightMib: 32, maxBodyMib: 4, maxRequestLinesMib: 8, connections: 1_000 } as const;

export interface TorturedOptions extends Partial<Omit<MemoryOptions, 'sink' | 'packing'>> {
  readonly sink: TorturedSink;
  /** Besides those of the sink and of memory. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real adapter, `node dist/cli.js`, that ends and comes back on the same port, and what memory it took at most. */
export interface Tortured {
  readonly port: number;
  readonly sink: TorturedSink;
  readonly ceilingMib: number;
  /** The one that runs now. */
  readonly adapter: Adapter;
  readonly peakMib: number;
  /** Ends it; SIGTERM has to end it with exit code 0. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts the next. */
  start(): Promise<void>;
}

export async function startTortured(options: TorturedOptions): Promise<Tortured> {
  const { sink, args = [], env = {} } = options;
  const memory = { ...SMALL, ...options, sink: sink.sink, packing: sink.packing };
  const settings = {
    port: await freePort(),
    env: { ...sink.env, ...env },
    args: [
      ...sink.args,
      ...['--max-in-flight-bytes', `${memory.maxInFlightMib}MiB`],
      ...['--max-body-bytes', `${memory.maxBodyMib}MiB`],
      ...['--max-request-lines-bytes', `${memory.maxRequestLinesMib}MiB`],
      ...args,
    ],
  };
  const peak = new PeakMemory();
  let adapter: Adapter;
  const start = async () => {
    adapter = await startAdapter(settings);
    peak.watch(adapter.process);
  };
  await start();
  return {
    port: settings.port,
    sink,
    ceilingMib: memoryCeilingMib(memory),
    get adapter() {
      return adapter;
    },
    get peakMib() {
      return peak.peakMib;
    },
    async end(signal) {
      if (signal === 'SIGKILL') await adapter.killNine();
      else expect(await adapter.stop()).toBe(0);
    },
    start,
  };
}

export interface Ending {
  readonly scenario: string;
  readonly load: Load;
  readonly recoverySeconds?: number | undefined;
}

/** Ends a row: lets the senders finish, stops the adapter, which has to be clean, and records what the sink has. */
export async function endRow(tortured: Tortured, { scenario, load, recoverySeconds }: Ending): Promise<Audit> {
  const { sink, ceilingMib } = tortured;
  await load.finish();
  const metrics = await tortured.adapter.metrics();
  await tortured.end('SIGTERM');
  const audit = load.audit(await sink.lines());
  const { foreign, ...counts } = audit;
  record({ scenario, sink: sink.name, ...counts, peakMib: tortured.peakMib, ceilingMib, recoverySeconds });
  expect(foreign).toEqual([]);
  const { received, ended } = sidesOfTheLaw(metrics);
  expect(ended).toBe(received);
  expect(metrics.value('lines_in_flight')).toBe(0);
  return audit;
}
