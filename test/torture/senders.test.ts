import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses } from '../support/processes.ts';
import { AbortingPost } from './support/aborting_post.ts';
import { inForm } from './support/form.ts';
import { GARBAGE_KINDS, startGarbage } from './support/garbage.ts';
import { startLoad, type Load } from './support/load.ts';
import { NumberedSamples } from './support/numbered_samples.ts';
import { kinesis, SINKS } from './support/sinks.ts';
import { SLOWNESSES, startSlowSenders } from './support/slow_senders.ts';
import { endRow, startTortured } from './support/tortured.ts';

/** Senders as one does not want them, beside good ones. */

const KINESIS = kinesis('none');
const LOAD = { shards: 30, samplesPerRequest: 200, pauseMs: 100 } as const;

/** A fast machine ends by what the tests can hold of it, a busy one by the time. */
const ENOUGH = inForm({ short: { samples: 50_000, seconds: 5 }, long: { samples: 500_000, seconds: 30 } });

afterEach(endProcesses);

describe('200 connections at once', () => {
  test.each(SINKS)('$name', { timeout: 180_000 }, async (kind) => {
    const sink = await kind.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const load = startLoad({ port: tortured.port, shards: 200, samplesPerRequest: 500 });
    onTestFinished(() => load.abort());
    await enough(load);
    await endRow(tortured, { scenario: '200 connections at once', load });
  });
});

describe('senders that go away from half of their requests', () => {
  test.each(SINKS)('$name', { timeout: 180_000 }, async (kind) => {
    const sink = await kind.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const aborting = new AbortingPost();
    const load = startLoad({ ...LOAD, port: tortured.port, pauseMs: 20, post: aborting.post });
    onTestFinished(() => load.abort());
    await enough(load);
    await load.finish();
    for (const count of Object.values(aborting.aborted)) expect(count).toBeGreaterThan(0);
    const metrics = await tortured.adapter.metrics();
    expect(metrics.value('requests_total{code="499"}')).toBeGreaterThan(0);
    const scenario = 'senders go away from half of their requests, in the body or after it, and send them again';
    await endRow(tortured, { scenario, load });
  });
});

describe('slow-loris senders', () => {
  const perSlowness = inForm({ short: 75, long: 150 });
  /** Each with a MiB of its body, which together is more than may be in flight. */
  const large = 64;
  const largeBody = randomBytes(1024 ** 2);
  /** Time that a request has to arrive, and what it takes to find that it did not. */
  const CUT_MS = { from: 29_000, to: 36_000 };

  test(KINESIS.name, { timeout: 120_000 }, async () => {
    const sink = await KINESIS.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const { port } = tortured;
    const body = new NumberedSamples(LOAD.samplesPerRequest).body(0);
    const small = startSlowSenders({ port, slownesses: SLOWNESSES, count: perSlowness, body });
    onTestFinished(() => small.destroy());
    await sleep(1_000);
    const load = startLoad({ ...LOAD, port });
    onTestFinished(() => load.abort());
    await load.more(10_000);
    expect(small.open).toBe(SLOWNESSES.length * perSlowness);

    const filling = startSlowSenders({ port, slownesses: ['nearly all of the body'], count: large, body: largeBody });
    onTestFinished(() => filling.destroy());
    await small.allEnded;
    await filling.allEnded;
    const recoverySeconds = await load.recovery('fault');

    // The others are refused at the door.
    const cut = [...small.ended, ...filling.ended.filter(({ afterMs }) => afterMs > CUT_MS.from)];
    expect(cut.length).toBeGreaterThan(small.ended.length);
    for (const { status, afterMs } of cut) {
      expect([408, 503]).toContain(status);
      expect(afterMs).toBeGreaterThan(CUT_MS.from);
      expect(afterMs).toBeLessThan(CUT_MS.to);
    }
    console.log(`torture: slow-loris senders: answers to the good ones ${JSON.stringify([...load.answers])}`);
    const scenario = `${small.ended.length} slow-loris senders, then ${large} more that fill what may be in flight; each is cut after 30 s`;
    await endRow(tortured, { scenario, load, recoverySeconds });
  });
});

describe('garbage between good requests', () => {
  const seconds = inForm({ short: 2, long: 20 });

  test(KINESIS.name, { timeout: 120_000 }, async () => {
    const sink = await KINESIS.start(temporaryDir());
    onTestFinished(() => sink.close());
    const tortured = await startTortured({ sink });
    const garbage = startGarbage(tortured.port);
    onTestFinished(() => garbage.stop());
    const load = startLoad({ ...LOAD, port: tortured.port });
    onTestFinished(() => load.abort());
    await sleep(seconds * 1_000);
    await garbage.stop();
    expect(garbage.unexpected).toEqual([]);
    expect(garbage.answered).toBeGreaterThan(GARBAGE_KINDS);
    await endRow(tortured, { scenario: `${garbage.answered} requests of garbage between good ones`, load });
  });
});

function enough(load: Load): Promise<void> {
  return Promise.race([load.more(ENOUGH.samples), sleep(ENOUGH.seconds * 1_000)]);
}
