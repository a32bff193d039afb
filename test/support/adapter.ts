import { join } from 'node:path';
import { get, parseMetrics } from './http.ts';
import { startProcess, waitFor, within, type Process } from './processes.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const CLI = join(ROOT, 'dist/cli.js');
export const HEALTHCHECK = join(ROOT, 'dist/healthcheck.js');
const PREFIX = 'prometheus_kinesis_adapter_';
const START_MS = 30_000;
const STOP_MS = 15_000;

/** What every child is told: no look at an address that does not answer here, and nobody's own settings. */
export const NO_AWS = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
} as const;

/** The program as its users run it: a process of its own, `node dist/cli.js`. `npm test` has built it. */
export interface Adapter {
  readonly process: Process;
  readonly port: number;
  /** Where it receives. */
  readonly url: string;
  metrics(): Promise<AdapterMetrics>;
  /** Sends SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** kill -9. */
  killNine(): Promise<void>;
}

export interface AdapterOptions {
  /** A free one unless told. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `node dist/cli.js` and waits until it listens. */
export function startAdapter({ port = 0, args = [], env = {} }: AdapterOptions): Promise<Adapter> {
  const environment = { ...NO_AWS, LISTEN_ADDR: `127.0.0.1:${port}`, ...env };
  return adapterOf(startProcess(process.execPath, { args: [CLI, ...args], env: environment }));
}

/** Waits until a process that is, or becomes, the adapter listens. */
export async function adapterOf(started: Process): Promise<Adapter> {
  const url = await waitFor(
    () => {
      const found = /https?:\/\/127\.0\.0\.1:\d+\/receive/.exec(started.stderr)?.[0];
      if (found === undefined && started.hasExited) throw new Error(`the adapter ended:\n${started.stderr}`);
      return found;
    },
    { timeoutMs: START_MS, what: () => `the adapter to listen:\n${started.stderr}` },
  );
  const port = Number(new URL(url).port);
  const kill = (signal: NodeJS.Signals) => {
    started.kill(signal);
    return within(STOP_MS, `the adapter to end after ${signal}`, started.exited);
  };
  return {
    process: started,
    port,
    url,
    metrics: async () => readMetrics((await get(port, '/metrics')).text),
    stop: async () => (await kill('SIGTERM')).code,
    killNine: async () => {
      await kill('SIGKILL');
    },
  };
}

/** What /metrics says. */
export interface AdapterMetrics {
  readonly page: string;
  /** The value of a series by what follows the program's prefix; 0 where there is none. */
  value(series: string): number;
  /** The sum of a metric over its labels. */
  sum(name: string): number;
}

function readMetrics(page: string): AdapterMetrics {
  const series = parseMetrics(page);
  const isOf = (name: string, key: string) => key === PREFIX + name || key.startsWith(`${PREFIX}${name}{`);
  return {
    page,
    value: (key) => series.get(PREFIX + key) ?? 0,
    sum: (name) => [...series].reduce((sum, [key, value]) => (isOf(name, key) ? sum + value : sum), 0),
  };
}

/** Both sides of the law of src/metrics.ts: received = delivered + rejected + skipped + returned + in flight. */
export function sidesOfTheLaw(metrics: AdapterMetrics): { readonly received: number; readonly ended: number } {
  const ends = ['delivered_total', 'rejected_total', 'skipped_total', 'returned_total', 'in_flight'];
  return {
    received: metrics.sum('lines_received_total'),
    ended: ends.reduce((sum, end) => sum + metrics.sum(`lines_${end}`), 0),
  };
}
