import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { sidesOfTheLaw } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { startFakeKinesis } from '../support/fake_kinesis.ts';
import { endProcesses } from '../support/processes.ts';
import { checkArchive, LineCheck, type Checked } from './archive_check.ts';
import { createCorpus } from './fuzz_corpus.ts';
import { isNeighbour, kept, runFuzz, wrongWith } from './fuzz_run.ts';
import { neighbourLines } from './neighbours.ts';
import { RawConnection } from './raw_connection.ts';
import { startWatchedAdapter, type LoopReport, type WatchedAdapter } from './watched_adapter.ts';

/**
 * Bodies that are bent at every layer, posted to the program as its users run it, with good ones among them that must not notice. `npm run fuzz` is
 * the long form. `FUZZ_SEED=7` is another run; `FUZZ_MINUTES=10` ends it; `FUZZ_REPLAY=<file>` posts a request that a run has kept.
 */
const BODIES = Number(process.env['FUZZ_BODIES'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** A run ends then, however many it has sent. */
const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? Infinity);
const REPLAY = process.env['FUZZ_REPLAY'];
/** The rest is the directory's. */
const KINESIS_SHARE = 0.1;
const isLong = BODIES > 20_000;
/** Bodies are a few KB, and the machine may be busy with other things: a loop that is held longer than this hangs. */
const MOST_HOLD_CPU_MS = 2_000;
/** 36 MiB of the kernel, 32 of idle buffers, and what V8 takes before it collects. */
const MOST_PEAK_MIB = 320;
/** Of memory, from one half of a run to the other. */
const MOST_GROWTH_MIB = 32;
const TIMEOUT_MS = 60_000 + 10 * BODIES;

afterEach(endProcesses);

const corpus = createCorpus(SEED);

interface Destination {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly minutes: number;
  readonly start: () => Promise<{ adapter: WatchedAdapter; check: () => Promise<Checked> }>;
}

const split = Math.round(BODIES * (1 - KINESIS_SHARE));
const DESTINATIONS: readonly Destination[] = [
  {
    name: 'a directory',
    from: 0,
    to: split,
    minutes: MINUTES * (1 - KINESIS_SHARE),
    start: async () => {
      const dir = temporaryDir();
      const adapter = await startWatchedAdapter({ args: ['--archive-dir', dir] });
      return { adapter, check: () => checkArchive(dir) };
    },
  },
  {
    name: 'Kinesis',
    from: split,
    to: BODIES,
    minutes: MINUTES * KINESIS_SHARE,
    start: async () => {
      const kinesis = await startFakeKinesis();
      onTestFinished(() => kinesis.close());
      const adapter = await startWatchedAdapter({
        env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', STREAM_NAME: 'history' },
        args: ['--endpoint-url', kinesis.url, '--packing', 'gzip', '--flush-interval', '5ms'],
      });
      const check = () => {
        expect(kinesis.violations).toEqual([]);
        const lines = new LineCheck();
        for (const line of kinesis.lines()) lines.take(line);
        return Promise.resolve(lines.checked);
      };
      return { adapter, check };
    },
  },
];

if (REPLAY !== undefined) testReplay(REPLAY);

describe.runIf(process.platform === 'linux' && REPLAY === undefined)(`fuzz of POST /receive, seed ${SEED}`, () => {
  test.each(DESTINATIONS)(
    'in front of $name: answers that are allowed, good neighbours untouched, and every line in the books',
    async ({ name, from, to: most, minutes, start }) => {
      const { adapter, check } = await start();
      const reports: LoopReport[] = [];
      const residentMiB: number[] = [];
      const startedAtMs = performance.now();
      const { answered, to } = await runFuzz({
        adapter,
        corpus,
        seed: SEED,
        from,
        to: most,
        mostMs: minutes * 60_000,
        progressEvery: Math.min(10_000, Math.ceil((most - from) / 20)),
        onProgress: async (done) => {
          reports.push(await adapter.report());
          residentMiB.push(residentOf(adapter.process.pid));
          if (isLong) console.log(`FUZZ ${name}: ${done} bodies, ${Math.round(residentMiB.at(-1)!)} MiB resident`);
        },
      });
      const seconds = (performance.now() - startedAtMs) / 1000;
      reports.push(await adapter.report());

      const metrics = await adapter.metrics();
      const { received, ended } = sidesOfTheLaw(metrics);
      expect(ended).toBe(received);
      expect(metrics.value('lines_in_flight')).toBe(0);
      expect(metrics.value('in_flight_bytes')).toBe(0);
      expect(metrics.value('requests_total{code="500"}')).toBe(0);
      expect(adapter.process.stderr).not.toMatch(/this is a bug|nhandled|ncaught|Warning|\n\s+at /);
      expect(await adapter.stop()).toBe(0);

      const { lines, neighbours } = await check();
      expect(lines).toBe(metrics.sum('lines_delivered_total') + metrics.sum('lines_delivered_late_total'));
      const numbers = Array.from({ length: to - from }, (_, index) => from + index).filter(isNeighbour);
      // Not compared by expect, which would print all of them.
      expect(neighbours.join('\n') === numbers.flatMap(neighbourLines).toSorted().join('\n'), 'the neighbours').toBe(
        true,
      );

      const peak = (list: readonly LoopReport[]) => Math.max(...list.map(({ peakMiB }) => peakMiB));
      const hold = Math.max(...reports.map(({ holdMs }) => holdMs));
      const holdCpu = Math.max(...reports.map(({ holdCpuMs }) => holdCpuMs));
      const half = Math.ceil(reports.length / 2);
      const [first, last] = [peak(reports.slice(0, half)), peak(reports.slice(half))];
      console.log(
        [
          `FUZZ ${name}, seed ${SEED}: ${to - from} bodies in ${Math.round(seconds)} s`,
          [...answered].map(([status, count]) => `${count} × ${status}`).join(', '),
          `${numbers.length} good neighbours, ${lines} lines archived`,
          `loop held at most ${hold.toFixed(0)} ms by the clock, ${holdCpu.toFixed(0)} ms of CPU`,
          `peak ${first.toFixed(0)} MiB in the first half, ${last.toFixed(0)} in the last`,
        ].join('; '),
      );
      expect(answered.get(204) ?? 0).toBeGreaterThan(0.2 * (to - from));
      expect(answered.get(400) ?? 0).toBeGreaterThan(0.2 * (to - from));
      expect(holdCpu).toBeLessThan(MOST_HOLD_CPU_MS);
      expect(last).toBeLessThan(MOST_PEAK_MIB);
      if (isLong) expect(last).toBeLessThan(first + MOST_GROWTH_MIB);
    },
    TIMEOUT_MS,
  );
});

function testReplay(file: string): void {
  test('a request that was kept is answered as it may be', async () => {
    const adapter = await startWatchedAdapter({ args: ['--archive-dir', temporaryDir()] });
    const request = kept(file);
    const answers = await new RawConnection(adapter.port).exchange(request.bytes, request.isWhole);
    console.log(answers, await adapter.report());
    expect(wrongWith(request, answers, false)).toBeUndefined();
  });
}

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
