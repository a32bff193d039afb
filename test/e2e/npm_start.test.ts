import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { adapterOf, NO_AWS, ROOT, type Adapter } from '../support/adapter.ts';
import { readArchive, temporaryDir } from '../support/archive.ts';
import { write } from '../support/http.ts';
import { endProcesses, startProcess, waitFor, within, type Process } from '../support/processes.ts';
import { someSeries, writeRequest } from '../support/write_request.ts';

/** `npm start` as it is typed: npm is signalled, and the program behind it has to end. */

const BOUND_MS = 10_000;

afterEach(endProcesses);

const signals = [
  {
    what: 'SIGTERM to npm, as a service manager sends it',
    end: (npm: Process) => {
      npm.kill('SIGTERM');
    },
  },
  {
    what: 'SIGINT to npm',
    end: (npm: Process) => {
      npm.kill('SIGINT');
    },
  },
  {
    what: 'Ctrl-C, which both get from the terminal and npm passes on',
    end: (npm: Process) => {
      process.kill(-npm.pid, 'SIGINT');
    },
  },
];

// /proc tells which process is whose.
test.skipIf(!existsSync('/proc/self/cmdline'))(
  'npm start: exit 0 by every signal, all that was answered 2xx archived, no process left',
  { timeout: 120_000 },
  async () => {
    const checkout = copyOfTheCheckout();
    for (const { what, end } of signals) {
      const dir = join(checkout, 'archive', what.replaceAll(/\W+/g, '-'));
      const { npm, adapter } = await startByNpm(checkout, dir);
      onTestFinished(() => {
        for (const orphan of pidsOf(dir)) process.kill(orphan, 'SIGKILL');
      });
      const [pid, ...others] = pidsOf(dir).filter((found) => found !== npm.pid);
      expect([pid, others]).toEqual([expect.any(Number), []]);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => write(adapter.port, writeRequest(someSeries(50)))),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
      end(npm);
      const exit = await within(BOUND_MS, `npm to end after ${what}`, npm.exited);
      await waitFor(() => pidsOf(dir).length === 0, { timeoutMs: BOUND_MS, what: () => `process ${pid} to end` });
      expect(npm.stderr).toContain('msg=stopped');
      expect([what, exit]).toEqual([what, { code: 0, signal: null }]);
      expect(readArchive(dir)).toHaveLength(1_000);
    }
  },
);

/** What `npm start` needs, elsewhere: it builds, and other tests run what is built here. */
function copyOfTheCheckout(): string {
  const dir = temporaryDir();
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'src']) {
    cpSync(join(ROOT, name), join(dir, name), { recursive: true });
  }
  mkdirSync(join(dir, 'archive'));
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

async function startByNpm(cwd: string, dir: string): Promise<{ npm: Process; adapter: Adapter }> {
  const npm = startProcess('npm', {
    args: ['start', '--', '--archive-dir', dir],
    cwd,
    group: true,
    env: { ...NO_AWS, LISTEN_ADDR: '127.0.0.1:0', npm_config_update_notifier: 'false', npm_config_offline: 'true' },
  });
  return { npm, adapter: await adapterOf(npm) };
}

/** Processes whose command line names a path. */
function pidsOf(path: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(path);
    } catch {
      return false;
    }
  });
}
