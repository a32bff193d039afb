import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/adapter.ts';
import { get, parseMetrics } from '../../support/http.ts';
import { findProgram, freePort, run, startProcess, waitFor, within, type Process } from '../../support/processes.ts';

const START_MS = 10_000;
const STOP_MS = 10_000;
const MISSING = 'haproxy not found; on Debian: apt-get install haproxy';

/** Debian's haproxy in front of copies of the program, configured as docs/operations.md recommends. */
export interface Haproxy {
  readonly process: Process;
  /** Where senders write to. */
  readonly url: string;
  readonly version: string;
  /** Answers to senders by class, such as `2xx`, whoever gave them. */
  responses(): Promise<ReadonlyMap<string, number>>;
  end(): Promise<void>;
}

/** @param ports of the copies, on this machine, two of them as in the document */
export async function startHaproxy(dir: string, ports: readonly [number, number]): Promise<Haproxy> {
  const port = await freePort();
  const metricsPort = await freePort();
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(file, `${recommendedConfiguration(port, ports)}\n${metricsFrontend(metricsPort)}`);
  const process = startProcess('haproxy', { args: ['-db', '-f', file] });
  const readMetrics = async () => parseMetrics((await get(metricsPort, '/metrics')).text);
  await waitFor(
    () => {
      if (process.hasExited) throw new Error(`haproxy ended:\n${process.stderr}`);
      return readMetrics().then(
        () => true,
        () => false,
      );
    },
    { timeoutMs: START_MS, what: () => `haproxy to answer:\n${process.stderr}` },
  );
  const version = await run('haproxy', { args: ['-v'] });
  return {
    process,
    url: `http://127.0.0.1:${port}/receive`,
    version: /version (\S+)/.exec(version.stdout)?.[1] ?? 'unknown',
    async responses() {
      const name = 'haproxy_frontend_http_responses_total{proxy="remote_write",code="';
      const found = [...(await readMetrics())].filter(([series]) => series.startsWith(name));
      return new Map(found.map(([series, value]) => [series.slice(name.length, -2), value]));
    },
    async end() {
      process.kill('SIGKILL');
      await within(STOP_MS, 'haproxy to end', process.exited);
    },
  };
}

/** The block of the document, with the addresses of this machine. */
function recommendedConfiguration(port: number, [one, two]: readonly [number, number]): string {
  const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const block = /```haproxy\n([^`]*)```/.exec(page)?.[1];
  if (block === undefined) throw new Error('docs/operations.md has no configuration of haproxy');
  const addresses = {
    'bind :9500': `bind 127.0.0.1:${port}`,
    'server one 10.0.0.1:9501': `server one 127.0.0.1:${one}`,
    'server two 10.0.0.2:9501': `server two 127.0.0.1:${two}`,
  };
  return Object.entries(addresses).reduce((text, [documented, here]) => {
    if (!text.includes(documented)) throw new Error(`docs/operations.md configures haproxy without "${documented}"`);
    return text.replace(documented, here);
  }, block);
}

function metricsFrontend(port: number): string {
  return `frontend metrics
  bind 127.0.0.1:${port}
  http-request use-service prometheus-exporter
`;
}

/** Why tests with haproxy are skipped; undefined where they can run, and under .ci/run, which has it that they fail instead. */
export function reasonToSkipHaproxy(tests: string): string | undefined {
  if (findProgram('haproxy') !== undefined || process.env['PROMETHEUS_REQUIRED'] !== undefined) return undefined;
  console.warn(`SKIPPED: ${tests}: ${MISSING}`);
  return MISSING;
}

/** Fails, saying what to install, where it is missing. */
export function mustHaveHaproxy(): void {
  if (findProgram('haproxy') === undefined) throw new Error(MISSING);
}
