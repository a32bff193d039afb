import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDir } from '../support/archive.ts';
import { endProcesses, waitFor } from '../support/processes.ts';
import { inForm } from './support/form.ts';
import { startLoad } from './support/load.ts';
import { DIRECTORY } from './support/sinks.ts';
import { reasonNotToMount, SmallDisk } from './support/small_disk.ts';
import { endRow, startTortured, type Tortured } from './support/tortured.ts';

/** A real file system, in memory, that has no room left and is mounted read-only under the directory archive. */

const DISK_MIB = 32;
const LOAD = { shards: 30, samplesPerRequest: 200, pauseMs: 100 } as const;
const SAMPLES_BETWEEN = 4_000;
const FAULT_SECONDS = inForm({ short: 3, long: 30 });
const NOTICED_MS = 20_000;
const TIMEOUT = { timeout: FAULT_SECONDS * 2_000 + 120_000 };

const skipped = reasonNotToMount();

afterEach(endProcesses);

describe.skipIf(skipped !== undefined)(`a disk${skipped === undefined ? '' : ` (SKIPPED: ${skipped})`}`, () => {
  test('full, and killed while it is', TIMEOUT, async () => {
    const { disk, tortured, load } = await startOnSmallDisk();
    await load.more(SAMPLES_BETWEEN);
    disk.fill();
    await logged(tortured, 'code=ENOSPC');
    await sleep(FAULT_SECONDS * 500);
    await tortured.end('SIGKILL');
    await tortured.start();
    await logged(tortured, 'code=ENOSPC');
    const { acknowledged } = load;
    await sleep(FAULT_SECONDS * 500);
    expect(load.acknowledged).toBe(acknowledged);
    disk.free();
    const recoverySeconds = await load.recovery('fault');
    await load.more(SAMPLES_BETWEEN);
    await endRow(tortured, {
      scenario: `disk full for ${FAULT_SECONDS} s, kill −9 and a start meanwhile`,
      load,
      recoverySeconds,
    });
  });

  test('read-only', TIMEOUT, async () => {
    const { disk, tortured, load } = await startOnSmallDisk();
    await load.more(SAMPLES_BETWEEN);
    // The kernel does not take a file system away from who has a file open to write: a full one has none open for long.
    disk.fill();
    await logged(tortured, 'code=ENOSPC');
    await disk.remount('ro');
    await logged(tortured, 'code=EROFS');
    const { acknowledged } = load;
    await sleep(FAULT_SECONDS * 1_000);
    expect(load.acknowledged).toBe(acknowledged);
    await disk.remount('rw');
    disk.free();
    const recoverySeconds = await load.recovery('fault');
    await load.more(SAMPLES_BETWEEN);
    await endRow(tortured, { scenario: `disk read-only for ${FAULT_SECONDS} s`, load, recoverySeconds });
  });
});

async function startOnSmallDisk() {
  const disk = SmallDisk.mount(join(temporaryDir(), 'disk'), DISK_MIB);
  onTestFinished(() => disk.unmount());
  const tortured = await startTortured({ sink: await DIRECTORY.start(disk.folder) });
  const load = startLoad({ ...LOAD, port: tortured.port });
  onTestFinished(() => load.abort());
  return { disk, tortured, load };
}

function logged(tortured: Tortured, text: string): Promise<unknown> {
  return waitFor(() => tortured.adapter.process.stderr.includes(text), {
    timeoutMs: NOTICED_MS,
    what: () => `"${text}" in the log:\n${tortured.adapter.process.stderr}`,
  });
}
