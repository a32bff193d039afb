import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  STALE_NAN,
  bitsOf,
  doubleOf,
  nameOf,
  sortLabels,
  type ArchiveRecord,
  type DoubleBits,
  type SampleRecord,
} from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { sidesOfTheLaw, startAdapter, type Adapter, type AdapterMetrics } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { metadataEntry, metadataOfRecords } from '../support/metadata.ts';
import { COUNTER_HELP, startOddExporter, type OddExporter, type OddSample } from '../support/odd_exporter.ts';
import { waitFor } from '../support/processes.ts';
import { compareEntries, readWholeMembers, sampleKey } from '../support/samples.ts';
import { findOldVmagent, findVmagent, skippedWithout } from '../support/senders.ts';
import { startVmagent, type Vmagent } from '../support/vmagent.ts';

/**
 * A real vmagent scrapes odd values and writes them to the adapter: what was exposed is what the archive holds. One vmagent has a protocol
 * of its own, which it tries first, and the other is from before that.
 */

const SCRAPES = 15;
const RUN_MS = 90_000;
const SETTLE_MS = 30_000;
const JOB = 'odd';
const EXTERNAL_LABELS = { cluster: 'e2e "vm" é' };

const { directory, atEnd } = e2eDirectory();

const SENDERS = [
  { variable: 'VMAGENT', program: findVmagent(), hasOwnProtocol: true },
  { variable: 'VMAGENT_OLD', program: findOldVmagent(), hasOwnProtocol: false },
];

interface Run {
  readonly adapter: Adapter;
  readonly vmagent: Vmagent;
  readonly exporter: OddExporter;
  /** All that the archive holds after the last sample was sent. */
  readonly records: readonly ArchiveRecord[];
  readonly samples: readonly SampleRecord[];
  readonly staleMarkers: number;
  /** Of the adapter, then. */
  readonly metrics: AdapterMetrics;
}

for (const { variable, program, hasOwnProtocol } of SENDERS) {
  const skipped = skippedWithout(program, variable);
  describe.skipIf(program === undefined)(variable, { timeout: RUN_MS }, () => {
    let started: Promise<Run> | undefined;
    // Not a hook: what fails here is to fail tests, and a failed hook skips them.
    const theRun = () => (started ??= runVmagent(program!, join(directory, variable)));

    test(`what a real vmagent scrapes is what the archive holds${skipped}`, async () => {
      const { exporter, samples, staleMarkers, records } = await theRun();
      const values = samples.filter(({ labels, value }) => nameOf(labels).startsWith('odd_') && value !== STALE_NAN);
      const compared = compareEntries(truthOf(exporter, values), values.map(entryOf));
      const { missing, wrong, duplicates } = compared;
      console.log(
        `e2e: ${variable}: ${exporter.served.size} scrapes, ${values.length} samples compared, ${missing} missing, ${wrong} wrong, ` +
          `${duplicates} duplicates; ${samples.length} samples in all (${staleMarkers} stale markers), ${records.length - samples.length} metadata`,
      );
      expect(compared).toEqual({ missing: 0, wrong: 0, duplicates: 0, examples: [] });
      expect(values.length).toBeGreaterThan(300);
      expect(staleMarkers).toBeGreaterThan(50);
    });

    test('what vmagent says it sent is what came; nothing was dropped', async () => {
      const { vmagent, samples, staleMarkers, metrics } = await theRun();
      expect(await vmagent.metric('vmagent_remotewrite_block_size_rows_sum')).toBe(samples.length);
      expect(await vmagent.metric('vm_promscrape_stale_samples_created_total')).toBe(staleMarkers);
      expect(metrics.value('requests_total{code="204"}')).toBe(
        await vmagent.metric('vmagent_remotewrite_blocks_sent_total'),
      );
      expect(metrics.value('lines_received_total{kind="metadata"}')).toBe(
        await vmagent.metric('vmagent_remotewrite_block_metadata_rows_sum'),
      );
      for (const name of ['packets_dropped_total', 'samples_dropped_total', 'errors_total', 'push_failures_total']) {
        expect([name, await vmagent.metric(`vmagent_remotewrite_${name}`)]).toEqual([name, 0]);
      }
      const { received, ended } = sidesOfTheLaw(metrics);
      expect(ended).toBe(received);
      expect(metrics.sum('lines_rejected_total')).toBe(0);
    });

    test(hasOwnProtocol ? 'answered 415, it turns to remote write 1.0' : 'it sends nothing twice', async () => {
      const { vmagent, metrics } = await theRun();
      const refused = metrics.value('requests_total{code="415"}');
      expect(refused > 0).toBe(hasOwnProtocol);
      // What it sent by its own protocol it sends again, and it does so once.
      expect(await vmagent.metric('vmagent_remotewrite_retries_count_total')).toBe(refused);
      expect(metrics.sum('requests_total')).toBe(metrics.value('requests_total{code="204"}') + refused);
    });

    test(hasOwnProtocol ? 'its metadata is archived once' : 'it sends no metadata', async () => {
      const { records } = await theRun();
      const metadata = metadataOfRecords(records).map((record) => metadataEntry(record.name, record.metadata));
      const counter = metadataEntry('odd_requests_total', { type: 'counter', help: COUNTER_HELP, unit: '' });
      expect(metadata).toEqual(hasOwnProtocol ? [counter] : []);
    });

    test('it ends without adding anything, and so does the adapter', async () => {
      const { vmagent, adapter, records } = await theRun();
      expect(await vmagent.stop()).toBe(0);
      expect((await adapter.metrics()).value('lines_delivered_total')).toBe(records.length);
      expect(await adapter.stop()).toBe(0);
    });
  });
}

async function runVmagent(program: string, dir: string): Promise<Run> {
  const archiveDir = join(dir, 'archive');
  const adapter = await startAdapter({ env: { ARCHIVE_DIR: archiveDir } });
  const exporter = await startOddExporter();
  atEnd(() => exporter.close());
  const vmagent = await startVmagent({
    program,
    dir: join(dir, 'vmagent'),
    url: adapter.url,
    target: exporter.address,
    job: JOB,
    externalLabels: EXTERNAL_LABELS,
  });
  await waitFor(() => exporter.scrapes >= SCRAPES, {
    timeoutMs: 3_000 * SCRAPES,
    what: () => `${SCRAPES} scrapes; ${exporter.scrapes} came:\n${vmagent.process.stderr}`,
  });
  vmagent.removeTarget();
  await waitUntilSent(vmagent, adapter);
  const records = readWholeMembers(archiveDir).map(decodeRecord);
  const samples = records.filter((record) => record.kind === 'sample');
  const staleMarkers = samples.filter(({ value }) => value === STALE_NAN).length;
  return { adapter, vmagent, exporter, records, samples, staleMarkers, metrics: await adapter.metrics() };
}

/** Waits until vmagent has marked all series stale, and the adapter has delivered as many samples as it pushed. */
async function waitUntilSent(vmagent: Vmagent, adapter: Adapter): Promise<void> {
  let counts: readonly number[] = [];
  await waitFor(
    async () => {
      const ofVmagent = await Promise.all([
        vmagent.metric('vm_promscrape_targets', 'type="file_sd_configs"'),
        vmagent.metric('vmagent_remotewrite_global_rows_pushed_before_relabel_total'),
        vmagent.metric('vmagent_remotewrite_block_size_rows_sum'),
      ]);
      const metrics = await adapter.metrics();
      counts = [...ofVmagent, metrics.value('lines_received_total{kind="sample"}'), metrics.value('lines_in_flight')];
      const [targets, pushed, packed, received, inFlight] = counts;
      return targets === 0 && pushed === packed && packed === received && inFlight === 0;
    },
    {
      timeoutMs: SETTLE_MS,
      what: () =>
        `vmagent to send all: targets, samples pushed, packed, received, in flight: ${counts.join()}:\n${vmagent.process.stderr}`,
    },
  );
}

/**
 * The samples that the exporter served, by labels and the times that vmagent gave its scrapes.
 *
 * @param archived in which `odd_once` tells which scrape was when
 */
function truthOf({ address, served }: OddExporter, archived: readonly SampleRecord[]): Map<string, DoubleBits> {
  const times = new Map(
    archived
      .filter(({ labels }) => nameOf(labels) === 'odd_once')
      .map(({ value, time }): [number, bigint] => [doubleOf(value), time]),
  );
  const truth = new Map<string, DoubleBits>();
  for (const [scrape, samples] of served) {
    // One that never arrived is missing under a time that no sample has.
    const time = times.get(scrape) ?? 0n;
    for (const sample of samples) truth.set(sampleKey(labelsOf(sample, address), time), valueOf(sample));
  }
  return truth;
}

function labelsOf({ name, labels }: OddSample, address: string) {
  const all = { __name__: name, ...labels, job: JOB, instance: address, ...EXTERNAL_LABELS };
  return sortLabels(Object.entries(all).map(([label, value]) => ({ name: label, value }))).filter(
    ({ value }) => value !== '',
  );
}

function valueOf({ value }: OddSample): DoubleBits {
  // On the wire a field that equals 0 is left out, so that −0 does not arrive.
  return bitsOf(Number(value.replace('Inf', 'Infinity')) + 0);
}

function entryOf({ labels, time, value }: SampleRecord): readonly [string, DoubleBits] {
  return [sampleKey(labels, time), value];
}
