import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import type { Sink } from '../../../src/sinks/sink.ts';
import { filesBelow, readArchive, temporaryDir } from '../../support/archive.ts';
import { batchOf } from '../../support/lines.ts';

const log = createLog({ level: 'error', format: 'logfmt' });

let dir: string;
let sink: Sink | undefined;

const open = async () => (sink = await openDirectorySink({ dir, retentionMs: undefined, log }));
const send = (...texts: string[]) => sink!.send(batchOf(texts), new AbortController().signal);
const failure = (code: string) => ({ name: 'SinkError', failure: 'down', code, mend: expect.any(String) as string });

const SMALL_DISK = ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs'];

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'archive-'));
  const mounted = process.geteuid?.() === 0 && spawnSync('mount', [...SMALL_DISK, probe]).status === 0;
  if (mounted) spawnSync('umount', [probe]);
  rmSync(probe, { recursive: true });
  return mounted;
}

// Needs root and the right to mount.
describe.skipIf(!canMount())('a real file system', () => {
  const remount = (...options: string[]) => {
    expect(spawnSync('mount', ['-o', `remount,${options.join(',')}`, dir]).status).toBe(0);
  };

  beforeEach(() => {
    dir = temporaryDir();
    const { status } = spawnSync('mount', [...SMALL_DISK, dir]);
    expect(status).toBe(0);
    onTestFinished(async () => {
      await sink?.close();
      sink = undefined;
      expect(spawnSync('umount', [dir]).status).toBe(0);
    });
  });

  test('that is full keeps what was acknowledged, and goes on when there is space again', async () => {
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(64 * 1024));
    await open();
    const acknowledged: string[] = [];
    let error: unknown;
    while (error === undefined) {
      const text = JSON.stringify({ pad: randomBytes(10_000).toString('hex') });
      try {
        await send(text);
        acknowledged.push(text);
      } catch (reason) {
        error = reason;
      }
    }
    expect(error).toMatchObject(failure('ENOSPC'));
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(readArchive(dir)).toEqual(acknowledged);
    for (let round = 0; round < 3; round++) {
      await expect(send(JSON.stringify({ pad: randomBytes(30_000).toString('hex') }))).rejects.toMatchObject(
        failure('ENOSPC'),
      );
    }
    expect(readArchive(dir)).toEqual(acknowledged);

    rmSync(join(dir, 'ballast'));
    acknowledged.push('{"after":1}');
    expect(await send('{"after":1}')).toEqual([]);
    expect(readArchive(dir).sort()).toEqual(acknowledged.sort());
  });

  test('without inodes refuses, and goes on when there are some again', async () => {
    await open();
    remount('nr_inodes=100');
    mkdirSync(join(dir, 'many'));
    expect(() => {
      for (let index = 0; index < 200; index++) writeFileSync(join(dir, 'many', String(index)), '');
    }).toThrow('ENOSPC');
    await expect(send('{"failed":1}')).rejects.toMatchObject(failure('ENOSPC'));
    rmSync(join(dir, 'many'), { recursive: true });
    expect(await send('{"after":1}')).toEqual([]);
  });

  test('that is full stops the start where not even the lock fits', async () => {
    remount('nr_inodes=20');
    for (let index = 0; statfsSync(dir).ffree > 0; index++) writeFileSync(join(dir, String(index)), '');
    await expect(open()).rejects.toThrow(/--archive-dir \(ARCHIVE_DIR\).*ENOSPC.*free space/);
    for (const name of readdirSync(dir)) rmSync(join(dir, name));
    await open();
  });

  test('that is read-only refuses, and goes on when it can be written', async () => {
    await open();
    remount('ro');
    for (let round = 0; round < 3; round++) await expect(send('{"failed":1}')).rejects.toMatchObject(failure('EROFS'));
    remount('rw');
    expect(await send('{"after":1}')).toEqual([]);
    expect(readArchive(dir)).toEqual(['{"after":1}']);
  });

  test('that is read-only stops the start', async () => {
    remount('ro');
    await expect(open()).rejects.toThrow(/--archive-dir \(ARCHIVE_DIR\).*EROFS.*writable/);
    remount('rw');
    await open();
    expect(filesBelow(dir).length).toBe(1);
  });
});
