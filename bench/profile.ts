/**
 * Where the time of the adapter's main thread goes: `node …/bench/profile.js ['{"packing":"none"}']`, after `npm run build`; any field of a
 * scenario can be given.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runEndToEnd } from './end_to_end.ts';
import { BASE, type Scenario } from './scenario.ts';

const TOP = 30;

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Self time in microseconds by function; what the profiler calls idle is left out. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}  ${url === '' ? '' : `${basename(url)}:${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id)!;
    if (!name.startsWith('(idle)')) times.set(name, (times.get(name) ?? 0) + timeDeltas[index]!);
  });
  return times;
}

const dir = mkdtempSync(join(tmpdir(), 'bench-profile-'));
const given = JSON.parse(process.argv[2] ?? '{}') as Partial<Scenario>;
const measured = await runEndToEnd({ ...BASE, ...given, nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${dir}`] });
const times = selfTimes(JSON.parse(readFileSync(join(dir, readdirSync(dir)[0]!), 'utf8')) as CpuProfile);
rmSync(dir, { recursive: true });

const all = [...times.values()].reduce((sum, time) => sum + time, 0);
console.log(measured);
console.log('Self time on the main thread, from start to end:');
for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, TOP)) {
  console.log(`${((time / all) * 100).toFixed(1).padStart(5)} %  ${name}`);
}
