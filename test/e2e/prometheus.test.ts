import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nameOf, STALE_NAN } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { ROOT, sidesOfTheLaw } from '../support/adapter.ts';
import { readArchive } from '../support/archive.ts';
import { useFakeAwsEnvironment } from '../support/aws_env.ts';
import {
  directoryDestination,
  failingDestination,
  killedDestination,
  kinesaliteDestination,
  type Destination,
} from '../support/destinations.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from '../support/odd_exporter.ts';
import { run, waitFor } from '../support/processes.ts';
import {
  mustHavePrometheus,
  reasonToSkip,
  startNodeExporter,
  startPrometheus,
  type Prometheus,
} from '../support/prometheus.ts';
import { compare, latestMs, type SampleSet, type Span } from '../support/samples.ts';
import { waitUntilArchived } from '../support/wait_until_archived.ts';

/**
 * One real Prometheus scrapes itself, node_exporter and odd values, and writes the same samples to an adapter per destination. What its
 * own TSDB holds is the truth that each destination must equal.
 */

const SCRAPES = 25;
const RUN_MS = 120_000;

interface Run {
  readonly prometheus: Prometheus;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly truth: SampleSet;
  readonly span: Span;
  /** What `query` counted in the archive of "directory" while it was written. */
  readonly countMidway: number;
}

useFakeAwsEnvironment();

const { directory, atEnd } = e2eDirectory();

const skipped = reasonToSkip('the end-to-end tests with a real Prometheus');

describe.skipIf(skipped !== undefined)(
  `what a real Prometheus holds is what the archive holds${skipped === undefined ? '' : ` (SKIPPED: ${skipped})`}`,
  { timeout: RUN_MS },
  () => {
    let started: Promise<Run> | undefined;
    // Not a hook: what fails here is to fail tests, and a failed hook skips them.
    const theRun = () => (started ??= runPrometheus());

    test('Prometheus scrapes and writes', async () => {
      const { truth, prometheus } = await theRun();
      const keys = [...truth.keys()];
      const bits = new Set(truth.values());
      // The truth is worth comparing with: all kinds of values, labels and endings are in it. Not −0: gogo/protobuf, by which Prometheus
      // encodes what it writes and what it answers, leaves a field out that equals 0 (seen with 2.42).
      expect(keys.some((key) => key.includes('["job","node"]'))).toBe(true);
      expect(keys.some((key) => key.includes('["cluster","e2e \\"quoted\\" é"]'))).toBe(true);
      expect(keys.some((key) => key.includes('日本語'))).toBe(true);
      for (const value of [
        0x7ff8000000000001n,
        0xfff8000000000000n,
        0x7ff0000000000002n,
        0x7ff0000000000000n,
        0xfff0000000000000n,
        0x4340000000000000n,
        1n,
      ]) {
        expect(bits).toContain(value);
      }
      expect(keys.length).toBeGreaterThan(10_000);
      console.log(`e2e: Prometheus ${prometheus.version} holds ${keys.length} samples of ${SCRAPES} s`);
    });

    const names = ['directory', 'directory, killed', 'kinesalite', 'Kinesis that fails'];

    test.each(names)('%s: none missing, none wrong', async (name) => {
      const { destinations, truth, span } = await theRun();
      const { lines, isCutOff, check } = destinations.get(name)!;
      const compared = compare(truth, await lines(), span);
      const { series, samples, staleMarkers, missing, wrong, duplicates } = compared;
      console.log(
        `e2e: ${name}: ${series} series, ${samples} samples compared (${staleMarkers} stale markers), ${missing} missing, ${wrong} wrong, ${duplicates} duplicates`,
      );
      expect(compared).toMatchObject({ missing: 0, wrong: 0, examples: [] });
      if (!isCutOff) expect(duplicates).toBe(0);
      check?.();
    });

    test.each(names)('%s: /metrics is right and adds up', async (name) => {
      const { destinations } = await theRun();
      const metrics = await destinations.get(name)!.adapter().metrics();
      const { received, ended } = sidesOfTheLaw(metrics);
      expect(received).toBeGreaterThan(0);
      expect(ended).toBe(received);
      expect(metrics.value('lines_in_flight')).toBe(0);
      // One that was killed knows no metadata, and may have been sent it only once since.
      if (name !== 'directory, killed')
        expect(metrics.value('lines_skipped_total{kind="metadata"}')).toBeGreaterThan(0);
      expect(metrics.sum('lines_rejected_total')).toBe(0);
      const lint = await run('promtool', { args: ['check', 'metrics'], stdin: metrics.page });
      expect(lint).toMatchObject({ code: 0, stdout: '', stderr: '' });
    });

    test('query counts what is archived, while the server runs', async () => {
      const { destinations, countMidway } = await theRun();
      const counts = countByName(await destinations.get('directory')!.lines());
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      expect(countMidway).toBeGreaterThan(1_000);
      expect(countMidway).toBeLessThan(total);
      expect(await countSamples(archiveDir('directory'))).toBe(total);

      // The example of the README, and the same for all names.
      const sql = 'SELECT name, count(*) AS n FROM samples GROUP BY name ORDER BY n DESC';
      const table = await query(archiveDir('directory'), [`${sql} LIMIT 5`]);
      const highest = [...counts.values()].sort((a, b) => b - a).slice(0, 5);
      const shown = table.split('\n').flatMap((row) => /(\w+)\W+(\d+)\W*$/.exec(row)?.slice(1) ?? []);
      expect(shown.filter((_, index) => index % 2 === 1).map(Number)).toEqual(highest);
      const rows = await query(archiveDir('directory'), ['--format', 'json', sql]);
      const all = rows
        .trimEnd()
        .split('\n')
        .map((row) => JSON.parse(row) as { name: string; n: number | string });
      expect(new Map(all.map(({ name, n }) => [name, Number(n)]))).toEqual(counts);
    });

    test('nothing was refused, nothing failed on Prometheus’s side', async () => {
      const { prometheus } = await theRun();
      const metrics = [...(await prometheus.metrics())];
      const of = (name: string) =>
        metrics.filter(([series]) => series.startsWith(`prometheus_remote_storage_${name}{`));
      for (const name of [
        'samples_failed_total',
        'samples_dropped_total',
        'metadata_failed_total',
        'exemplars_failed_total',
      ]) {
        expect(of(name).map(([, value]) => value)).toEqual(names.map(() => 0));
      }
    });

    test('every adapter ends with exit code 0 at SIGTERM, and its files are whole', async () => {
      const { prometheus, destinations, truth, span } = await theRun();
      await prometheus.end();
      for (const name of names) expect([name, await destinations.get(name)!.adapter().stop()]).toEqual([name, 0]);
      for (const name of ['directory', 'directory, killed']) {
        const lines = readArchive(archiveDir(name));
        expect(compare(truth, lines, span)).toMatchObject({ missing: 0, wrong: 0 });
      }
    });
  },
);

function archiveDir(name: string): string {
  return join(directory, name.replaceAll(/\W+/g, '-'));
}

async function runPrometheus(): Promise<Run> {
  mustHavePrometheus();
  const [plain, killed, emulated, failing] = await Promise.all([
    directoryDestination('directory', archiveDir('directory')),
    killedDestination('directory, killed', archiveDir('directory, killed')),
    kinesaliteDestination('kinesalite'),
    failingDestination('Kinesis that fails'),
  ]);
  const destinations: Destination[] = [plain, killed, emulated, failing];
  for (const { close } of destinations) if (close) atEnd(close);
  const exporter = await startOddExporter();
  atEnd(() => exporter.close());
  const node = await startNodeExporter();
  const prometheus = await startPrometheus({
    dir: join(directory, 'prometheus'),
    receivers: destinations.map(({ name, adapter }) => ({ name, url: adapter().url })),
    targets: { node: node.address, odd: exporter.address },
    externalLabels: { cluster: 'e2e "quoted" é', replica: 'a' },
    // On x86 0/0 is a NaN with other bits than Prometheus's own.
    rules: { 'rule:not_a_number': 'vector(0) / vector(0)' },
  });
  // Prometheus writes what comes after its start: a sample of the moment of the start itself might not be sent.
  const fromMs = Date.now() + 1_000;
  const lastScrape = exporter.scrapes + SCRAPES;
  const scrapes = (count: number) =>
    waitFor(() => exporter.scrapes >= count, {
      timeoutMs: 2_000 * SCRAPES,
      what: () => `${count} scrapes; ${exporter.scrapes} came`,
    });
  const midway = scrapes(lastScrape - SCRAPES / 2).then(() => countSamples(archiveDir('directory')));
  const [countMidway] = await Promise.all([midway, scrapes(lastScrape), killed.torment()]);
  await prometheus.stopScraping(TIMESTAMPED_METRIC);
  const span = { fromMs, toMs: Date.now() };
  const truth = await prometheus.read(span);
  const toMs = latestMs(truth);
  await Promise.all(
    destinations.map(({ name, adapter, lines }) => {
      const countMissing = async () => compare(truth, await lines(), span).missing;
      return waitUntilArchived(prometheus, { name, url: adapter().url }, { toMs, countMissing });
    }),
  );
  return {
    prometheus,
    truth,
    span,
    countMidway,
    destinations: new Map(destinations.map((destination) => [destination.name, destination])),
  };
}

/** `npx prometheus-kinesis-adapter query …` as it is typed in the checkout. */
async function query(dir: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('npx', {
    args: ['prometheus-kinesis-adapter', 'query', ...args],
    cwd: ROOT,
    group: true,
    // Nothing is to be fetched, whatever npx does not find.
    env: { ARCHIVE_DIR: dir, npm_config_offline: 'true', npm_config_update_notifier: 'false' },
  });
  if (code !== 0) throw new Error(`query ends with ${code}: ${stderr}`);
  return stdout;
}

async function countSamples(dir: string): Promise<number> {
  const row = await query(dir, ['--format', 'json', 'SELECT count(*) AS n FROM samples']);
  return Number((JSON.parse(row) as { n: number | string }).n);
}

/** Samples of each name, stale markers left out. */
function countByName(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const record = decodeRecord(line);
    if (record.kind !== 'sample' || record.value === STALE_NAN) continue;
    const name = nameOf(record.labels);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
