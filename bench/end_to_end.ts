/**
 * One run from a sender's requests to the lines in the sink: three processes, the program in the middle as users start it. What arrived is
 * compared with what was acknowledged, line by line, when the clock has stopped.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Child } from './child.ts';
import type { LinesSum } from './line_sums.ts';
import type { LoadApi } from './load.ts';
import { readPeakRssMiB, readUsage, type Usage } from './process_usage.ts';
import type { Measured, Percentiles, Scenario, Window } from './scenario.ts';
import type { StreamApi } from './stream.ts';
import { makeArchiveDir, startTarget, sumArchive, type Target } from './target.ts';

/**
 * Runs a scenario.
 *
 * @throws Error when a request is not acknowledged, a call breaks a rule of the service, or what arrived is not what was acknowledged
 */
export async function runEndToEnd(scenario: Scenario): Promise<Measured> {
  const sink = await startSink(scenario);
  const load = startChild<LoadApi>('load');
  const targets: Target[] = [];
  try {
    const { seriesCount, samplesPerRequest, connections, labels, version, requestsPerSecond } = scenario;
    const pace = requestsPerSecond === undefined ? {} : { requestsPerSecond };
    await load.call('prepare', { seriesCount, samplesPerRequest, connections, labels, version, ...pace });
    for (let copy = 0; copy < scenario.copies; copy++) targets.push(await startTarget(scenario, sink.where));
    await load.call(
      'start',
      targets.map(({ port }) => port),
    );
    const around = [load.pid, ...(sink.pid === undefined ? [] : [sink.pid])];
    const pids = { targets: targets.map(({ pid }) => pid), around };
    const { window, ...figures } = await watch(scenario, pids);
    const report = await load.call('stop', window);
    for (const target of targets) await target.stop();
    const { all, linesInWindow, callMs } = await sink.verify(window);
    compare(scenario, report.acknowledged, all);
    const samples = linesInWindow ?? report.samplesInWindow;
    return { window, ...perSample(figures, samples), ackMs: report.ackMs, fakeMs: callMs, lines: all.lines };
  } finally {
    await Promise.all([sink.end(), load.end(), ...targets.map((target) => target.end())]);
  }
}

/** Where lines end up. */
interface SinkUnderTest {
  /** A port, or a directory. */
  readonly where: number | string;
  /** Undefined where nothing but the program runs. */
  readonly pid: number | undefined;
  verify(window: Window): Promise<{
    readonly all: LinesSum;
    readonly linesInWindow: number | undefined;
    readonly callMs: Percentiles | undefined;
  }>;
  end(): Promise<void>;
}

async function startSink({ sink, packing, thinkMs }: Scenario): Promise<SinkUnderTest> {
  if (sink === 'directory') {
    const dir = makeArchiveDir();
    return {
      where: dir,
      pid: undefined,
      verify: () => Promise.resolve({ all: sumArchive(dir), linesInWindow: undefined, callMs: undefined }),
      end: () => Promise.resolve(),
    };
  }
  const child: Child<StreamApi> = startChild<StreamApi>('stream');
  return {
    where: await child.call('listen', { service: sink, thinkMs }),
    pid: child.pid,
    verify: async (window) => {
      const report = await child.call('verify', { window, packing });
      const [first] = report.violations;
      if (first !== undefined) throw new Error(`${report.violations.length} calls broke the rules: ${first}`);
      return report;
    },
    end: () => child.end(),
  };
}

interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly mainThreadShare: number;
  readonly threadShares: readonly number[];
  readonly aroundShare: number;
  readonly rssMiB: number;
}

interface Pids {
  readonly targets: readonly number[];
  readonly around: readonly number[];
}

async function watch(
  { warmUpMs, windowMs }: Scenario,
  { targets, around }: Pids,
): Promise<Figures & { readonly window: Window }> {
  const usagesOf = (pids: readonly number[]) => pids.map(readUsage);
  await sleep(warmUpMs);
  const [before, aroundBefore] = [usagesOf(targets), usagesOf(around)];
  await sleep(windowMs);
  const [after, aroundAfter] = [usagesOf(targets), usagesOf(around)];
  const rssMiB = sumOf(targets, readPeakRssMiB);

  const [first, last] = [before[0]!, after[0]!];
  const seconds = (last.atNs - first.atNs) / 1e9;
  const shareOf = (copy: number, thread: number) =>
    ((after[copy]!.threadSeconds.get(thread) ?? 0) - (before[copy]!.threadSeconds.get(thread) ?? 0)) / seconds;
  return {
    window: { fromNs: first.atNs, toNs: last.atNs },
    seconds,
    cpuSeconds: usedBetween(before, after),
    mainThreadShare: sumOf(targets, (pid, copy) => shareOf(copy, pid)),
    threadShares: [...last.threadSeconds.keys()].sort((a, b) => a - b).map((thread) => shareOf(0, thread)),
    aroundShare: usedBetween(aroundBefore, aroundAfter) / seconds,
    rssMiB,
  };
}

/** CPU seconds of some processes. */
function usedBetween(before: readonly Usage[], after: readonly Usage[]): number {
  return sumOf(after, ({ cpuSeconds }, index) => cpuSeconds - before[index]!.cpuSeconds);
}

function sumOf<Value>(values: readonly Value[], number: (value: Value, index: number) => number): number {
  return values.reduce((sum, value, index) => sum + number(value, index), 0);
}

function perSample({ seconds, cpuSeconds, ...shares }: Figures, samples: number) {
  return { ...shares, samplesPerSecond: samples / seconds, cpuMicrosPerSample: (cpuSeconds / samples) * 1e6 };
}

/** The baseline writes other bytes, so of its lines only the number counts. */
function compare({ program }: Scenario, acknowledged: LinesSum, arrived: LinesSum): void {
  const lost = acknowledged.lines - arrived.lines;
  if (lost > 0) throw new Error(`of ${acknowledged.lines} acknowledged lines ${lost} did not arrive`);
  if (lost < 0) throw new Error(`of ${acknowledged.lines} acknowledged lines ${-lost} arrived once too often`);
  if (program === 'adapter' && String(acknowledged.sums) !== String(arrived.sums)) {
    throw new Error(`as many lines arrived as were acknowledged, ${arrived.lines}, but not the same`);
  }
}
