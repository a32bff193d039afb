import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { startAdapter, type Adapter } from './adapter.ts';
import type { Behaviour, FakeCall } from './fake_aws.ts';
import { startFakeKinesis } from './fake_kinesis.ts';
import { startKinesalite } from './kinesis_emulator.ts';
import { freePort, waitFor } from './processes.ts';
import { readWholeMembers } from './samples.ts';

/** As the README's example has it. */
const AWS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', STREAM_NAME: 'x' } as const;

/** An archive that a real adapter fills. */
export interface Destination {
  readonly name: string;
  /** The adapter that serves it now. */
  readonly adapter: () => Adapter;
  /** All lines that it holds, also while it is written to. */
  readonly lines: () => string[] | Promise<string[]>;
  /** Whether samples may come twice: something was cut off after it was done and before it was acknowledged. */
  readonly isCutOff: boolean;
  /** What must hold at the end besides. */
  readonly check?: () => void;
  /** Ends what stands in for AWS. */
  readonly close?: () => Promise<void>;
}

/** One whose adapter does not live long. */
export interface TormentedDestination extends Destination {
  torment(): Promise<void>;
}

export async function directoryDestination(name: string, dir: string): Promise<Destination> {
  const adapter = await startAdapter({ env: { ARCHIVE_DIR: dir } });
  return { name, adapter: () => adapter, lines: () => readWholeMembers(dir), isCutOff: false };
}

/** A directory whose adapter is killed twice and stopped once, and comes back on the same port each time. */
export async function killedDestination(name: string, dir: string): Promise<TormentedDestination> {
  const options = { port: await freePort(), env: { ARCHIVE_DIR: dir } };
  let adapter = await startAdapter(options);
  const delivered = (count: number) =>
    waitFor(async () => (await adapter.metrics()).value('lines_delivered_total') >= count, {
      timeoutMs: 30_000,
      what: () => `${count} lines to be delivered:\n${adapter.process.stderr}`,
    });
  return {
    name,
    adapter: () => adapter,
    lines: () => readWholeMembers(dir),
    isCutOff: true,
    async torment() {
      for (const { end, awayMs } of [
        { end: 'killNine', awayMs: 3_000 },
        { end: 'killNine', awayMs: 0 },
        { end: 'stop', awayMs: 0 },
      ] as const) {
        await delivered(2_000);
        const code = await adapter[end]();
        if (end === 'stop') expect(code).toBe(0);
        // Prometheus knocks in vain, and has more to send afterwards.
        await sleep(awayMs);
        adapter = await startAdapter(options);
      }
      await delivered(2_000);
    },
  };
}

/** The emulator, undisturbed. */
export async function kinesaliteDestination(name: string): Promise<Destination> {
  const emulator = await startKinesalite({ stream: AWS.STREAM_NAME, region: AWS.AWS_REGION, shards: 4 });
  const adapter = await startAdapter({ env: AWS, args: ['--endpoint-url', emulator.url] });
  return {
    name,
    adapter: () => adapter,
    lines: () => emulator.lines(),
    isCutOff: false,
    close: () => emulator.close(),
  };
}

/** The strict fake, which refuses records, fails calls and goes away in the middle of some. */
export async function failingDestination(name: string): Promise<Destination> {
  const fake = await startFakeKinesis({
    stream: AWS.STREAM_NAME,
    shards: 4,
    secretAccessKey: AWS.AWS_SECRET_ACCESS_KEY,
  });
  fake.script(failNowAndThen);
  const adapter = await startAdapter({ env: AWS, args: ['--endpoint-url', fake.url] });
  return {
    name,
    adapter: () => adapter,
    lines: () => fake.lines(),
    isCutOff: true,
    check() {
      expect(fake.violations).toEqual([]);
      expect(fake.calls.length).toBeGreaterThan(40);
    },
    close: () => fake.close(),
  };
}

/** Throttled records, failing calls, and a call that was accepted without an answer. */
function failNowAndThen({ index, records }: FakeCall): Behaviour {
  if (index % 20 === 19) return { kind: 'reset', accepted: true };
  if (index % 20 === 9) return { kind: 'error', status: 500, type: 'InternalFailure' };
  if (index % 4 !== 3) return { kind: 'accept' };
  const code = index % 8 === 3 ? 'ProvisionedThroughputExceededException' : 'InternalFailure';
  return {
    kind: 'codes',
    codes: Array.from({ length: records }, (_, record) => (record % 3 === 0 ? code : undefined)),
  };
}
