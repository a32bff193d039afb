import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistogramSet } from './histograms.ts';
import { get, parseMetrics, send } from './http.ts';
import { findProgram, freePort, startProcess, waitFor, within, type Process } from './processes.ts';
import { remoteRead } from './remote_read.ts';
import type { SampleSet, Span } from './samples.ts';

const START_MS = 30_000;
const OWN_JOB = 'prometheus';

const NAMES = ['prometheus', 'promtool', 'prometheus-node-exporter'] as const;
/** Debian's packages prometheus and prometheus-node-exporter. */
const MISSING_PROGRAMS = NAMES.filter((name) => findProgram(name) === undefined);

/** A receiver, by the name that Prometheus's metrics of its queue carry. */
export interface Receiver {
  readonly name: string;
  readonly url: string;
  /** Of its remote_write section. */
  readonly settings?: Settings;
}

/** What stands in a section of prometheus.yml. */
export type Settings = Readonly<Record<string, unknown>>;

export interface PrometheusOptions {
  /** The one on PATH unless told. */
  readonly program?: string;
  /** For --enable-feature, besides exemplar-storage. */
  readonly features?: readonly string[];
  /** Besides those that every one has. */
  readonly args?: readonly string[];
  /** An empty folder for its configuration and its TSDB. */
  readonly dir: string;
  readonly receivers?: readonly Receiver[];
  /** Addresses to scrape besides itself, by job. */
  readonly targets?: Readonly<Record<string, string>>;
  /** Of scrape configurations, by job. */
  readonly jobs?: Readonly<Record<string, Settings>>;
  readonly externalLabels?: Readonly<Record<string, string>>;
  /** Expressions by the name of the series that a rule records. */
  readonly rules?: Readonly<Record<string, string>>;
}

/** A real Prometheus that scrapes and writes every second. */
export interface Prometheus {
  readonly process: Process;
  readonly port: number;
  readonly version: string;
  /** Waits until every target was scraped: Prometheus takes its time with some of them (up to 10 s seen with 3.5). */
  waitForTargets(): Promise<void>;
  /** Stops all scrapes and rules, and waits until it marked their series stale: nothing is added to its TSDB after that. */
  stopScraping(exceptMetric: string): Promise<void>;
  /** Every sample that its TSDB holds of a span, as its remote read API answers: external labels added, stale markers included. */
  read(span: Span): Promise<SampleSet>;
  /** The native histograms of the same. */
  readHistograms(span: Span): Promise<HistogramSet>;
  /** Asks its HTTP API, by the path below /api/v1. */
  query<Data>(path: string): Promise<Data>;
  /** Waits until a receiver has acknowledged all up to a time. */
  waitUntilSent(receiver: Receiver, toMs: number): Promise<void>;
  /** Series of its own /metrics. */
  metrics(): Promise<Map<string, number>>;
  end(): Promise<void>;
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { dir, program = 'prometheus', features = [], args = [], rules = {} } = options;
  const port = await freePort();
  const configFile = join(dir, 'prometheus.yml');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'rules.yml'), rulesFile(rules));
  const targets = { [OWN_JOB]: `127.0.0.1:${port}`, ...options.targets };
  for (const [job, address] of Object.entries(targets)) writeTargets(dir, job, [address]);
  writeFileSync(configFile, configuration(options));
  const process = startProcess(program, {
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-lifecycle',
      `--enable-feature=${['exemplar-storage', ...features].join()}`,
      '--log.level=warn',
      ...args,
    ],
  });
  await waitFor(
    async () => {
      if (process.hasExited) throw new Error(`Prometheus ended:\n${process.stderr}`);
      return (await get(port, '/-/ready').catch(() => undefined))?.status === 200;
    },
    { timeoutMs: START_MS, what: () => `Prometheus to be ready:\n${process.stderr}` },
  );
  const metrics = async () => parseMetrics((await get(port, '/metrics')).text);
  const buildInfo = await queryApi<{ version: string }>(port, 'status/buildinfo');

  return {
    process,
    port,
    version: buildInfo.version,
    metrics,
    async waitForTargets() {
      const count = Object.keys(targets).length;
      await waitFor(
        async () => (await queryApi<{ result: unknown[] }>(port, 'query?query=up')).result.length === count,
        { timeoutMs: START_MS, what: () => `${count} targets to be scraped` },
      );
    },
    async stopScraping(exceptMetric) {
      for (const job of Object.keys(targets)) writeTargets(dir, job, []);
      writeFileSync(configFile, configuration({ ...options, rules: {} }));
      const answer = await send({ port, path: '/-/reload', method: 'POST' });
      if (answer.status !== 200) throw new Error(`Prometheus does not reload: ${answer.text}`);
      const living = `count by (__name__, job) ({__name__=~".+",__name__!="${exceptMetric}"})`;
      let left: unknown[] = [];
      await waitFor(
        async () => {
          const path = `query?query=${encodeURIComponent(living)}`;
          left = (await queryApi<{ result: unknown[] }>(port, path)).result;
          return left.length === 0;
        },
        { timeoutMs: START_MS, what: () => `Prometheus to end its series: ${JSON.stringify(left).slice(0, 1_000)}` },
      );
    },
    read: async (span) => (await remoteRead(port, span)).samples,
    readHistograms: async (span) => (await remoteRead(port, span)).histograms,
    query: (path) => queryApi(port, path),
    async waitUntilSent({ name, url }, toMs) {
      const queue = `{remote_name="${name}",url="${url}"}`;
      let pending: readonly (number | undefined)[] = [];
      let sentSeconds: number | undefined;
      await waitFor(
        async () => {
          const all = await metrics();
          pending = ['samples', 'histograms', 'exemplars'].map((kind) =>
            all.get(`prometheus_remote_storage_${kind}_pending${queue}`),
          );
          // Whole seconds.
          sentSeconds = all.get(`prometheus_remote_storage_queue_highest_sent_timestamp_seconds${queue}`);
          return (
            // Prometheus 2.42 has counted exemplars below 0 after ten minutes of failing requests.
            pending.every((count) => count !== undefined && count <= 0) &&
            sentSeconds !== undefined &&
            sentSeconds >= Math.floor(toMs / 1_000)
          );
        },
        {
          timeoutMs: START_MS,
          what: () =>
            `Prometheus to send all to ${name}: ${pending.join()} pending, sent up to ${sentSeconds} of ${toMs} ms`,
        },
      );
    },
    async end() {
      // On SIGTERM it waits for receivers that are gone, and its TSDB is not needed any more.
      process.kill('SIGKILL');
      await within(START_MS, 'Prometheus to end', process.exited);
    },
  };
}

/** YAML, as JSON is. */
function configuration(options: Omit<PrometheusOptions, 'dir'>): string {
  const { receivers = [], targets = {}, jobs = {}, externalLabels = {}, rules = {} } = options;
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s', external_labels: externalLabels },
    rule_files: Object.keys(rules).length === 0 ? [] : ['rules.yml'],
    scrape_configs: [OWN_JOB, ...Object.keys(targets)].map((job_name) => ({
      job_name,
      file_sd_configs: [{ files: [`${job_name}.targets.json`] }],
      ...jobs[job_name],
    })),
    remote_write: receivers.map(({ name, url, settings }) => ({
      name,
      url,
      send_exemplars: true,
      metadata_config: { send: true, send_interval: '5s' },
      ...settings,
    })),
  });
}

/** Targets that leave a file are marked stale; a job that leaves the configuration is not (seen with 2.42). */
function writeTargets(dir: string, job: string, targets: readonly string[]): void {
  const path = join(dir, `${job}.targets.json`);
  writeFileSync(`${path}.new`, JSON.stringify([{ targets }]));
  renameSync(`${path}.new`, path);
}

function rulesFile(rules: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    groups: [{ name: 'rules', rules: Object.entries(rules).map(([record, expr]) => ({ record, expr })) }],
  });
}

async function queryApi<Data>(port: number, path: string): Promise<Data> {
  const { text } = await get(port, `/api/v1/${path}`);
  const answer = JSON.parse(text) as { status: string; data: Data };
  if (answer.status !== 'success') throw new Error(`Prometheus answers ${text}`);
  return answer.data;
}

/** A real node_exporter. */
export async function startNodeExporter(): Promise<{ readonly address: string; readonly process: Process }> {
  const address = `127.0.0.1:${await freePort()}`;
  const process = startProcess('prometheus-node-exporter', { args: [`--web.listen-address=${address}`] });
  await waitFor(
    async () => (await get(Number(address.split(':')[1]), '/metrics').catch(() => undefined))?.status === 200,
    { timeoutMs: START_MS, what: () => `node_exporter to answer:\n${process.stderr}` },
  );
  return { address, process };
}

const WHAT_IS_MISSING = `${MISSING_PROGRAMS.join(' and ')} not found; on Debian: apt-get install prometheus prometheus-node-exporter`;

/**
 * Why tests with a real Prometheus are skipped, said plainly; undefined where they can run, and under .ci/run, which has it that they fail instead.
 *
 * @param tests what is skipped, in words
 */
export function reasonToSkip(tests: string): string | undefined {
  if (MISSING_PROGRAMS.length === 0 || process.env['PROMETHEUS_REQUIRED'] !== undefined) return undefined;
  console.warn(`SKIPPED: ${tests}: ${WHAT_IS_MISSING}`);
  return WHAT_IS_MISSING;
}

/** Fails, saying what to install, where the programs are missing. */
export function mustHavePrometheus(): void {
  if (MISSING_PROGRAMS.length > 0) throw new Error(WHAT_IS_MISSING);
}
