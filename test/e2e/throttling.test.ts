import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { sidesOfTheLaw, startAdapter } from '../support/adapter.ts';
import type { Behaviour, FakeCall } from '../support/fake_aws.ts';
import { startFakeKinesis, type FakeKinesis } from '../support/fake_kinesis.ts';
import { textsOfRecord } from '../support/lines.ts';
import { startLoad, type Load } from '../support/load.ts';
import { endProcesses, startProcess, within } from '../support/processes.ts';

/**
 * Overload: a strict Kinesis whose shards take a fifth of what is offered, that fails a fifth of the records besides and resets calls. What is
 * answered 2xx must be there, and as much of what the sink takes as can be must be answered so.
 */

/** `TORTURE_SECONDS=60 npx vitest run test/e2e/throttling.test.ts` is the long form. */
const LOAD_SECONDS = Number(process.env['TORTURE_SECONDS'] ?? 10);
/** So short in the short form that requests miss it there, too. */
const DELIVERY_TIMEOUT_SECONDS = Math.min(25, LOAD_SECONDS / 2);
/**
 * Shares of what the sink takes, and of what was sent. In the short form the first second, in which the drain rate is not known yet, and the requests
 * that the end cuts weigh six times as much.
 */
const LEAST_ACKNOWLEDGED = LOAD_SECONDS >= 60 ? 0.8 : 0.65;
const MOST_DUPLICATED = LOAD_SECONDS >= 60 ? 0.1 : 0.15;
/** The adapter admits what it can deliver in half of the delivery timeout; so many times that wants to be delivered at any time. */
const OVERLOAD = 5;
const SHARDS = 8;
const MIB = 1024 ** 2;
const MAX_IN_FLIGHT_MIB = 64;
const RECORD_BYTES = 25 * 1024;

const INTERNAL_FAILURES = 0.2;
/** Of a hundred calls one is reset before and one after it was accepted. */
const RESETS = { before: 25, after: 75 };

afterEach(endProcesses);

interface Packing {
  readonly packing: 'none' | 'lines' | 'gzip';
  /** 500 is the default of Prometheus up to 2.43, and 2,000 since. */
  readonly samplesPerRequest: number;
  /** What the shards take together; about right, as it depends on what the lines take. */
  readonly samplesPerSecond: number;
  /** Of each shard. AWS's are 1,000 records and 1 MiB, which packing makes more of than two cores can offer five times: packed they are far less here. */
  readonly shardLimits: { readonly recordsPerSecond: number; readonly bytesPerSecond: number };
}

const PACKINGS: readonly Packing[] = [
  // These 500 series do not fall evenly on the shards: the fullest, which has 80 of them, bounds all to 6,250 samples/s.
  {
    packing: 'none',
    samplesPerRequest: 500,
    samplesPerSecond: 8_000,
    shardLimits: { recordsPerSecond: 1_000, bytesPerSecond: MIB },
  },
  // 165 bytes a line.
  {
    packing: 'lines',
    samplesPerRequest: 2_000,
    samplesPerSecond: 16_000,
    shardLimits: { recordsPerSecond: 1_000, bytesPerSecond: 330_000 },
  },
  // 14 bytes a sample; a bucket is to hold several records.
  {
    packing: 'gzip',
    samplesPerRequest: 2_000,
    samplesPerSecond: 16_000,
    shardLimits: { recordsPerSecond: 1_000, bytesPerSecond: 28_000 },
  },
];

describe('a sink that takes a fifth of what is offered', () => {
  test.each(PACKINGS)(
    'packing $packing: nothing acknowledged is lost, and most of what it takes is acknowledged',
    { timeout: (LOAD_SECONDS * 4 + 90) * 1_000 },
    async ({ packing, samplesPerRequest, samplesPerSecond, shardLimits }) => {
      const fake = await startFakeKinesis({ shards: SHARDS, shardLimits });
      onTestFinished(() => fake.close());
      fake.script(failInPart);
      const adapter = await startAdapter({
        env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', STREAM_NAME: 'history' },
        args: [
          ...['--endpoint-url', fake.url, '--packing', packing],
          ...(packing === 'none' ? [] : ['--record-bytes', String(RECORD_BYTES)]),
          ...['--delivery-timeout', `${DELIVERY_TIMEOUT_SECONDS * 1_000}ms`],
          ...['--max-in-flight-bytes', `${MAX_IN_FLIGHT_MIB}MiB`],
        ],
      });
      const probe = startProbe(adapter.port);
      const startedAt = performance.now();
      const wanted = OVERLOAD * samplesPerSecond * (DELIVERY_TIMEOUT_SECONDS / 2);
      const shards = Math.ceil(wanted / samplesPerRequest);
      const load = startLoad({ port: adapter.port, shards, samplesPerRequest });
      onTestFinished(() => load.abort());

      await sleep(LOAD_SECONDS * 1_000);
      const { acknowledged, posted } = load;
      const recordsTaken = fake.records.length;
      const { metrics, healthy, turn } = await probe.end();
      await load.finish();
      const seconds = (performance.now() - startedAt) / 1_000;

      const taken = fake.records.slice(0, recordsTaken).reduce((sum, { data }) => sum + textsOfRecord(data).length, 0);
      const peakMib = peakRssMib(adapter.process.pid);
      const delivery = deliveryOf(load, fake);
      const { delivered, unique, duplicated, lost } = delivery;
      console.log(
        `e2e: throttled, packing ${packing}: ${load.sent} samples sent, ${load.acknowledged} acknowledged, ${delivered} delivered, ${unique} unique, ` +
          `${duplicated} duplicated (${percent(duplicated, unique)}), ${lost} lost, peak RSS ${peakMib.toFixed(0)} MiB of ${MAX_RSS_MIB}, ${seconds.toFixed(1)} s`,
      );
      console.log(
        `e2e: throttled, packing ${packing}: in ${LOAD_SECONDS} s of load by ${load.senders} senders (${shards} shards): posted ${rate(posted)}, taken ${rate(taken)}, ` +
          `acknowledged ${rate(acknowledged)} = ${percent(acknowledged, taken)} of what was taken; answers ${JSON.stringify([...load.answers])}, ` +
          `${fake.calls.length} calls, ${fake.records.length} records taken, ${fake.throttled} throttled`,
      );
      console.log(
        `e2e: throttled, packing ${packing}: /metrics ${metrics}, /-/healthy ${healthy}; turns of the event loop, the longest between two scrapes: ${turn}`,
      );

      // The torture was one.
      expect(fake.throttled).toBeGreaterThan(0);
      expect(load.answers.get(503)).toBeGreaterThan(0);
      expect(posted).toBeGreaterThan(3 * taken);

      expect(fake.violations).toEqual([]);
      expect(delivery).toMatchObject({ lost: 0, foreign: [] });
      expect(load.acknowledged).toBe(load.sent);
      expect(unique).toBe(load.sent);
      expect(acknowledged).toBeGreaterThanOrEqual(LEAST_ACKNOWLEDGED * taken);
      expect(duplicated).toBeLessThanOrEqual(MOST_DUPLICATED * unique);
      expect(peakMib).toBeLessThan(MAX_RSS_MIB);
      const after = await adapter.metrics();
      const { received, ended } = sidesOfTheLaw(after);
      expect(ended).toBe(received);
      expect(after.value('lines_in_flight')).toBe(0);
      expect(await adapter.stop()).toBe(0);
    },
  );
});

/** Some records fail, and some calls end with their connection, half of these after they were accepted. */
function failInPart({ index, records }: FakeCall): Behaviour {
  if (index % 100 === RESETS.before) return { kind: 'reset', accepted: false };
  if (index % 100 === RESETS.after) return { kind: 'reset', accepted: true };
  const fails = () => Math.random() < INTERNAL_FAILURES;
  return {
    kind: 'codes',
    codes: Array.from({ length: records }, () => (fails() ? 'InternalFailure' : undefined)),
  };
}

/** Node with the program takes some 110 MiB, and the bodies of the calls under way a few more; what is in flight may be held twice until garbage is collected. */
const MAX_RSS_MIB = 130 + 2 * MAX_IN_FLIGHT_MIB;

function peakRssMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

interface DeliveryResult {
  readonly delivered: number;
  readonly unique: number;
  readonly duplicated: number;
  /** Acknowledged samples that are not in the stream. */
  readonly lost: number;
  /** The first few lines that nobody sent. */
  readonly foreign: readonly string[];
}

/** What the stream holds of what was sent, line by line. */
function deliveryOf(load: Load, fake: FakeKinesis): DeliveryResult {
  const seen = new Uint8Array(load.sent);
  const foreign: string[] = [];
  let delivered = 0;
  let unique = 0;
  for (const { data } of fake.records) {
    for (const line of textsOfRecord(data)) {
      delivered++;
      const sample = Number(/"value":(\d+)/.exec(line)?.[1]);
      if (line !== load.lineOf(sample)) foreign.push(line);
      else if (seen[sample] === 0) {
        seen[sample] = 1;
        unique++;
      }
    }
  }
  let lost = 0;
  for (let sample = 0; sample < seen.length; sample++) if (seen[sample] === 0 && load.isAcknowledged(sample)) lost++;
  return { delivered, unique, duplicated: delivered - unique, lost, foreign: foreign.slice(0, 5) };
}

/** Asks /metrics and /-/healthy all the time, until it is ended. */
function startProbe(port: number) {
  const support = join(import.meta.dirname, '../support');
  const args = ['--import', join(support, 'typescript.mjs'), join(support, 'probe.ts'), String(port)];
  const probe = startProcess(process.execPath, { args });
  return {
    async end() {
      probe.kill('SIGTERM');
      await within(10_000, 'the probe to end', probe.closed);
      if (probe.stdout === '') throw new Error(`the probe failed:\n${probe.stderr}`);
      const { metrics, healthy, turn } = JSON.parse(probe.stdout) as Record<'metrics' | 'healthy' | 'turn', number[]>;
      return { metrics: summaryOf(metrics), healthy: summaryOf(healthy), turn: summaryOf(turn) };
    },
  };
}

function summaryOf(durationsMs: readonly number[]): string {
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]?.toFixed(0);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${sorted.length}`;
}

function rate(samples: number): string {
  return `${Math.round(samples / LOAD_SECONDS)}/s`;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)}%`;
}
