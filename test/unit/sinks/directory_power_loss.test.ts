import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { frameMember } from '../../../src/archive.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import { makeFolder } from '../../../src/folders.ts';
import { archiveFiles, readArchive, temporaryDir } from '../../support/archive.ts';
import { batchOf } from '../../support/lines.ts';
import { PowerLoss, type Unsynced } from '../../support/power_loss.ts';

const log = createLog({ level: 'warn', format: 'logfmt', write: (line) => logged.push(line) });
const logged: string[] = [];

afterEach(() => {
  vi.restoreAllMocks();
});

/** A disk as a power failure would have left it at some moment. */
interface Crash {
  readonly dir: string;
  readonly acknowledged: readonly string[];
}

/** Every line that was acknowledged by then is there after a start, in files that are whole. */
async function expectNothingLost(crashes: readonly Crash[]): Promise<void> {
  for (const { dir, acknowledged } of crashes) {
    const sink = await openDirectorySink({ dir, retentionMs: undefined, log });
    await sink.close();
    const lines = new Set(readArchive(dir));
    expect(acknowledged.filter((line) => !lines.has(line))).toEqual([]);
    expect(archiveFiles(dir).filter((path) => !path.endsWith('.json.gz'))).toEqual([]);
  }
  expect(logged).toEqual([]);
}

test.skipIf(process.platform !== 'linux').each<Unsynced>(['lost', 'zeros'])(
  'nothing that was acknowledged goes with the power, whenever it fails; what was not synced: %s',
  async (unsynced) => {
    const root = temporaryDir();
    const crashed = temporaryDir();
    const dir = join(root, 'a', 'archive');
    const acknowledged: string[] = [];
    const crashes: Crash[] = [];
    const crash = (): void => {
      const to = join(crashed, String(crashes.length));
      disk.lay(root, to, unsynced);
      crashes.push({ dir: join(to, 'a', 'archive'), acknowledged: [...acknowledged] });
    };
    const disk = await PowerLoss.watch(crash);

    let timeMs = Date.UTC(2026, 11, 31, 22);
    const sink = await openDirectorySink({ dir, retentionMs: undefined, log, now: () => timeMs, maxFileBytes: 400 });
    const write = async (texts: string[]): Promise<void> => {
      expect(await sink.send(batchOf(texts), new AbortController().signal)).toEqual([]);
      acknowledged.push(...texts);
      crash();
    };
    for (let round = 0; round < 12; round++) {
      await Promise.all([
        write([`{"line":${round},"of":1}`]),
        write([`{"line":${round},"of":2}`]),
        write([`{"line":${round},"of":3}`]),
      ]);
      // Through the hour, the day, the month and the year.
      if (round % 4 === 3) timeMs += 3_600_000;
    }
    await sink.close();
    crash();
    vi.restoreAllMocks();

    expect(crashes.length).toBeGreaterThan(60);
    expect(acknowledged.length).toBe(36);
    await expectNothingLost(crashes);
  },
);

test.skipIf(process.platform !== 'linux').each<Unsynced>(['lost', 'zeros'])(
  'nor while what an earlier failure left is recovered; what was not synced: %s',
  async (unsynced) => {
    const root = temporaryDir();
    const crashed = temporaryDir();
    const member = (text: string) => frameMember(gzipSync(`${text}\n`, { level: 1 }));
    const [a, b, c, d] = ['{"a":1}', '{"b":1}', '{"c":1}', '{"d":1}'].map(member) as [Buffer, Buffer, Buffer, Buffer];
    const never = member('{"never":1}');
    const acknowledged = ['{"a":1}', '{"b":1}', '{"c":1}'];
    const damage = Buffer.concat([never.fill(0x40, 30, 34), d]);

    const crashes: Crash[] = [];
    const crash = (): void => {
      const to = join(crashed, String(crashes.length));
      disk.lay(root, to, unsynced);
      crashes.push({ dir: to, acknowledged });
    };
    let onSync = (): void => undefined;
    const disk = await PowerLoss.watch(() => {
      onSync();
    });
    const folder = join(root, '2026', '11', '20', '10');
    mkdirSync(folder, { recursive: true });
    await leave(join(folder, 'whole.json.gz.open'), a, member('{"unsynced":1}'));
    await leave(join(folder, 'torn.json.gz.open'), b, never.subarray(0, 25));
    await leave(join(folder, 'nothing.json.gz.open'), Buffer.alloc(0), never.subarray(0, 25));
    await leave(join(folder, 'damaged.json.gz.open'), Buffer.concat([c, damage]), Buffer.alloc(0));
    await makeFolder(root, folder);

    onSync = crash;
    const sink = await openDirectorySink({ dir: root, retentionMs: undefined, log });
    await sink.close();
    crash();
    vi.restoreAllMocks();
    expect(logged.splice(0)).toEqual([expect.stringContaining('damaged.json.gz')]);

    expect(crashes.length).toBeGreaterThan(8);
    for (const { dir } of crashes) {
      const again = await openDirectorySink({ dir, retentionMs: undefined, log });
      await again.close();
      const set = archiveFiles(dir).filter((path) => path.endsWith('.damaged'));
      expect(set).toEqual(['2026/11/20/10/damaged.json.gz.damaged']);
      expect(readFileSync(join(dir, set[0]!)).equals(damage)).toBe(true);
      rmSync(join(dir, set[0]!));
    }
    logged.length = 0;
    await expectNothingLost(crashes);
  },
);

/** A file whose first bytes are safe and whose last ones are not. */
async function leave(path: string, synced: Uint8Array, unsynced: Uint8Array): Promise<void> {
  const handle = await open(path, 'w');
  await handle.writeFile(synced);
  await handle.sync();
  await handle.writeFile(unsynced);
  await handle.close();
}
