/** The way of lines from many requests to a call's answer. How many series they are of makes no difference here. */
import { createLog } from '../src/log.ts';
import type { Lines } from '../src/record.ts';
import { openKinesisSink } from '../src/sinks/kinesis.ts';
import type { SinkLimits } from '../src/sinks/sink.ts';
import { measure, printStage, type Job, type Stage } from './micro_measure.ts';
import { makePackJob, pack, packerOf, packStages, type PackJob } from './micro_pack.ts';
import { makePutJob, openPutStages, type PutJob } from './micro_put.ts';
import { makeLines } from './micro_requests.ts';
import { tableRow } from './table.ts';

/** Names of the stages, as given on the command line. */
export const CALL_STAGES: readonly string[] = ['pack', 'gzip', 'body', 'call', 'answer'];

const ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
/** What waits for a call: with gzip some 14 records. */
const REQUESTS_PER_CALL = 10;
const PACK_JOBS = 5;
const GZIP_CALLS = 5;
const LINE_CALLS = 40;

/** Measures and prints the stages of packing and calling that are wanted. */
export async function runCalls(isWanted: (stage: { readonly name: string }) => boolean): Promise<void> {
  const limits = await kinesisLimits();
  console.log(`\n${tableRow('one way for any number of series', ['cost', '÷ ours'])}`);
  await run(packStages(limits).filter(isWanted), () => makePackJobs(limits));
  await run((await openPutStages(limits, 'none')).filter(isWanted), () => makeLineCalls(limits));
  await run((await openPutStages(limits, 'gzip')).filter(isWanted), () => makeGzipCalls(limits));
}

async function run<OfJob extends Job>(
  stages: readonly Stage<OfJob>[],
  makeJobs: () => Promise<readonly OfJob[]> | readonly OfJob[],
): Promise<void> {
  if (stages.length === 0) return;
  const jobs = await makeJobs();
  const jobsOf = () => jobs;
  await measure(stages, { rounds: WARM_UP_ROUNDS, jobsOf });
  const costs = await measure(stages, { rounds: ROUNDS, jobsOf });
  for (const stage of stages) printStage(stage, [costs]);
}

function makePackJobs(limits: SinkLimits): PackJob[] {
  return Array.from({ length: PACK_JOBS }, (_, job) => makePackJob(linesOf(job), limits));
}

/** Full calls of one line per record. */
async function makeLineCalls(limits: SinkLimits): Promise<PutJob[]> {
  const calls = [];
  for (let job = 0; calls.length < LINE_CALLS; job++) {
    for (const span of await pack(linesOf(job), packerOf('none', limits)))
      calls.push(makePutJob([span], span.to - span.from));
  }
  return calls;
}

function makeGzipCalls(limits: SinkLimits): Promise<PutJob[]> {
  return Promise.all(
    Array.from({ length: GZIP_CALLS }, async (_, job) => {
      const requests = linesOf(job);
      const samples = requests.reduce((sum, { ends }) => sum + ends.length, 0);
      return makePutJob(await pack(requests, packerOf('gzip', limits)), samples);
    }),
  );
}

function linesOf(job: number): Lines[] {
  return Array.from({ length: REQUESTS_PER_CALL }, (_, index) => makeLines(job * REQUESTS_PER_CALL + index));
}

async function kinesisLimits(): Promise<SinkLimits> {
  const log = createLog({ level: 'warn', format: 'logfmt' });
  const sink = await openKinesisSink({ stream: 'history', region: 'eu-central-1', endpointUrl: undefined, log });
  await sink.close();
  return sink.limits;
}
