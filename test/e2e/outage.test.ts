import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sidesOfTheLaw, startAdapter, type Adapter } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { startFakeKinesis, type FakeKinesis } from '../support/fake_kinesis.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from '../support/odd_exporter.ts';
import { freePort, waitFor } from '../support/processes.ts';
import { mustHavePrometheus, reasonToSkip, startNodeExporter, startPrometheus } from '../support/prometheus.ts';
import { compare, latestMs } from '../support/samples.ts';

/** The sink is gone for a while, as a network and as a service, and a real Prometheus in front has kept everything. */

/** `TORTURE_OUTAGE_SECONDS=180 npx vitest run test/e2e/outage.test.ts` is the long form. */
const OUTAGE_SECONDS = Number(process.env['TORTURE_OUTAGE_SECONDS'] ?? 25);
/** So short in the short form that requests miss it there, too. */
const DELIVERY_TIMEOUT_SECONDS = Math.min(25, OUTAGE_SECONDS / 5);
const SETTLE_MS = 60_000;

const { directory, atEnd } = e2eDirectory();

const skipped = reasonToSkip('the outage test with a real Prometheus');

/** A stream that goes away and comes back with what it held, and the adapter that writes to it. */
interface Outage {
  readonly name: string;
  readonly adapter: Adapter;
  readonly lines: () => string[];
  readonly kinesis: () => FakeKinesis;
  readonly closePort: () => Promise<void>;
  readonly openPort: () => Promise<void>;
}

async function startOutage(packing: string): Promise<Outage> {
  const past: FakeKinesis[] = [];
  // Nobody's outgoing connection takes that while the fake is away.
  const port = await freePort();
  let fake = await startFakeKinesis({ port });
  const { url } = fake;
  let isOpen = true;
  atEnd(async () => {
    if (isOpen) await fake.close();
  });
  const adapter = await startAdapter({
    env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', STREAM_NAME: 'history' },
    args: ['--endpoint-url', url, '--packing', packing, '--delivery-timeout', `${DELIVERY_TIMEOUT_SECONDS * 1_000}ms`],
  });
  return {
    name: packing,
    adapter,
    lines: () => [...past, ...(isOpen ? [fake] : [])].flatMap((each) => each.lines()),
    kinesis: () => fake,
    async closePort() {
      await fake.close();
      isOpen = false;
      past.push(fake);
    },
    async openPort() {
      fake = await startFakeKinesis({ port });
      isOpen = true;
    },
  };
}

describe.skipIf(skipped !== undefined)(
  `an outage of the sink${skipped === undefined ? '' : ` (SKIPPED: ${skipped})`}`,
  () => {
    test(
      'loses nothing: the stream holds what Prometheus holds',
      { timeout: (OUTAGE_SECONDS * 2 + 240) * 1_000 },
      async () => {
        mustHavePrometheus();
        const outages = [await startOutage('none'), await startOutage('gzip')];
        const exporter = await startOddExporter();
        atEnd(() => exporter.close());
        const node = await startNodeExporter();
        const prometheus = await startPrometheus({
          dir: join(directory, 'prometheus'),
          receivers: outages.map(({ name, adapter }) => ({ name, url: adapter.url })),
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
        for (const { openPort, kinesis } of outages) {
          await openPort();
          kinesis().script(() => ({ kind: 'error', status: 500, type: 'InternalFailure' }));
        }
        await sleep((OUTAGE_SECONDS / 2) * 1_000);
        for (const { kinesis } of outages) {
          expect(kinesis().calls.length).toBeGreaterThan(0);
          expect(kinesis().records).toEqual([]);
        }
        const during = await Promise.all(outages.map(({ adapter }) => adapter.metrics()));
        const mendedAt = performance.now();
        for (const { kinesis } of outages) kinesis().script(() => ({ kind: 'accept' }));
        await scrapes(5);
        await prometheus.stopScraping(TIMESTAMPED_METRIC);
        const span = { fromMs, toMs: Date.now() };
        const truth = await prometheus.read(span);

        for (const [index, { name, adapter, lines, kinesis }] of outages.entries()) {
          await prometheus.waitUntilSent({ name, url: adapter.url }, latestMs(truth));
          let compared = compare(truth, lines(), span);
          await waitFor(
            () => {
              compared = compare(truth, lines(), span);
              return compared.missing === 0;
            },
            { timeoutMs: SETTLE_MS, what: () => `nothing to be missing: ${JSON.stringify(compared)}` },
          );
          const { series, samples, missing, wrong, duplicates } = compared;
          const metrics = await adapter.metrics();
          const returned = during[index]!.sum('lines_returned_total');
          console.log(
            `e2e: outage of ${OUTAGE_SECONDS} s, packing ${name}: Prometheus ${prometheus.version}, ${series} series, ${samples} samples compared, ${missing} missing, ` +
              `${wrong} wrong, ${duplicates} duplicates; ${returned} lines returned meanwhile, all there ${((performance.now() - mendedAt) / 1_000).toFixed(1)} s after the end`,
          );
          expect(compared).toMatchObject({ missing: 0, wrong: 0, examples: [] });
          expect(kinesis().violations).toEqual([]);
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
        for (const { adapter } of outages) expect(await adapter.stop()).toBe(0);
      },
    );
  },
);
