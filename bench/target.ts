import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { memberLength } from '../src/archive.ts';
import { adapterOf, NO_AWS } from '../test/support/adapter.ts';
import { startProcess } from '../test/support/processes.ts';
import { startChild } from './child.ts';
import type { LibrariesApi } from './libraries.ts';
import { LineSums, type LinesSum } from './line_sums.ts';
import { packageRoot } from './package_root.ts';
import type { Scenario } from './scenario.ts';

/** The program under load. */
export interface Target {
  readonly pid: number;
  readonly port: number;
  /** Ends it as its users do. */
  stop(): Promise<void>;
  /** Ends it at once, if it still runs. */
  end(): Promise<void>;
}

/** @param where the stream's port, or the directory */
export function startTarget(scenario: Scenario, where: number | string): Promise<Target> {
  return scenario.program === 'adapter' ? startAdapter(scenario, where) : startLibraries(scenario, where);
}

async function startAdapter({ sink, packing, nodeArguments = [] }: Scenario, where: number | string): Promise<Target> {
  const cli = join(packageRoot(), 'dist/cli.js');
  const env = {
    kinesis: { STREAM_NAME: 'history', PACKING: packing },
    firehose: { DELIVERY_STREAM_NAME: 'history', PACKING: packing },
    directory: { ARCHIVE_DIR: String(where) },
  }[sink];
  const started = startProcess(process.execPath, {
    args: [...nodeArguments, cli],
    env: { LISTEN_ADDR: '127.0.0.1:0', ...awsEnvironment(where), ...env },
  });
  const adapter = await adapterOf(started);
  return {
    pid: started.pid,
    port: adapter.port,
    stop: async () => {
      const code = await adapter.stop();
      if (code !== 0) throw new Error(`the adapter ended with ${code}:\n${started.stderr}`);
    },
    end: async () => {
      started.end();
      await started.exited;
    },
  };
}

async function startLibraries({ packing }: Scenario, where: number | string): Promise<Target> {
  if (packing === 'lines') throw new Error('the baseline has no packing lines');
  const child = startChild<LibrariesApi>('libraries', { ...awsEnvironment(where), NODE_ENV: 'production' });
  const port = await child.call('listen', { endpoint: `http://127.0.0.1:${where}`, packing });
  return { pid: child.pid, port, stop: () => child.end(), end: () => child.end() };
}

function awsEnvironment(where: number | string): Record<string, string> {
  return {
    ...NO_AWS,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${where}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIAFAKE',
    AWS_SECRET_ACCESS_KEY: 'fake secret',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** A new empty folder for the directory sink. */
export function makeArchiveDir(): string {
  return mkdtempSync(join(tmpdir(), 'bench-archive-'));
}

/** Reads all lines of an archive, member by member, and removes it. */
export function sumArchive(dir: string): LinesSum {
  const sums = new LineSums();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.includes('.json.gz')) continue;
    const file = readFileSync(join(entry.parentPath, entry.name));
    for (let start = 0; start < file.length;) {
      const length = memberLength(file, start);
      if (length === undefined) throw new Error(`${entry.name}: no whole member at ${start}`);
      sums.add(gunzipSync(file.subarray(start, start + length)));
      start += length;
    }
  }
  rmSync(dir, { recursive: true });
  return sums.sum;
}
