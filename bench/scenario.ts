import type { Packing } from '../src/write/pack.ts';
import type { LabelLength } from './requests.ts';

/** One run: who sends what through which program to where. */
export interface Scenario {
  /** Ours as users start it, or what one writes at first with the usual libraries. */
  readonly program: 'adapter' | 'libraries';
  /** Processes of it that share the connections, as behind a load balancer. */
  readonly copies: number;
  readonly sink: 'kinesis' | 'firehose' | 'directory';
  readonly packing: Packing;
  readonly seriesCount: number;
  readonly samplesPerRequest: number;
  /** Each has one request in flight. */
  readonly connections: number;
  readonly labels: LabelLength;
  /** Of remote write. */
  readonly version: 1 | 2;
  /** Requests that become due per second; as fast as answers come where it is undefined. */
  readonly requestsPerSecond?: number;
  /** How long the fake thinks before it answers. */
  readonly thinkMs: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** For Node, before the adapter's own file: a profiler's options. */
  readonly nodeArguments?: readonly string[];
}

export const BASE: Scenario = {
  program: 'adapter',
  copies: 1,
  sink: 'kinesis',
  packing: 'gzip',
  seriesCount: 1_000_000,
  samplesPerRequest: 2_000,
  connections: 10,
  labels: 'short',
  version: 1,
  thinkMs: 0,
  // V8 optimises the SDK for some ten seconds, in threads of its own.
  warmUpMs: 10_000,
  windowMs: 5_000,
};

/** Times of the clock of all processes, process.hrtime. */
export interface Window {
  readonly fromNs: number;
  readonly toNs: number;
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Measured {
  readonly window: Window;
  /** Accepted by the sink within the window; acknowledged within it where the sink is a directory. */
  readonly samplesPerSecond: number;
  /** User and system of the whole process; of all copies together, as all that follows. */
  readonly cpuMicrosPerSample: number;
  /** Of one core. */
  readonly mainThreadShare: number;
  /** Of each thread, of one core, the main thread first, then in the order of their start. */
  readonly threadShares: readonly number[];
  readonly rssMiB: number;
  /** Of one core: what the sender and the fake take away from the program on the same machine. */
  readonly aroundShare: number;
  /** From the moment that a request was due until its 204. */
  readonly ackMs: Percentiles;
  /** From the head of a call until its answer is written; undefined where there is no fake. */
  readonly fakeMs: Percentiles | undefined;
  /** All that arrived, before and after the window too: the same lines as were acknowledged. */
  readonly lines: number;
}

export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}
