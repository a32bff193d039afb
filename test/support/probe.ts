// Asks a server how it is, from a process whose event loop does nothing else: node --import ./test/support/typescript.mjs probe.ts <port>
import { setTimeout as sleep } from 'node:timers/promises';
import { get, parseMetrics } from './http.ts';

const EVERY_MS = 50;
const port = Number(process.argv[2]);
/** Of each answer, and of the longest turn of the server's event loop since the scrape before, by its own account. */
const durationsMs = { metrics: [] as number[], healthy: [] as number[], turn: [] as number[] };
const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});

async function ask(path: string, durations: number[]): Promise<string> {
  const startedAt = performance.now();
  const { status, text } = await get(port, path);
  if (status !== 200) throw new Error(`${path} is answered ${status}`);
  durations.push(performance.now() - startedAt);
  return text;
}

while (!stop.signal.aborted) {
  const page = parseMetrics(await ask('/metrics', durationsMs.metrics));
  durationsMs.turn.push(1_000 * (page.get('nodejs_eventloop_lag_max_seconds') ?? NaN));
  await ask('/-/healthy', durationsMs.healthy);
  await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
}
process.stdout.write(JSON.stringify(durationsMs));
