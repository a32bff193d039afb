import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAdapter } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses, freePort } from '../support/processes.ts';
import { ForgetfulDisk, type Unsynced } from './support/forgetful_disk.ts';
import { IS_LONG, KILLS } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { DIRECTORY } from './support/sinks.ts';
import { endRow, startTortured } from './support/tortured.ts';

/** The power fails again and again under the directory archive: each start finds what a disk holds that kept only what was synced. */

const LOAD = { shards: 30, samplesPerRequest: 200, pauseMs: 100 } as const;
const SAMPLES_BETWEEN = 4_000;
/** So that it is not always the same moment of a write. */
const MOMENT_MS = 300;
/** In turn. */
const UNSYNCED: readonly Unsynced[] = ['lost', 'zeros', 'half'];

afterEach(endProcesses);

describe.skipIf(process.platform !== 'linux')('power failures under load', () => {
  const scenario = `kill −9 under load × ${KILLS}, on a disk that forgets what was not fsynced`;

  test(scenario, { timeout: KILLS * 10_000 + 60_000 }, async () => {
    const disk = new ForgetfulDisk(temporaryDir());
    const sink = await DIRECTORY.start(disk.folder);
    const tortured = await startTortured({ sink, env: disk.environment() });
    const load = startLoad({ ...LOAD, port: tortured.port });
    onTestFinished(() => load.abort());
    let recoverySeconds = 0;
    let forgotten = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await load.more(SAMPLES_BETWEEN);
      await sleep(Math.random() * MOMENT_MS);
      const recovery = load.recovery('kill');
      await tortured.end('SIGKILL');
      if (disk.crash(UNSYNCED[kill % UNSYNCED.length]!)) forgotten++;
      await tortured.start();
      recoverySeconds = Math.max(recoverySeconds, await recovery);
    }
    await endRow(tortured, { scenario, load, recoverySeconds });
    // Of twenty crashes one at least meets something that was not synced yet; of three maybe none.
    if (IS_LONG) expect(forgotten).toBeGreaterThan(0);
  });

  test.each(['files', 'folders'] as const)('a program that does not sync its %s is found out', async (forgets) => {
    const disk = new ForgetfulDisk(temporaryDir());
    const sink = await DIRECTORY.start(disk.folder);
    const options = { port: await freePort(), env: { ...sink.env, ...disk.environment(forgets) } };
    const adapter = await startAdapter(options);
    const load = startLoad({ ...LOAD, port: adapter.port });
    onTestFinished(() => load.abort());
    await load.more(SAMPLES_BETWEEN);
    await adapter.killNine();
    disk.crash('lost');
    const next = await startAdapter(options);
    await load.finish();
    expect(await next.stop()).toBe(0);
    expect(load.audit(await sink.lines()).lost).toBeGreaterThanOrEqual(SAMPLES_BETWEEN);
  });
});
