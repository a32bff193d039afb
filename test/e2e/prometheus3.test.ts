import { describe, expect, test } from 'vitest';
import {
  STALE_NAN,
  bitsOf,
  doubleOf,
  encodeRecord,
  nameOf,
  sortLabels,
  type ArchiveRecord,
  type HistogramRecord,
  type Kind,
  type SampleRecord,
} from '../../src/record.ts';
import { sidesOfTheLaw, type AdapterMetrics } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { comparable, hasCustomBuckets, kindOf } from '../support/histograms.ts';
import { familyNames, metadataEntry, metadataOfFamilies, metadataOfRecords } from '../support/metadata.ts';
import { CLASSIC_BOUNDS, SCRAPES_METRIC } from '../support/native_exporter.ts';
import { histogramSeries } from '../support/exposed_histograms.ts';
import { COUNTER_HELP } from '../support/odd_exporter.ts';
import {
  SCRAPES,
  V1,
  V2,
  compareArchive,
  runPrometheus3,
  type ArchivingReceiver,
  type Run,
} from '../support/prometheus3_run.ts';
import { differences, isIn, type Span } from '../support/samples.ts';
import { findPrometheus3, skippedWithout } from '../support/senders.ts';

/**
 * One real Prometheus 3 scrapes itself, node_exporter, odd values and native histograms of all kinds, and writes the same by remote write
 * 2.0 and 1.0 to an adapter each. What it holds, by its own APIs, is the truth that each archive must equal: samples, native histograms,
 * exemplars and metadata.
 */

const RUN_MS = 120_000;
const { directory, atEnd } = e2eDirectory();

const program = findPrometheus3();

describe.skipIf(program === undefined)(
  `what a real Prometheus 3 holds is what the archive holds${skippedWithout(program, 'PROMETHEUS3')}`,
  { timeout: RUN_MS },
  () => {
    let started: Promise<Run> | undefined;
    // Not a hook: what fails here is to fail tests, and a failed hook skips them.
    const theRun = () => (started ??= runPrometheus3(program!, directory, atEnd));

    test('it holds samples, histograms and exemplars of all kinds', async () => {
      const { samples, histograms, exemplars } = await theRun();
      expect(samples.size).toBeGreaterThan(5_000);
      expect([...samples.keys()].some((key) => key.includes('日本語'))).toBe(true);
      expect(exemplars.size).toBeGreaterThan(50);
      const truth = [...histograms.values()];
      expect([...new Set(truth.map(kindOf))].sort()).toEqual([
        'float custom',
        'float exponential',
        'float stale',
        'integer custom',
        'integer exponential',
        'integer stale',
      ]);
      for (const part of [' gauge', 'count 90071992547409', 'count 46116860184273879', 'sum 9221120237041090560']) {
        expect([part, truth.some((histogram) => comparable(histogram).includes(part))]).toEqual([part, true]);
      }
    });

    test.each([V2, V1])('%s: samples, histograms, exemplars: none missing, none wrong', async (name) => {
      const { prometheus, receivers, ...truth } = await theRun();
      const compared = compareArchive(truth, receivers.get(name)!);
      const { samples, histograms, exemplars } = compared;
      console.log(
        `e2e: Prometheus ${prometheus.version}, ${name}: ${samples.series} series of samples\n` +
          `  ${samples.samples} samples compared (${samples.staleMarkers} stale markers), ${inWords(samples)}\n` +
          `  ${histograms.count} histograms (${histograms.kinds}), ${inWords(histograms)}\n` +
          `  ${exemplars.count} exemplars, ${inWords(exemplars)}`,
      );
      const same = { missing: 0, wrong: 0, duplicates: 0, examples: [] };
      expect(compared).toMatchObject({ samples: same, histograms: same, exemplars: same });
    });

    test.each([V2, V1])('%s: native histograms are, bucket for bucket, those that were scraped', async (name) => {
      const { receivers } = await theRun();
      const records = receivers.get(name)!.records();
      const archived = records.filter(
        (record) =>
          record.kind === 'histogram' && !('stale' in record.histogram) && nameOf(record.labels).startsWith('native_'),
      );
      const expected = records.flatMap((record) =>
        record.kind === 'sample' && record.value !== STALE_NAN && nameOf(record.labels) === SCRAPES_METRIC
          ? histogramsOfScrape(record)
          : [],
      );
      expect(expected.length).toBeGreaterThan(300);
      const linesOf = (histograms: readonly ArchiveRecord[]) => histograms.map(encodeRecord).sort();
      expect(differences(linesOf(expected), linesOf(archived))).toEqual([]);
    });

    test('custom buckets have the bounds that were scraped; Prometheus 3.5 leaves them out of remote write 1.0', async () => {
      const { receivers } = await theRun();
      const bounds = CLASSIC_BOUNDS.filter(Number.isFinite).map(bitsOf);
      for (const [name, customValues] of [
        [V2, bounds],
        [V1, []],
      ] as const) {
        const records = receivers.get(name)!.records();
        const histograms = records.flatMap((record) => (record.kind === 'histogram' ? [record.histogram] : []));
        const custom = histograms.filter(hasCustomBuckets);
        expect(custom.length).toBeGreaterThan(SCRAPES);
        for (const histogram of custom) expect(histogram).toMatchObject({ customValues });
      }
    });

    test('1.0 and 2.0 are archived as the same lines, but for start timestamps, metadata and the bounds of custom buckets', async () => {
      const { receivers, span } = await theRun();
      const expected = comparableLines(receivers.get(V2)!, span);
      expect(expected.length).toBeGreaterThan(5_000);
      expect(differences(expected, comparableLines(receivers.get(V1)!, span))).toEqual([]);
    });

    test(`${V1}: the metadata of every metric family`, async () => {
      const { receivers, families } = await theRun();
      const archived = metadataOfRecords(receivers.get(V1)!.records()).map((record) =>
        metadataEntry(record.name, record.metadata),
      );
      const [midway, end] = families.map(metadataOfFamilies);
      console.log(`e2e: ${V1}: metadata of ${archived.length} metric families`);
      expect(new Set(archived).size).toBe(archived.length);
      expect([...midway!].filter((entry) => !archived.includes(entry))).toEqual([]);
      expect(archived.filter((entry) => !midway!.has(entry) && !end!.has(entry))).toEqual([]);
      expect(archived).toContain(metadataEntry('odd_requests', { type: 'counter', help: COUNTER_HELP, unit: '' }));
    });

    test(`${V2}: the metadata of every series whose metric family has some`, async () => {
      const { receivers, families } = await theRun();
      const records = receivers.get(V2)!.records();
      const names = new Set(records.flatMap((record) => (record.kind === 'metadata' ? [] : [nameOf(record.labels)])));
      const archived = metadataOfRecords(records);
      const entries = archived.map(({ name, metadata }) => metadataEntry(name, metadata));
      const [midway, end] = families.map(metadataOfFamilies);
      const described = new Set(archived.map(({ name }) => name));
      console.log(`e2e: ${V2}: ${entries.length} metadata of ${described.size} of ${names.size} names of series`);
      expect(new Set(entries).size).toBe(entries.length);
      expect(entries).toContain(metadataEntry('odd_requests_total', { type: 'counter', help: COUNTER_HELP, unit: '' }));
      // What Prometheus itself says of each target is of no family.
      const scraped = archived.filter(({ name }) => name !== 'up' && !name.startsWith('scrape_'));
      const isTrue = ({ name, metadata }: (typeof archived)[number]) =>
        familyNames(name)
          .map((family) => metadataEntry(family, metadata))
          .some((entry) => midway!.has(entry) || end!.has(entry));
      expect(scraped.filter((record) => !names.has(record.name) || !isTrue(record))).toEqual([]);
      const inFamily = new Set([...midway!].map((entry) => (JSON.parse(entry) as string[])[0]!));
      const bare = [...names].filter(
        (name) => !described.has(name) && familyNames(name).some((of) => inFamily.has(of)),
      );
      // Prometheus 3.5 has none for what it converted.
      expect(bare).toEqual(['classic_seconds']);
    });

    test.each([V2, V1])('%s: what Prometheus says it sent is what came; nothing failed', async (name) => {
      const { prometheus, receivers } = await theRun();
      const { adapter, records } = receivers.get(name)!;
      const [ofPrometheus, metrics] = await Promise.all([prometheus.metrics(), adapter.metrics()]);
      const sent = (what: string) =>
        ofPrometheus.get(`prometheus_remote_storage_${what}{remote_name="${name}",url="${adapter.url}"}`);
      const archived = records();
      let series = 0;
      for (const kind of ['sample', 'histogram', 'exemplar'] as const) {
        const total = sent(`${kind}s_total`)!;
        expect([kind, count(archived, kind), received(metrics, kind)]).toEqual([kind, total, total]);
        series += total;
      }
      // In 2.0 each series has a message of metadata, if an empty one, and Prometheus sends a series for each of the others.
      expect(received(metrics, 'metadata')).toBe(name === V2 ? series : sent('metadata_total'));
      for (const what of ['samples', 'histograms', 'exemplars', 'metadata']) {
        expect([what, sent(`${what}_failed_total`), sent(`${what}_retried_total`)]).toEqual([what, 0, 0]);
      }
      const law = sidesOfTheLaw(metrics);
      expect(law.ended).toBe(law.received);
      expect(metrics.value('lines_in_flight')).toBe(0);
      expect(metrics.sum('lines_rejected_total')).toBe(0);
    });

    test('every adapter ends with exit code 0 at SIGTERM', async () => {
      const { prometheus, receivers } = await theRun();
      await prometheus.end();
      for (const { name, adapter } of receivers.values()) expect([name, await adapter.stop()]).toEqual([name, 0]);
    });
  },
);

/** What is to be archived of the native histograms of a scrape, by the sample that tells its number. */
function histogramsOfScrape({ labels, time, value }: SampleRecord): HistogramRecord[] {
  return histogramSeries(doubleOf(value)).map(({ name, case: text, histogram }) => {
    const own = text === '' ? [] : [{ name: 'case', value: text }];
    const others = labels.filter((label) => label.name !== '__name__');
    return {
      kind: 'histogram',
      time,
      labels: sortLabels([{ name: '__name__', value: name }, ...own, ...others]),
      histogram,
    };
  });
}

/** The lines of a span, sorted, without what only remote write 2.0 has. */
function comparableLines({ records }: ArchivingReceiver, span: Span): string[] {
  return records()
    .filter((record) => record.kind !== 'metadata' && isIn(span, record.time))
    .map((record) =>
      encodeRecord(record)
        .replace(/^(.*?"time":\d+),"start":\d+/, '$1')
        .replace(/("schema":-53,.*"custom_values":)\[[^\]]*\]/, '$1[]'),
    )
    .sort();
}

function count(records: readonly ArchiveRecord[], kind: Kind): number {
  return records.filter((record) => record.kind === kind).length;
}

function received(metrics: AdapterMetrics, kind: Kind): number {
  return metrics.value(`lines_received_total{kind="${kind}"}`);
}

function inWords({ missing, wrong, duplicates }: { missing: number; wrong: number; duplicates: number }): string {
  return `${missing} missing, ${wrong} wrong, ${duplicates} duplicates`;
}
