import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sidesOfTheLaw } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from '../support/odd_exporter.ts';
import { freePort, waitFor } from '../support/processes.ts';
import { mustHavePrometheus, reasonToSkip, startNodeExporter, startPrometheus } from '../support/prometheus.ts';
import { compare, latestMs } from '../support/samples.ts';
import { inForm } from './support/form.ts';
import { record } from './support/record.ts';
import { FIREHOSE, kinesis, type SinkKind, type TorturedSink } from './support/sinks.ts';
import { startTortured, type Tortured } from './support/tortured.ts';

/** The sink is gone for a while, as a network and as a service, and a real Prometheus in front has kept everything. */

const OUTAGE_SECONDS = inForm({ short: 25, long: 180 });
/** So short in the short form that requests miss it there, too. */
const DELIVERY_TIMEOUT_SECONDS = Math.min(25, OUTAGE_SECONDS / 5);
const SETTLE_MS = 60_000;

const { directory, atEnd } = e2eDirectory();

const skipped = reasonToSkip('the outage test with a real Prometheus');

/** A stream that goes away and comes back with what it held, and the adapter that writes to it. */
interface Outage {
  readonly name: string;
  readonly tortured: Tortured;
  readonly lines: () => Promise<string[]>;
  readonly sink: () => TorturedSink;
  readonly closePort: () => Promise<void>;
  readonly openPort: () => Promise<void>;
}

async function startOutage(kind: SinkKind): Promise<Outage> {
  const past: TorturedSink[] = [];
  // Nobody's outgoing connection takes that while the fake is away.
  const port = await freePort();
  let sink = await kind.start(directory, { port });
  let isOpen = true;
  atEnd(async () => {
    if (isOpen) await sink.close();
  });
  const args = ['--delivery-timeout', `${DELIVERY_TIMEOUT_SECONDS * 1_000}ms`];
  return {
    name: kind.name,
    tortured: await startTortured({ sink, args }),
    lines: async () => (await Promise.all([...past, ...(isOpen ? [sink] : [])].map((each) => each.lines()))).flat(),
    sink: () => sink,
    async closePort() {
      await sink.close();
      isOpen = false;
      past.push(sink);
    },
    async openPort() {
      sink = await kind.start(directory, { port });
      isOpen = true;
    },
  };
}

/** Seconds until the adapter has answered more writes 204 than it has now. */
async function recoveryOf({ tortured: { adapter } }: Outage): Promise<number> {
  const acknowledged = async () => (await adapter.metrics()).value('requests_total{code="204"}');
  const startedAt = performance.now();
  const before = await acknowledged();
  await waitFor(async () => (await acknowledged()) > before, {
    timeoutMs: SETTLE_MS,
    what: () => 'a write to get through',
  });
  return (performance.now() - startedAt) / 1_000;
}

describe.skipIf(skipped !== undefined)(
  `an outage of the sink${skipped === undefined ? '' : ` (SKIPPED: ${skipped})`}`,
  () => {
    test(
      'loses nothing: the stream holds what Prometheus holds',
      { timeout: (OUTAGE_SECONDS * 2 + 240) * 1_000 },
      async () => {
        mustHavePrometheus();
        const outages = await Promise.all([kinesis('none'), kinesis('gzip'), FIREHOSE].map(startOutage));
        const exporter = await startOddExporter();
        atEnd(() => exporter.close());
        const node = await startNodeExporter();
        const prometheus = await startPrometheus({
          dir: join(directory, 'prometheus'),
          receivers: outages.map(({ name, tortured }) => ({ name, url: tortured.adapter.url })),
          targets: { node: node.address, odd: exporter.address },
          externalLabels: { cluster: 'outage' },
          rules: {},
        });
        const fromMs = Date.now() + 1_000;
        const scrapes = (more: number) => {
          const last = exporter.scrapes + more;
          return waitFor(() => exporter.scrapes >= last, {
            timeoutMs: 5_000 + 3_000 * more,
            what: () => `${more} scrapes`,
          });
        };

        await scrapes(5);
        for (const { closePort } of outages) await closePort();
        await sleep((OUTAGE_SECONDS / 2) * 1_000);
        for (const { openPort, sink } of outages) {
          await openPort();
          sink().fake!.script(() => ({ kind: 'error', status: 500, type: 'InternalFailure' }));
        }
        await sleep((OUTAGE_SECONDS / 2) * 1_000);
        for (const { sink } of outages) {
          expect(sink().fake!.calls.length).toBeGreaterThan(0);
          expect(sink().fake!.records).toEqual([]);
        }
        const during = await Promise.all(outages.map(({ tortured }) => tortured.adapter.metrics()));
        for (const { sink } of outages) sink().fake!.script(() => ({ kind: 'accept' }));
        const recoveries = await Promise.all(outages.map(recoveryOf));
        await scrapes(5);
        await prometheus.stopScraping(TIMESTAMPED_METRIC);
        const span = { fromMs, toMs: Date.now() };
        const truth = await prometheus.read(span);

        for (const [index, { name, tortured, lines }] of outages.entries()) {
          await prometheus.waitUntilSent({ name, url: tortured.adapter.url }, latestMs(truth));
          let compared = compare(truth, await lines(), span);
          await waitFor(
            async () => {
              compared = compare(truth, await lines(), span);
              return compared.missing === 0;
            },
            { timeoutMs: SETTLE_MS, what: () => `nothing to be missing: ${JSON.stringify(compared)}` },
          );
          const { samples, missing, duplicates } = compared;
          const metrics = await tortured.adapter.metrics();
          const returned = during[index]!.sum('lines_returned_total');
          expect(compared).toMatchObject({ wrong: 0, examples: [] });
          record({
            scenario: `outage for ${OUTAGE_SECONDS} s, half of it without a port, half with 500s; a real Prometheus ${prometheus.version}`,
            sink: name,
            sent: samples,
            // All that it has is sent, by its own account, and below nothing was dropped.
            acknowledged: samples,
            delivered: samples - missing + duplicates,
            duplicated: duplicates,
            lost: missing,
            peakMib: tortured.peakMib,
            ceilingMib: tortured.ceilingMib,
            recoverySeconds: recoveries[index],
          });
          // The outage was one: the sink was seen to be down, and requests went back to Prometheus.
          expect(during[index]!.value('sink_up')).toBe(0);
          expect(returned).toBeGreaterThan(0);
          const { received, ended } = sidesOfTheLaw(metrics);
          expect(ended).toBe(received);
          expect(metrics.value('lines_in_flight')).toBe(0);
          expect(metrics.value('sink_up')).toBe(1);
        }
        const dropped = [...(await prometheus.metrics())].filter(([series]) =>
          /^prometheus_remote_storage_samples_(failed|dropped)_total/.test(series),
        );
        expect(dropped.length).toBeGreaterThan(0);
        expect(dropped.filter(([, value]) => value > 0)).toEqual([]);
        await prometheus.end();
        for (const { tortured } of outages) await tortured.end('SIGTERM');
      },
    );
  },
);
