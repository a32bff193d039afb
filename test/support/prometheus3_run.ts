import { join } from 'node:path';
import type { ArchiveRecord } from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { startAdapter, type Adapter } from './adapter.ts';
import { exemplarEntries, readExemplars, type ExemplarSet } from './exemplars.ts';
import { comparable, countKinds, histogramEntries, type HistogramSet } from './histograms.ts';
import type { Families } from './metadata.ts';
import { startNativeExporter } from './native_exporter.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from './odd_exporter.ts';
import { findProgram, waitFor } from './processes.ts';
import { startNodeExporter, startPrometheus, type Prometheus, type Settings } from './prometheus.ts';
import { compare, compareEntries, isIn, latestMs, readWholeMembers, type SampleSet, type Span } from './samples.ts';
import { waitUntilArchived } from './wait_until_archived.ts';

/** Scrapes of each target, at least. */
export const SCRAPES = 15;
const EXTERNAL_LABELS = { cluster: 'e2e 3' };
/** The job whose classic histograms Prometheus converts to native ones with custom buckets. */
const CUSTOM_JOB = 'custom';

export const V1 = 'remote write 1.0';
export const V2 = 'remote write 2.0';

/** What the section remote_write of each receiver has, by their names. */
const RECEIVERS: Readonly<Record<string, Settings>> = {
  // Metadata is part of it.
  [V2]: { protobuf_message: 'io.prometheus.write.v2.Request', metadata_config: undefined },
  [V1]: {},
};

/** An adapter, and its archive. */
export interface ArchivingReceiver {
  readonly name: string;
  readonly adapter: Adapter;
  /** All lines that its archive holds. */
  readonly lines: () => string[];
  readonly records: () => ArchiveRecord[];
}

/** What Prometheus holds of a span. */
interface Truth {
  readonly span: Span;
  readonly samples: SampleSet;
  readonly histograms: HistogramSet;
  readonly exemplars: ExemplarSet;
}

export interface Run extends Truth {
  readonly prometheus: Prometheus;
  readonly receivers: ReadonlyMap<string, ArchivingReceiver>;
  /** Half-way and at the end. */
  readonly families: readonly [Families, Families];
}

/** How the archive of a receiver differs from the truth. */
export function compareArchive(truth: Truth, { lines }: ArchivingReceiver) {
  const archived = lines();
  const records = archived.map(decodeRecord).filter(({ time }) => isIn(truth.span, time));
  const histograms = new Map([...truth.histograms].map(([key, histogram]) => [key, comparable(histogram)]));
  return {
    samples: compare(truth.samples, archived, truth.span),
    histograms: {
      count: histograms.size,
      kinds: countKinds(records),
      ...compareEntries(histograms, histogramEntries(records)),
    },
    exemplars: { count: truth.exemplars.size, ...compareEntries(truth.exemplars, exemplarEntries(records)) },
  };
}

/**
 * Runs a Prometheus 3 for a while, until every receiver has archived all that it is to archive.
 *
 * @param directory an empty folder
 * @param atEnd gets what is to be closed at the end
 */
export async function runPrometheus3(
  path: string,
  directory: string,
  atEnd: (close: () => Promise<void>) => void,
): Promise<Run> {
  const receivers = await Promise.all(
    Object.keys(RECEIVERS).map(async (name): Promise<ArchivingReceiver> => {
      const dir = join(directory, name);
      const adapter = await startAdapter({ env: { ARCHIVE_DIR: dir } });
      const lines = () => readWholeMembers(dir);
      return { name, adapter, lines, records: () => lines().map(decodeRecord) };
    }),
  );
  const odd = await startOddExporter();
  const native = await startNativeExporter();
  atEnd(() => odd.close());
  atEnd(() => native.close());
  const node = findProgram('prometheus-node-exporter') === undefined ? undefined : await startNodeExporter();
  const prometheus = await startPrometheus({
    program: path,
    features: ['native-histograms', 'metadata-wal-records'],
    dir: join(directory, 'prometheus'),
    receivers: receivers.map(({ name, adapter }) => ({
      name,
      url: adapter.url,
      settings: {
        send_native_histograms: true,
        queue_config: { batch_send_deadline: '1s' },
        ...RECEIVERS[name],
      },
    })),
    targets: {
      odd: odd.address,
      native: native.address,
      [CUSTOM_JOB]: native.address,
      ...(node && { node: node.address }),
    },
    jobs: { [CUSTOM_JOB]: { convert_classic_histograms_to_nhcb: true } },
    externalLabels: EXTERNAL_LABELS,
    rules: {
      'rule:native_rate': 'rate(native_requests_seconds[5s])',
      'rule:custom_rate': `rate(classic_seconds{job="${CUSTOM_JOB}"}[5s])`,
    },
  });
  await prometheus.waitForTargets();
  const fromMs = Date.now();
  const first = odd.scrapes;
  const scrapes = (number: number) =>
    waitFor(() => odd.scrapes >= first + number, { timeoutMs: 3_000 * SCRAPES, what: () => `${number} scrapes` });
  const families = () => prometheus.query<Families>('metadata');
  await scrapes(SCRAPES / 2);
  const midway = await families();
  await scrapes(SCRAPES);
  const end = await families();
  await prometheus.stopScraping(TIMESTAMPED_METRIC);
  const span = { fromMs, toMs: Date.now() };
  const [samples, histograms, exemplars] = await Promise.all([
    prometheus.read(span),
    prometheus.readHistograms(span),
    readExemplars(prometheus, span, EXTERNAL_LABELS),
  ]);
  const truth: Truth = { span, samples, histograms, exemplars };
  await Promise.all(
    receivers.map((receiver) => {
      const { name, adapter } = receiver;
      const countMissing = () =>
        Object.values(compareArchive(truth, receiver)).reduce((sum, { missing }) => sum + missing, 0);
      return waitUntilArchived(prometheus, { name, url: adapter.url }, { toMs: latestMs(samples), countMissing });
    }),
  );
  return {
    ...truth,
    prometheus,
    receivers: new Map(receivers.map((receiver) => [receiver.name, receiver])),
    families: [midway, end],
  };
}
