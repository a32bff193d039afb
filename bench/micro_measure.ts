import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tableRow } from './table.ts';

/** What each candidate of a stage takes its turn on. */
export interface Job {
  readonly samples: number;
}

/** One way to do a stage's work. */
export interface Candidate<OfJob extends Job> {
  readonly title: string;
  readonly run: (job: OfJob) => unknown;
  /** A turn is all jobs of the round, or so many of them for what would take all the time that a run has. */
  readonly jobsPerTurn?: number;
}

export interface Stage<OfJob extends Job> {
  /** As given on the command line; stages may share one. */
  readonly name: string;
  readonly title: string;
  /** Ours first: the others are compared with it. */
  readonly candidates: readonly Candidate<OfJob>[];
  /** Throws when the candidates do not do the same work, by what each returned: they would be compared for nothing. */
  readonly check: (results: readonly unknown[], job: OfJob) => void;
}

/** CPU time in nanoseconds per sample, by the candidate. */
export type Costs = ReadonlyMap<object, number>;

export interface MeasureOptions<OfJob extends Job> {
  readonly rounds: number;
  readonly jobsOf: (round: number) => readonly OfJob[];
}

/** What a turn leaves in the young generation is not to be collected in the next one. */
const collectYoungGarbage = exposeMinorCollection();

/**
 * In each round each candidate takes its turn on the same jobs, in an order of the round's own, so that none is always the one behind a
 * wasteful one. A cost is the median of the rounds, in CPU time of the whole process: the threads of the garbage collector and of libuv count.
 */
export async function measure<OfJob extends Job>(
  stages: readonly Stage<OfJob>[],
  { rounds, jobsOf }: MeasureOptions<OfJob>,
): Promise<Costs> {
  const costs = new Map(stages.flatMap(({ candidates }) => candidates.map((candidate) => [candidate, [] as number[]])));
  for (let round = 0; round < rounds; round++) {
    const jobs = jobsOf(round);
    if (round === 0) for (const stage of stages) await check(stage, jobs[0]!);
    for (const [candidate, taken] of shuffled([...costs], round)) {
      const turn = jobs.slice(0, candidate.jobsPerTurn);
      collectYoungGarbage();
      const samples = turn.reduce((sum, job) => sum + job.samples, 0);
      taken.push((await cpuNanosecondsOf(turn, candidate)) / samples);
    }
  }
  return new Map(Array.from(costs, ([candidate, taken]) => [candidate, median(taken)]));
}

async function cpuNanosecondsOf<OfJob extends Job>(jobs: readonly OfJob[], { run }: Candidate<OfJob>): Promise<number> {
  const start = process.cpuUsage();
  for (const job of jobs) {
    const result = run(job);
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

/** The same order for the same round, in every run. */
function shuffled<Item>(items: readonly Item[], round: number): Item[] {
  const rankOf = (index: number) => Math.imul(Math.imul(round + 1, 0x9e37_79b1) ^ (index + 1), 0x85eb_ca6b) >>> 0;
  return items
    .map((item, index) => ({ item, rank: rankOf(index) }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function check<OfJob extends Job>({ title, candidates, check }: Stage<OfJob>, job: OfJob): Promise<void> {
  const results = [];
  for (const { run } of candidates) results.push(await run(job));
  try {
    check(results, job);
  } catch (error) {
    throw new Error(`${title}: the candidates do not do the same work`, { cause: error });
  }
}

/** Prints a stage: a column for each of `results`, the last ÷ the first where there are more, and how many times ours the others cost in the last. */
export function printStage<OfJob extends Job>({ title, candidates }: Stage<OfJob>, results: readonly Costs[]): void {
  console.log(`\n${title}`);
  const ours = results.at(-1)!.get(candidates[0]!)!;
  for (const candidate of candidates) {
    const costs = results.map((result) => result.get(candidate)!);
    const last = costs.at(-1)!;
    const cells = costs.map((cost) => cost.toFixed(cost < 10 ? 1 : 0));
    if (costs.length > 1) cells.push((last / costs[0]!).toFixed(2));
    if (candidate !== candidates[0]) cells.push(`${(last / ours).toFixed(last < 10 * ours ? 2 : 1)} ×`);
    console.log(tableRow(`  ${candidate.title}`, cells));
  }
}

function exposeMinorCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  return () => {
    collect({ type: 'minor' });
  };
}
