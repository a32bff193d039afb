import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import type { Behaviour, FakeCall } from '../support/fake_aws.ts';
import { textsOfRecord } from '../support/lines.ts';
import { endProcesses, startProcess, within } from '../support/processes.ts';
import { inForm, IS_LONG } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { FIREHOSE, kinesis, type SinkKind, type TorturedFake } from './support/sinks.ts';
import { endRow, startTortured } from './support/tortured.ts';

/**
 * Overload: AWS takes a fifth of what is offered, fails a fifth of the records besides and resets calls. What is answered 2xx must be there, and as much of
 * what the sink takes as can be must be answered so.
 */

const LOAD_SECONDS = inForm({ short: 10, long: 60 });
/** So short in the short form that requests miss it there, too. */
const DELIVERY_TIMEOUT_SECONDS = Math.min(25, LOAD_SECONDS / 2);
/**
 * Shares of what the sink takes, and of what was sent. In the short form the first second, in which the drain rate is not known yet, and the requests
 * that the end cuts weigh six times as much.
 */
const LEAST_ACKNOWLEDGED = IS_LONG ? 0.8 : 0.65;
const MOST_DUPLICATED = IS_LONG ? 0.1 : 0.15;
/** The adapter admits what it can deliver in half of the delivery timeout; so many times that wants to be delivered at any time. */
const OVERLOAD = 5;
const SHARDS = 8;
const MIB = 1024 ** 2;
const RECORD_BYTES = 25 * 1024;

const INTERNAL_FAILURES = 0.2;
/** Of a hundred calls one is reset before and one after it was accepted. */
const RESETS = { before: 25, after: 75 };

afterEach(endProcesses);

interface Throttled {
  readonly kind: SinkKind;
  /** 500 is the default of Prometheus up to 2.43, and 2,000 since. */
  readonly samplesPerRequest: number;
  /** What the shards, or the delivery stream, take together; about right, as it depends on what the lines take. */
  readonly samplesPerSecond: number;
  /** AWS's are 1,000 records and 1 MiB a shard, which packing makes more of than two cores can offer five times: packed they are far less here. */
  readonly bytesPerSecond: number;
}

const THROTTLED: readonly Throttled[] = [
  // These 500 series do not fall evenly on the shards: the fullest, which has 80 of them, bounds all to 6,250 samples/s.
  { kind: kinesis('none'), samplesPerRequest: 500, samplesPerSecond: 8_000, bytesPerSecond: MIB },
  // 165 bytes a line.
  { kind: kinesis('lines'), samplesPerRequest: 2_000, samplesPerSecond: 16_000, bytesPerSecond: 330_000 },
  // 14 bytes a sample; a bucket is to hold several records.
  { kind: kinesis('gzip'), samplesPerRequest: 2_000, samplesPerSecond: 16_000, bytesPerSecond: 28_000 },
  ...inForm({
    short: [],
    long: [{ kind: FIREHOSE, samplesPerRequest: 2_000, samplesPerSecond: 16_000, bytesPerSecond: 112_000 }],
  }),
];

describe('a sink that takes a fifth of what is offered', () => {
  test.each(THROTTLED)(
    '$kind.name: nothing acknowledged is lost, and most of what it takes is acknowledged',
    { timeout: (LOAD_SECONDS * 4 + 90) * 1_000 },
    async ({ kind, samplesPerRequest, samplesPerSecond, bytesPerSecond }) => {
      const limits = { recordsPerSecond: 1_000, bytesPerSecond };
      const sink = await kind.start(
        temporaryDir(),
        kind === FIREHOSE ? { quota: limits } : { shards: SHARDS, shardLimits: limits },
      );
      const fake = sink.fake!;
      onTestFinished(() => sink.close());
      fake.script(failInPart);
      const tortured = await startTortured({
        sink,
        maxInFlightMib: 64,
        args: [
          ...(sink.packing === 'none' ? [] : ['--record-bytes', String(RECORD_BYTES)]),
          ...['--delivery-timeout', `${DELIVERY_TIMEOUT_SECONDS * 1_000}ms`],
        ],
      });
      const probe = startProbe(tortured.port);
      const wanted = OVERLOAD * samplesPerSecond * (DELIVERY_TIMEOUT_SECONDS / 2);
      const shards = Math.ceil(wanted / samplesPerRequest);
      const load = startLoad({ port: tortured.port, shards, samplesPerRequest });
      onTestFinished(() => load.abort());

      await sleep(LOAD_SECONDS * 1_000);
      const { acknowledged, posted } = load;
      const recordsTaken = fake.records.length;
      const { metrics, healthy, turn } = await probe.end();
      const taken = linesOf(fake, recordsTaken);
      console.log(
        `torture: throttled, ${sink.name}: in ${LOAD_SECONDS} s of load by ${load.senders} senders (${shards} shards): posted ${rate(posted)}, taken ${rate(taken)}, ` +
          `acknowledged ${rate(acknowledged)} = ${percent(acknowledged, taken)} of what was taken; answers ${JSON.stringify([...load.answers])}, ` +
          `${fake.calls.length} calls, ${recordsTaken} records taken, ${fake.throttled} throttled; ` +
          `/metrics ${metrics}, /-/healthy ${healthy}; turns of the event loop, the longest between two scrapes: ${turn}`,
      );
      const { duplicated, sent } = await endRow(tortured, {
        scenario: `throttled to a fifth for ${LOAD_SECONDS} s`,
        load,
      });

      // The torture was one.
      expect(fake.throttled).toBeGreaterThan(0);
      expect(load.answers.get(503)).toBeGreaterThan(0);
      expect(posted).toBeGreaterThan(3 * taken);
      expect(acknowledged).toBeGreaterThanOrEqual(LEAST_ACKNOWLEDGED * taken);
      expect(duplicated).toBeLessThanOrEqual(MOST_DUPLICATED * sent);
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

/** How many lines the first so many records hold. */
function linesOf(fake: TorturedFake, records: number): number {
  return fake.records.slice(0, records).reduce((sum, { data }) => sum + textsOfRecord(data).length, 0);
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
