/**
 * Times the way of a request from bytes to lines: `npm run bench`. Each figure stands beside its baselines, taken in the same run on the same
 * requests.
 *
 * A round makes ten requests, then each candidate takes its turn on all ten; a candidate's figure is the median of its rounds, in CPU time of
 * the whole process (the garbage collector's threads included) per sample. Each round has other series until all of them had their turn, so that
 * what is remembered of a series helps only where there are few.
 */
import os from 'node:os';
import protobuf from 'protobufjs';
import SnappyJS from 'snappyjs';
import { remoteWriteV1 } from '../src/wire/descriptors.ts';
import { decodeSnappy } from '../src/wire/snappy.ts';
import { Flattener } from '../src/write/flatten.ts';
import { flattenPlainly } from '../test/support/oracle.ts';
import { MetadataSet } from '../src/write/metadata_set.ts';
import { makeRequest, makeRequestV2, SAMPLES_PER_REQUEST } from './requests.ts';

const SERIES_COUNTS = [1_000, 10_000, 100_000, 1_000_000];
/** process.cpuUsage counts microseconds, so a turn is not too short. */
const REQUESTS_PER_ROUND = 10;
const LEAST_ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
const LIMITS = {
  version: 1,
  arrivedAtMs: 0,
  maxTimeMs: undefined,
  maxLinesBytes: 64 * 1024 * 1024,
  maxLineBytes: 1_024_000,
} as const;

/** Remote write 1.0, and the same samples in 2.0. */
interface Job {
  readonly block: Uint8Array;
  readonly request: Uint8Array;
  readonly blockV2: Uint8Array;
  readonly requestV2: Uint8Array;
  readonly lines: Uint8Array;
}

const seen = new MetadataSet();
const flattener = new Flattener(seen);
const scratch = new Uint8Array(SAMPLES_PER_REQUEST * 256);
const WriteRequest = protobuf.Root.fromJSON(
  JSON.parse(JSON.stringify(remoteWriteV1)) as protobuf.INamespace,
).lookupType('prometheus.WriteRequest');

const CANDIDATES = {
  snappy: ({ block }) => decodeSnappy(block, LIMITS.maxLinesBytes, scratch),
  snappyjs: ({ block }) => SnappyJS.uncompress(block),
  flatten: ({ request }) => flattener.flatten(request, LIMITS).lines.bytes,
  snappyV2: ({ blockV2 }) => decodeSnappy(blockV2, LIMITS.maxLinesBytes, scratch),
  flattenV2: ({ requestV2 }) => {
    const { lines, metadata } = flattener.flatten(requestV2, { ...LIMITS, version: 2 });
    if (metadata) seen.addAll(metadata, LIMITS.arrivedAtMs);
    return lines.bytes;
  },
  oracle: ({ request }) => Buffer.from(flattenPlainly(request)!.lines.join('')),
  libraries: ({ request }) => flattenByLibraries(request),
  copy: ({ lines }) => lines.slice(),
} satisfies Record<string, (job: Job) => Uint8Array>;

type Candidate = keyof typeof CANDIDATES;
const NAMES = Object.keys(CANDIDATES) as Candidate[];

interface PlainRequest {
  readonly timeseries: readonly {
    readonly labels: readonly { readonly name: string; readonly value: string }[];
    readonly samples: readonly { readonly value: number; readonly timestamp: unknown }[];
  }[];
}

/** What one writes at first. It loses stale markers, other NaNs, infinities and −0, and does not sort. */
function flattenByLibraries(request: Uint8Array): Uint8Array {
  const { timeseries } = WriteRequest.decode(request) as unknown as PlainRequest;
  let lines = '';
  for (const series of timeseries) {
    const labels = Object.fromEntries(series.labels.map(({ name, value }) => [name, value]));
    for (const { value, timestamp } of series.samples) {
      lines += `${JSON.stringify({ name: labels['__name__'], time: Number(timestamp), value, labels })}\n`;
    }
  }
  return Buffer.from(lines);
}

interface Result {
  /** Nanoseconds a sample. */
  readonly cost: Readonly<Record<Candidate, number>>;
  readonly requestBytes: number;
  readonly requestBytesV2: number;
  readonly linesBytes: number;
}

function measure(seriesCount: number, rounds: number): Result {
  const costs = new Map(NAMES.map((name) => [name, [] as number[]]));
  let requestBytes = 0;
  let requestBytesV2 = 0;
  let linesBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const jobs = Array.from({ length: REQUESTS_PER_ROUND }, (_, index) =>
      makeJob(round * REQUESTS_PER_ROUND + index, seriesCount),
    );
    for (const { request, requestV2, lines } of jobs) {
      requestBytes += request.length;
      requestBytesV2 += requestV2.length;
      linesBytes += lines.length;
    }
    // Each round begins with another candidate, so that none is always the one behind the making of the requests.
    for (let turn = 0; turn < NAMES.length; turn++) {
      const name = NAMES[(turn + round) % NAMES.length]!;
      costs.get(name)!.push(timeOf(() => jobs.forEach(CANDIDATES[name])) / (REQUESTS_PER_ROUND * SAMPLES_PER_REQUEST));
    }
  }
  const samples = rounds * REQUESTS_PER_ROUND * SAMPLES_PER_REQUEST;
  return {
    cost: Object.fromEntries(NAMES.map((name) => [name, median(costs.get(name)!)])) as Record<Candidate, number>,
    requestBytes: requestBytes / samples,
    requestBytesV2: requestBytesV2 / samples,
    linesBytes: linesBytes / samples,
  };
}

function makeJob(index: number, seriesCount: number): Job {
  const request = makeRequest(index, seriesCount);
  const requestV2 = makeRequestV2(index, seriesCount);
  const lines = flattener.flatten(request, LIMITS).lines.bytes;
  const job = {
    request,
    requestV2,
    lines,
    block: SnappyJS.compress(request),
    blockV2: SnappyJS.compress(requestV2),
  };
  // A writer of other bytes would be compared for nothing. (A second copy of the metadata is not written.)
  CANDIDATES.flattenV2(job);
  if (
    index === 0 &&
    [CANDIDATES.oracle, CANDIDATES.flattenV2].some((write) => Buffer.compare(write(job), lines) !== 0)
  ) {
    throw new Error('the oracle, or remote write 2.0, becomes other bytes');
  }
  return job;
}

function timeOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function report(results: readonly Result[]): void {
  const cells = (title: string, values: readonly string[]) =>
    console.log(`${title.padEnd(44)}${values.map((value) => value.padStart(11)).join('')}`);
  const last = results.length - 1;
  const row = (title: string, name: Candidate) => {
    const costs = results.map(({ cost }) => cost[name]);
    cells(title, [...costs.map((cost) => cost.toFixed(0)), (costs[last]! / costs[0]!).toFixed(2)]);
  };
  const ratio = (title: string, name: Candidate, ours: Candidate) => {
    cells(
      title,
      results.map(({ cost }) => `${(cost[name] / cost[ours]).toFixed(1)} ×`),
    );
  };
  const { requestBytes, requestBytesV2, linesBytes } = results[last]!;
  console.log(
    `Node ${process.versions.node}, ${os.cpus()[0]?.model ?? 'unknown CPU'}, load ${os.loadavg()[0]!.toFixed(1)}`,
  );
  console.log(
    `${SAMPLES_PER_REQUEST} samples a request, ${requestBytes.toFixed(0)} bytes of protobuf a sample in remote write 1.0, ` +
      `${requestBytesV2.toFixed(0)} in 2.0 (metadata included), and ${linesBytes.toFixed(0)} of lines`,
  );
  console.log(`CPU time in ns a sample, median of ${LEAST_ROUNDS} rounds or more\n`);
  cells('distinct series', [...SERIES_COUNTS.map((count) => count.toLocaleString('en')), '1M ÷ 1K']);
  row('snappy   decodeSnappy', 'snappy');
  row('         snappyjs', 'snappyjs');
  ratio('         snappyjs ÷ ours', 'snappyjs', 'snappy');
  row('flatten  Flattener', 'flatten');
  row('         oracle, which writes the same bytes', 'oracle');
  row('         protobufjs, JSON.stringify, Buffer', 'libraries');
  row('         floor: a copy of the lines', 'copy');
  ratio('         oracle ÷ ours', 'oracle', 'flatten');
  ratio('         libraries ÷ ours', 'libraries', 'flatten');
  row('2.0      decodeSnappy', 'snappyV2');
  row('         Flattener', 'flattenV2');
  cells(
    '         both, 2.0 ÷ 1.0',
    results.map(({ cost }) => ((cost.snappyV2 + cost.flattenV2) / (cost.snappy + cost.flatten)).toFixed(2)),
  );
}

measure(SERIES_COUNTS[0]!, WARM_UP_ROUNDS);
report(
  SERIES_COUNTS.map((seriesCount) => {
    const roundsForAll = Math.ceil(seriesCount / (REQUESTS_PER_ROUND * SAMPLES_PER_REQUEST));
    return measure(seriesCount, Math.max(LEAST_ROUNDS, roundsForAll));
  }),
);
