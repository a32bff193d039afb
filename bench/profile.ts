/**
 * Where the time of the adapter's main thread goes: `node …/bench/profile.js ['{"packing":"none"}']`, after `npm run build`; any field of a
 * scenario can be given. The profiler counts wall time: where all cores are busy, what wakes another thread or process (a write to a socket, a
 * gzip) is charged with the time that the other takes the core for. The threads' figures are CPU time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runEndToEnd } from './end_to_end.ts';
import { BASE, type Measured, type Scenario, type Window } from './scenario.ts';

const TOP = 30;

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  /** In microseconds, as timeDeltas. */
  readonly startTime: number;
}

/** Self time in microseconds by function, within a window; what the profiler calls idle is left out. */
function selfTimes(
  { nodes, samples, timeDeltas, startTime }: CpuProfile,
  { fromNs, toNs }: Window,
): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}  ${url === '' ? '' : `${basename(url)}:${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  // The profiler's clock is process.hrtime's.
  let atNs = startTime * 1_000;
  samples.forEach((id, index) => {
    const name = names.get(id)!;
    const deltaMicros = timeDeltas[index]!;
    atNs += deltaMicros * 1_000;
    if (atNs <= fromNs || atNs > toNs || name.startsWith('(idle)')) return;
    times.set(name, (times.get(name) ?? 0) + deltaMicros);
  });
  return times;
}

/**
 * Node's threads in the order of their start: the main thread, V8's timer, four of V8's for garbage and compilation, the one for signals, the
 * profiler's, and four of libuv's.
 */
function printThreads({ threadShares, samplesPerSecond }: Measured): void {
  const groups = { main: [0, 1], 'V8, garbage and compilation': [1, 7], profiler: [7, 8], libuv: [8, 99] } as const;
  console.log('Threads, µs a sample:');
  for (const [name, [from, to]] of Object.entries(groups)) {
    const share = threadShares.slice(from, to).reduce((sum, value) => sum + value, 0);
    console.log(`${((share / samplesPerSecond) * 1e6).toFixed(3).padStart(7)}  ${name}`);
  }
}

const dir = mkdtempSync(join(tmpdir(), 'bench-profile-'));
const given = JSON.parse(process.argv[2] ?? '{}') as Partial<Scenario>;
const measured = await runEndToEnd({ ...BASE, ...given, nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${dir}`] });
const times = selfTimes(
  JSON.parse(readFileSync(join(dir, readdirSync(dir)[0]!), 'utf8')) as CpuProfile,
  measured.window,
);
rmSync(dir, { recursive: true });

const all = [...times.values()].reduce((sum, time) => sum + time, 0);
console.log(measured);
printThreads(measured);
console.log('Self time on the main thread:');
for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, TOP)) {
  console.log(`${((time / all) * 100).toFixed(1).padStart(5)} %  ${name}`);
}
