import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sidesOfTheLaw } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from '../support/odd_exporter.ts';
import { waitFor } from '../support/processes.ts';
import { mustHavePrometheus, reasonToSkip, startPrometheus, type Prometheus } from '../support/prometheus.ts';
import { compare, latestMs, type Comparison, type Span } from '../support/samples.ts';
import { inForm } from './support/form.ts';
import { mustHaveHaproxy, reasonToSkipHaproxy, startHaproxy, type Haproxy } from './support/haproxy.ts';
import { record } from './support/record.ts';
import { kinesis } from './support/sinks.ts';
import { startTortured, type Tortured } from './support/tortured.ts';

/** Two copies behind haproxy write to one stream; one of them is killed every few seconds, and a real Prometheus in front loses nothing. */

const SECONDS = inForm({ short: 25, long: 600 });
const KILL_EVERY_MS = 3_000;
const RECOVERY_MS = 30_000;
const SETTLE_MS = 120_000;
/** Of a call, so that a kill finds requests under way. */
const CALL_MS = { least: 50, most: 250 };
/** Small requests at all times, where Prometheus's own are 500 or 2,000 samples, and several times what it has to send. */
const QUEUE = { max_samples_per_send: 50, batch_send_deadline: '1s', min_shards: 20, max_shards: 20 } as const;

const SENDERS = [
  { name: 'v1', program: undefined, settings: {} },
  ...inForm({
    short: [],
    // Where there is one.
    long: [process.env['PROMETHEUS3']].flatMap((program) =>
      program === undefined
        ? []
        : [{ name: 'v2', program, settings: { protobuf_message: 'io.prometheus.write.v2.Request' } }],
    ),
  }),
];

const { directory, atEnd } = e2eDirectory();
const what = 'the torture of two copies behind haproxy';
const skipped = reasonToSkipHaproxy(what) ?? reasonToSkip(what);

describe.skipIf(skipped !== undefined)(`behind haproxy${skipped === undefined ? '' : ` (SKIPPED: ${skipped})`}`, () => {
  test('a real Prometheus loses nothing by kills', { timeout: (SECONDS + 600) * 1_000 }, async () => {
    mustHavePrometheus();
    mustHaveHaproxy();
    const sink = await kinesis('none').start(directory);
    atEnd(() => sink.close());
    sink.fake!.script(async () => {
      await sleep(CALL_MS.least + Math.random() * (CALL_MS.most - CALL_MS.least));
      return { kind: 'accept' };
    });
    const copies = [await startTortured({ sink }), await startTortured({ sink })] as const;
    const haproxy = await startHaproxy(directory, [copies[0].port, copies[1].port]);
    const exporter = await startOddExporter();
    atEnd(() => exporter.close());
    const senders = await Promise.all(SENDERS.map((sender) => startSender(sender, haproxy, exporter.address)));
    for (const { prometheus } of senders) await prometheus.waitForTargets();
    const fromMs = Date.now() + 1_000;
    await sleep(2_000);

    const { kills, recoverySeconds } = await killInTurn(copies, haproxy);

    for (const { prometheus } of senders) await prometheus.stopScraping(TIMESTAMPED_METRIC);
    const span = { fromMs, toMs: Date.now() };
    const outcomes = [];
    for (const sender of senders) outcomes.push(await outcomeOf(sender, span, () => sink.fake!.lines()));
    for (const { prometheus } of senders) await prometheus.end();
    const responses = await haproxy.responses();
    await haproxy.end();
    for (const copy of copies) {
      const { received, ended } = sidesOfTheLaw(await copy.adapter.metrics());
      expect(ended).toBe(received);
      await copy.end('SIGTERM');
    }
    console.log(`torture: behind haproxy: answers ${JSON.stringify([...responses])}`);

    for (const [index, { compared, retried, failed }] of outcomes.entries()) {
      const { prometheus } = senders[index]!;
      const { samples, missing, duplicates, series } = compared;
      console.log(
        `torture: behind haproxy: Prometheus ${prometheus.version}, ${series} series, ${samples} samples compared, ${retried} retried, ${failed} failed`,
      );
      expect(compared).toMatchObject({ wrong: 0, examples: [] });
      expect(failed).toBe(0);
      record({
        scenario: `two copies behind haproxy ${haproxy.version}, ${kills} × kill −9 in ${SECONDS} s, a real Prometheus ${prometheus.version}`,
        sink: sink.name,
        sent: samples,
        // It says of none that it failed or was dropped, and of all that they were sent.
        acknowledged: samples,
        delivered: samples - missing + duplicates,
        duplicated: duplicates,
        lost: missing,
        peakMib: Math.max(...copies.map(({ peakMib }) => peakMib)),
        ceilingMib: copies[0].ceilingMib,
        recoverySeconds,
      });
    }
    // The kills met requests, and none was answered what makes a sender drop it.
    expect(outcomes.reduce((sum, { retried }) => sum + retried, 0)).toBeGreaterThan(0);
    expect(responses.get('4xx')).toBe(0);
  });
});

interface Sender {
  readonly name: string;
  readonly prometheus: Prometheus;
  readonly receiver: { readonly name: string; readonly url: string };
}

async function startSender(
  { name, program, settings }: (typeof SENDERS)[number],
  { url }: Haproxy,
  target: string,
): Promise<Sender> {
  const receiver = { name, url, settings: { queue_config: QUEUE, ...settings } };
  const prometheus = await startPrometheus({
    ...(program !== undefined && { program }),
    dir: join(directory, name),
    receivers: [receiver],
    targets: { odd: target },
    externalLabels: { sender: name },
  });
  return { name, prometheus, receiver };
}

/** Kills one copy after the other, each back at once, for as long as the form wants it. */
async function killInTurn(copies: readonly [Tortured, Tortured], haproxy: Haproxy) {
  const until = performance.now() + SECONDS * 1_000;
  let kills = 0;
  let recoverySeconds = 0;
  for (; performance.now() < until; kills++) {
    const copy = copies[kills % 2 === 0 ? 0 : 1];
    const killedAtMs = performance.now();
    await copy.end('SIGKILL');
    const recovery = secondsToAnAcknowledgement(haproxy);
    await copy.start();
    recoverySeconds = Math.max(recoverySeconds, await recovery);
    await sleep(KILL_EVERY_MS - (performance.now() - killedAtMs));
  }
  return { kills, recoverySeconds };
}

async function secondsToAnAcknowledgement(haproxy: Haproxy): Promise<number> {
  const sinceMs = performance.now();
  const count = async () => (await haproxy.responses()).get('2xx') ?? 0;
  const before = await count();
  await waitFor(async () => (await count()) > before, {
    timeoutMs: RECOVERY_MS,
    what: () => 'an acknowledgement after a kill',
  });
  return (performance.now() - sinceMs) / 1_000;
}

/** What of all that a Prometheus holds is in the stream, and what it says that became of it. */
async function outcomeOf({ name, prometheus, receiver }: Sender, span: Span, lines: () => string[]) {
  const truth = await prometheus.read(span);
  const pending = `prometheus_remote_storage_samples_pending{remote_name="${name}",url="${receiver.url}"}`;
  await waitFor(async () => (await prometheus.metrics()).get(pending) === 0, {
    timeoutMs: SETTLE_MS,
    what: () => `all samples of ${name} to be sent`,
  });
  await prometheus.waitUntilSent(receiver, latestMs(truth));
  const own = () => lines().filter((line) => line.includes(`"sender":"${name}"`));
  let compared: Comparison = compare(truth, own(), span);
  const deadline = performance.now() + SETTLE_MS;
  while (compared.missing > 0 && performance.now() < deadline) {
    await sleep(1_000);
    compared = compare(truth, own(), span);
  }
  const metrics = [...(await prometheus.metrics())];
  const sum = (kinds: RegExp) =>
    metrics.filter(([series]) => kinds.test(series)).reduce((total, [, value]) => total + value, 0);
  return {
    compared,
    retried: sum(/^prometheus_remote_storage_samples_retried_total\{/),
    failed: sum(/^prometheus_remote_storage_samples_(failed|dropped)_total\{/),
  };
}
