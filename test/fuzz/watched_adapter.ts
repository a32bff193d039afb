import { join } from 'node:path';
import { startAdapter, type Adapter, type AdapterOptions } from '../support/adapter.ts';
import { waitFor } from '../support/processes.ts';

const PROBE = join(import.meta.dirname, 'loop_probe.mjs');
const ANSWER_MS = 60_000;

/** What loop_probe.mjs writes. */
export interface LoopReport {
  readonly holdMs: number;
  readonly holdCpuMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

export interface WatchedAdapter extends Adapter {
  /** What was since the last time. */
  report(): Promise<LoopReport>;
}

/** The program with a watch on its event loop. Linux only. */
export async function startWatchedAdapter({ env = {}, ...options }: AdapterOptions): Promise<WatchedAdapter> {
  const adapter = await startAdapter({ ...options, env: { ...env, NODE_OPTIONS: `--import=${PROBE}` } });
  let asked = 0;
  const report = async (): Promise<LoopReport> => {
    adapter.process.kill('SIGUSR2');
    asked++;
    const lineOf = (lines: readonly string[]) => (lines.length > asked ? lines[asked - 1] : undefined);
    const line = await waitFor(() => lineOf(adapter.process.stdout.split('\n')), {
      timeoutMs: ANSWER_MS,
      what: () => `the event loop's watch to answer:\n${adapter.process.stderr}`,
    });
    return JSON.parse(line) as LoopReport;
  };
  await report();
  return { ...adapter, report };
}
