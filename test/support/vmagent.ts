import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { get, parseMetrics } from './http.ts';
import { freePort, startProcess, waitFor, within, type Process } from './processes.ts';

const START_MS = 30_000;
const STOP_MS = 30_000;

export interface VmagentOptions {
  readonly program: string;
  /** An empty folder for its configuration and its queue. */
  readonly dir: string;
  /** Where it writes. */
  readonly url: string;
  /** The address that it scrapes, and the name of its job. */
  readonly target: string;
  readonly job: string;
  readonly externalLabels: Readonly<Record<string, string>>;
}

/** A real vmagent that scrapes every second and writes as it does by default. */
export interface Vmagent {
  readonly process: Process;
  /** Takes its target away: it marks all series stale and has nothing more to write after that. */
  removeTarget(): void;
  /** The sum of one of its own metrics over its labels, or over those whose text holds a part. */
  metric(name: string, part?: string): Promise<number>;
  /** Sends SIGTERM; the exit code. */
  stop(): Promise<number | null>;
}

export async function startVmagent({
  program,
  dir,
  url,
  target,
  job,
  externalLabels,
}: VmagentOptions): Promise<Vmagent> {
  mkdirSync(dir, { recursive: true });
  const targetsFile = join(dir, 'targets.json');
  const writeTargets = (targets: readonly string[]) => {
    writeFileSync(`${targetsFile}.new`, JSON.stringify([{ targets }]));
    renameSync(`${targetsFile}.new`, targetsFile);
  };
  writeTargets([target]);
  // YAML, as JSON is.
  const configuration = {
    global: { scrape_interval: '1s', external_labels: externalLabels },
    scrape_configs: [{ job_name: job, file_sd_configs: [{ files: [targetsFile] }] }],
  };
  const configFile = join(dir, 'vmagent.yml');
  writeFileSync(configFile, JSON.stringify(configuration));
  const port = await freePort();
  const process = startProcess(program, {
    args: [
      `-promscrape.config=${configFile}`,
      '-promscrape.fileSDCheckInterval=1s',
      `-remoteWrite.url=${url}`,
      `-remoteWrite.tmpDataPath=${join(dir, 'queue')}`,
      `-httpListenAddr=127.0.0.1:${port}`,
    ],
  });
  await waitFor(
    async () => {
      if (process.hasExited) throw new Error(`vmagent ended:\n${process.stderr}`);
      return (await get(port, '/metrics').catch(() => undefined))?.status === 200;
    },
    { timeoutMs: START_MS, what: () => `vmagent to answer:\n${process.stderr}` },
  );
  return {
    process,
    removeTarget: () => writeTargets([]),
    async metric(name, part = '') {
      const series = [...parseMetrics((await get(port, '/metrics')).text)];
      return series
        .filter(([key]) => (key === name || key.startsWith(`${name}{`)) && key.includes(part))
        .reduce((sum, [, value]) => sum + value, 0);
    },
    async stop() {
      process.kill('SIGTERM');
      return (await within(STOP_MS, 'vmagent to end', process.exited)).code;
    },
  };
}
