/** The way of a request from its body to its lines. */
import assert from 'node:assert/strict';
import SnappyJS from 'snappyjs';
import type { Lines } from '../src/record.ts';
import { Kernel } from '../src/kernel/kernel.ts';
import { decodeSnappy } from '../src/wire/snappy.ts';
import { Flattener } from '../src/write/flatten.ts';
import { MetadataSet } from '../src/write/metadata_set.ts';
import { NoKernel } from '../test/support/no_kernel.ts';
import { flattenPlainly } from '../test/support/oracle.ts';
import { flattenByLibraries, flattenByLibrariesV2 } from './micro_libraries.ts';
import { measure, printStage, type Costs, type Stage } from './micro_measure.ts';
import { tableRow } from './table.ts';
import { makeRequest, makeRequestV2, SAMPLES_PER_REQUEST } from './requests.ts';

const REQUESTS_PER_ROUND = 10;
const LEAST_ROUNDS = 15;
const WARM_UP_ROUNDS = 5;
const SERIES_COUNTS = [1_000, 10_000, 100_000, 1_000_000];
const LIMITS = {
  version: 1,
  arrivedAtMs: 0,
  maxTimeMs: undefined,
  maxLinesBytes: 64 * 1024 * 1024,
  maxLineBytes: 1_024_000,
} as const;

/** A request of remote write 1.0, and the same samples in 2.0. */
export interface RequestJob {
  readonly samples: number;
  readonly block: Uint8Array;
  readonly request: Uint8Array;
  readonly blockV2: Uint8Array;
  readonly requestV2: Uint8Array;
  readonly lines: Uint8Array;
}

const seen = new MetadataSet();
const kernel = new Kernel();
const flattener = new Flattener(seen, kernel);
const flattenerAlone = new Flattener(seen, new NoKernel());

const FLATTEN_TITLES = {
  libraries: 'protobufjs to objects, JSON.stringify, Buffer',
  oracle: 'the tests’ oracle',
  floor: 'floor: a copy of the lines',
};
/** Some forty times as slow as ours: full turns of it would be most of a run. */
const oracleTurn = { title: FLATTEN_TITLES.oracle, jobsPerTurn: 1 };

export const REQUEST_STAGES: readonly Stage<RequestJob>[] = [
  {
    name: 'snappy',
    title: 'snappy, a body of remote write 1.0',
    check: (results, { request }) => assertSame(results, request),
    candidates: [
      {
        title: 'Kernel',
        run: ({ block }) =>
          kernel.tryDecodeSnappy(block, LIMITS.maxLinesBytes) ?? decodeSnappy(block, LIMITS.maxLinesBytes),
      },
      { title: 'TypeScript, without the kernel', run: ({ block }) => decodeSnappy(block, LIMITS.maxLinesBytes) },
      { title: 'snappyjs', run: ({ block }) => SnappyJS.uncompress(block) },
      { title: 'floor: a copy of the output', run: ({ request }) => request.slice() },
    ],
  },
  {
    name: 'snappy',
    title: 'snappy, a body of remote write 2.0',
    check: (results, { requestV2 }) => assertSame(results, requestV2),
    candidates: [
      {
        title: 'Kernel',
        run: ({ blockV2 }) =>
          kernel.tryDecodeSnappy(blockV2, LIMITS.maxLinesBytes) ?? decodeSnappy(blockV2, LIMITS.maxLinesBytes),
      },
      { title: 'TypeScript, without the kernel', run: ({ blockV2 }) => decodeSnappy(blockV2, LIMITS.maxLinesBytes) },
      { title: 'snappyjs', run: ({ blockV2 }) => SnappyJS.uncompress(blockV2) },
      { title: 'floor: a copy of the output', run: ({ requestV2 }) => requestV2.slice() },
    ],
  },
  {
    name: 'flatten',
    title: 'flatten, remote write 1.0',
    check: (results, { lines }) => assertSame(results, lines),
    candidates: [
      { title: 'Flattener', run: ({ request }) => flattener.flatten(request, LIMITS).lines.bytes },
      {
        title: 'TypeScript, without the kernel',
        run: ({ request }) => flattenerAlone.flatten(request, LIMITS).lines.bytes,
      },
      { title: FLATTEN_TITLES.libraries, run: ({ request }) => flattenByLibraries(request) },
      { ...oracleTurn, run: ({ request }) => Buffer.from(flattenPlainly(request)!.lines.join('')) },
      { title: FLATTEN_TITLES.floor, run: ({ lines }) => lines.slice() },
    ],
  },
  {
    name: 'flatten',
    title: 'flatten, remote write 2.0',
    check: (results, { lines }) => assertSame(results, lines),
    candidates: [
      { title: 'Flattener', run: ({ requestV2 }) => flattenV2(requestV2) },
      { title: 'TypeScript, without the kernel', run: ({ requestV2 }) => flattenV2(requestV2, flattenerAlone) },
      { title: FLATTEN_TITLES.libraries, run: ({ requestV2 }) => flattenByLibrariesV2(requestV2) },
      {
        ...oracleTurn,
        run: ({ requestV2 }) => {
          const { lines } = flattenPlainly(requestV2, { version: 2, isSeen: () => true })!;
          return Buffer.from(lines.join(''));
        },
      },
      { title: FLATTEN_TITLES.floor, run: ({ lines }) => lines.slice() },
    ],
  },
];

/**
 * Each round has other series until all of them had their turn, so that what is remembered of a series helps only where there are few.
 *
 * @param stages of REQUEST_STAGES
 */
export async function measureRequests(stages: readonly Stage<RequestJob>[]): Promise<Costs[]> {
  const jobsOf = (seriesCount: number) => (round: number) =>
    Array.from({ length: REQUESTS_PER_ROUND }, (_, index) => makeJob(round * REQUESTS_PER_ROUND + index, seriesCount));
  await measure(stages, { rounds: WARM_UP_ROUNDS, jobsOf: jobsOf(SERIES_COUNTS[0]!) });
  const results = [];
  for (const seriesCount of SERIES_COUNTS) {
    const roundsForAll = Math.ceil(seriesCount / (REQUESTS_PER_ROUND * SAMPLES_PER_REQUEST));
    const rounds = Math.max(LEAST_ROUNDS, roundsForAll);
    results.push(await measure(stages, { rounds, jobsOf: jobsOf(seriesCount) }));
  }
  return results;
}

export function printRequests(stages: readonly Stage<RequestJob>[], results: readonly Costs[]): void {
  const counts = SERIES_COUNTS.map((count) => count.toLocaleString('en'));
  console.log(`\n${tableRow('distinct series', [...counts, '1M ÷ 1K', '÷ ours'])}`);
  for (const stage of stages) printStage(stage, results);
  if (stages.length < REQUEST_STAGES.length) return;
  const [snappy, snappyV2, flatten, flattenV2] = stages.map(({ candidates }) => candidates[0]!);
  const ratios = results.map(
    (costs) => (costs.get(snappyV2!)! + costs.get(flattenV2!)!) / (costs.get(snappy!)! + costs.get(flatten!)!),
  );
  const cells = ratios.map((ratio) => ratio.toFixed(2));
  console.log(`\n${tableRow('ours, snappy and flatten, 2.0 ÷ 1.0', cells)}`);
}

function assertSame(results: readonly unknown[], expected: Uint8Array): void {
  for (const result of results) assert.deepEqual(Buffer.from(result as Uint8Array), Buffer.from(expected));
}

/** Bytes a sample of the requests, and of the lines that they become. */
export function describeRequests(): string {
  const { request, requestV2, lines } = makeJob(0, SERIES_COUNTS.at(-1)!);
  const perSample = ({ length }: Uint8Array) => (length / SAMPLES_PER_REQUEST).toFixed(0);
  return (
    `${SAMPLES_PER_REQUEST} samples a request, ${perSample(request)} bytes of protobuf a sample in remote write 1.0, ` +
    `${perSample(requestV2)} in 2.0 (metadata included), and ${perSample(lines)} of lines`
  );
}

function makeJob(index: number, seriesCount: number): RequestJob {
  const request = makeRequest(index, seriesCount);
  const requestV2 = makeRequestV2(index, seriesCount);
  const { lines } = flattener.flatten(request, LIMITS);
  // From here on its metadata is known, as that of nearly all requests is.
  flattenV2(requestV2);
  return {
    samples: lines.ends.length,
    request,
    requestV2,
    lines: lines.bytes,
    block: SnappyJS.compress(request),
    blockV2: SnappyJS.compress(requestV2),
  };
}

function flattenV2(request: Uint8Array, by = flattener): Uint8Array {
  const { lines, metadata } = by.flatten(request, { ...LIMITS, version: 2 });
  if (metadata) seen.addAll(metadata, LIMITS.arrivedAtMs, () => false).next();
  return lines.bytes;
}

/** The lines of a request, of series of its own. */
export function makeLines(index: number): Lines {
  return flattener.flatten(makeRequest(index, SERIES_COUNTS.at(-1)!), LIMITS).lines;
}
