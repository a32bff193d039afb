import { join } from 'node:path';
import { startAdapter } from './adapter.ts';
import { startAgreementExporter } from './agreement_exporter.ts';
import { filesBelow } from './archive.ts';
import { histogramEntries, comparable } from './histograms.ts';
import { startNativeExporter } from './native_exporter.ts';
import { startOddExporter, TIMESTAMPED_METRIC } from './odd_exporter.ts';
import { findProgram, waitFor } from './processes.ts';
import { startNodeExporter, startPrometheus, type Prometheus } from './prometheus.ts';
import { compare, compareEntries, isIn, latestMs, readWholeMembers, type Span } from './samples.ts';
import { waitUntilArchived } from './wait_until_archived.ts';
import { decodeRecord } from '../../src/record_decode.ts';

/** Scrapes of each target, at least. */
const SCRAPES = 36;

export interface AgreementOptions {
  /** The one on PATH unless told. */
  readonly program?: string;
  /** Whether it is a Prometheus 3: native histograms are scraped and written then, by remote write 2.0. */
  readonly isVersion3: boolean;
  /** An empty folder. */
  readonly directory: string;
  /** Gets what is to be closed at the end. */
  readonly atEnd: (close: () => Promise<void>) => void;
}

/** A Prometheus that has stopped scraping, and the archive of all that it held in a span. */
export interface AgreementRun {
  readonly prometheus: Prometheus;
  /** The files of the archive, whole. */
  readonly files: readonly string[];
  readonly span: Span;
}

/** Has a Prometheus scrape and write to an adapter for a while. */
export async function runForAgreement({
  program,
  isVersion3,
  directory,
  atEnd,
}: AgreementOptions): Promise<AgreementRun> {
  const archiveDir = join(directory, 'archive');
  const adapter = await startAdapter({ env: { ARCHIVE_DIR: archiveDir } });
  const exporters = [await startAgreementExporter(), await startOddExporter(), await startNativeExporter()] as const;
  for (const exporter of exporters) atEnd(() => exporter.close());
  const [agreement, odd, native] = exporters;
  const node = findProgram('prometheus-node-exporter') === undefined ? undefined : await startNodeExporter();
  const receiver = {
    name: 'archive',
    url: adapter.url,
    settings: {
      queue_config: { batch_send_deadline: '1s' },
      ...(isVersion3 && {
        send_native_histograms: true,
        protobuf_message: 'io.prometheus.write.v2.Request',
        metadata_config: undefined,
      }),
    },
  };
  const prometheus = await startPrometheus({
    ...(program !== undefined && { program }),
    features: isVersion3 ? ['native-histograms', 'metadata-wal-records'] : [],
    dir: join(directory, 'prometheus'),
    receivers: [receiver],
    targets: {
      agreement: agreement.address,
      odd: odd.address,
      ...(isVersion3 && { native: native.address, custom: native.address }),
      ...(node && { node: node.address }),
    },
    jobs: { custom: { convert_classic_histograms_to_nhcb: true } },
  });
  await prometheus.waitForTargets();
  // Prometheus writes what comes after its start: a sample of the moment of the start itself might not be sent.
  const fromMs = Date.now() + 1_000;
  const last = agreement.scrapes + SCRAPES;
  await waitFor(() => agreement.scrapes >= last, { timeoutMs: 3_000 * SCRAPES, what: () => `${SCRAPES} scrapes` });
  await prometheus.stopScraping(TIMESTAMPED_METRIC);
  const span = { fromMs, toMs: Date.now() };
  const [samples, histograms] = await Promise.all([prometheus.read(span), prometheus.readHistograms(span)]);
  const countMissing = () => {
    const lines = readWholeMembers(archiveDir);
    const records = lines.map(decodeRecord).filter(({ time }) => isIn(span, time));
    const expected = new Map([...histograms].map(([key, histogram]) => [key, comparable(histogram)]));
    return compare(samples, lines, span).missing + compareEntries(expected, histogramEntries(records)).missing;
  };
  await waitUntilArchived(prometheus, receiver, { toMs: latestMs(samples), countMissing });
  const missing = countMissing();
  if (missing > 0) throw new Error(`${missing} of what Prometheus holds are not archived`);
  // Its files are whole then.
  await adapter.stop();
  return {
    prometheus,
    span,
    files: filesBelow(archiveDir)
      .filter((path) => path.endsWith('.json.gz'))
      .map((path) => join(archiveDir, path)),
  };
}
