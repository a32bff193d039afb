import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hourFolder } from '../../../src/archive.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import { removeExpired } from '../../../src/sinks/directory_retention.ts';
import type { Sink } from '../../../src/sinks/sink.ts';
import { archiveFiles, filesBelow, temporaryDir } from '../../support/archive.ts';
import { eventually } from '../../support/eventually.ts';
import { systemError, withNext } from '../../support/file_handle.ts';
import { batchOf } from '../../support/lines.ts';

const logged: string[] = [];
const log = createLog({ level: 'info', format: 'logfmt', write: (line) => logged.push(line) });

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 20, 10, 30);

let dir: string;
let timeMs: number;
let sink: Sink | undefined;

beforeEach(() => {
  dir = temporaryDir();
  timeMs = NOW;
  logged.length = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  await sink?.close();
  sink = undefined;
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), 'x');
  }
}

const left = (): string[] => filesBelow(dir).filter((path) => !path.endsWith('.sock'));

async function open(retentionMs: number | undefined): Promise<void> {
  sink = await openDirectorySink({ dir, retentionMs, log, now: () => timeMs });
}

/** Waits until something was removed at the start. */
async function openAndRemove(retentionMs: number): Promise<void> {
  await open(retentionMs);
  await eventually(() => {
    expect(logged).toContainEqual(expect.stringContaining('removed expired hours'));
  });
}

describe('at the start', () => {
  test('whole hours that are older go, the hour on the border stays', async () => {
    const hour = (ago: number) => hourFolder(NOW - ago * HOUR_MS);
    put(...[0, 1, 2, 3, 4, 30, 24 * 40, 24 * 800].map((ago) => `${hour(ago)}/x.json.gz`));
    // 10:30 less two hours is 08:30: the hour from 08:00 is not over by then, the one from 07:00 is.
    await openAndRemove(2 * HOUR_MS);
    expect(left()).toEqual([2, 1, 0].map((ago) => `${hour(ago)}/x.json.gz`));
    expect(logged).toEqual([expect.stringMatching(/level=info .*files=5 before=2026-11-20T08:30:00.000Z/)]);
  });

  test('folders that are left empty go, up to the archive', async () => {
    put('2023/12/31/23/x.json.gz', '2026/10/31/23/x.json.gz', '2026/11/19/23/x.json.gz', '2026/11/20/10/x.json.gz');
    await openAndRemove(HOUR_MS);
    expect(left()).toEqual(['2026/11/20/10/x.json.gz']);
    for (const folder of ['2023', '2026/10', '2026/11/19']) expect(existsSync(join(dir, folder))).toBe(false);
  });

  test('nothing goes that the archive did not make', async () => {
    const old = '2020/01/01/00';
    const strange = [
      'x.json.gz',
      '2020/x.json.gz',
      '2020/01/x.json.gz',
      '2020/01/01/x.json.gz',
      '2020/01/01/24/x.json.gz',
      '2020/13/01/00/x.json.gz',
      '20200/01/01/00/x.json.gz',
      'backup/2020/01/01/00/x.json.gz',
      `${old}/deeper/x.json.gz`,
      `${old}/notes.txt`,
      `${old}/x.json`,
      `${old}/x.gz`,
    ];
    put(...strange, `${old}/x.json.gz`, `${old}/y.json.gz.damaged`);
    mkdirSync(join(dir, old, 'folder.json.gz'));
    symlinkSync('/etc/hostname', join(dir, old, 'link.json.gz'));
    mkdirSync(join(dir, 'elsewhere/01/01/00'), { recursive: true });
    put('elsewhere/01/01/00/x.json.gz');
    symlinkSync(join(dir, 'elsewhere'), join(dir, '2019'));
    await openAndRemove(HOUR_MS);
    expect(left()).toEqual([...strange, '2019', `${old}/link.json.gz`, 'elsewhere/01/01/00/x.json.gz'].sort());
    expect(existsSync(join(dir, old, 'folder.json.gz'))).toBe(true);
    expect(logged).toEqual([expect.stringContaining('files=2')]);
  });

  test('what cannot be removed is logged, and the rest goes', async () => {
    put('2020/01/01/00/x.json.gz', '2020/01/01/01/x.json.gz');
    await withNext(
      'unlink',
      () => Promise.reject(systemError('EACCES')),
      () => openAndRemove(HOUR_MS),
    );
    expect(left()).toEqual(['2020/01/01/00/x.json.gz']);
    expect(logged[0]).toMatch(/level=error msg="cannot remove an expired hour.*2020\/01\/01\/00.*EACCES/);
  });

  test('everything stays without a retention', async () => {
    put('1999/01/01/00/x.json.gz');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await open(undefined);
    vi.advanceTimersByTime(600_000);
    await sink!.close();
    expect(left()).toEqual(['1999/01/01/00/x.json.gz']);
  });
});

test('an hour that expires later goes within a minute, without the open file', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await open(HOUR_MS);
  await sink!.send(batchOf(['{"a":1}']), new AbortController().signal);
  const [file] = archiveFiles(dir);
  put('2026/11/20/10/finished.json.gz');
  timeMs = NOW + HOUR_MS + 30 * 60_000 - 1;
  vi.advanceTimersByTime(60_000);
  await eventually(() => {
    expect(left()).toEqual(['2026/11/20/10/finished.json.gz', file!.slice(0, -'.open'.length)]);
  });
  timeMs++;
  vi.advanceTimersByTime(60_000);
  await eventually(() => {
    expect(existsSync(join(dir, '2026'))).toBe(false);
  });
  // The folders are made again for what comes next.
  expect(await sink!.send(batchOf(['{"b":1}']), new AbortController().signal)).toEqual([]);
});

test('a file that is still open is never removed', async () => {
  put('2020/01/01/00/x.json.gz', '2020/01/01/00/y.json.gz.open');
  await removeExpired({ dir, beforeMs: NOW, log, signal: new AbortController().signal });
  expect(left()).toEqual(['2020/01/01/00/y.json.gz.open']);
});

test('the end stops it early', async () => {
  put('2020/01/01/00/x.json.gz');
  await removeExpired({ dir, beforeMs: NOW, log, signal: AbortSignal.abort() });
  expect(left()).toEqual(['2020/01/01/00/x.json.gz']);
});

test('the end waits for what is being removed', async () => {
  put('2020/01/01/00/x.json.gz');
  let reach!: () => void;
  let letGo!: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (letGo = resolve));
  const hold = () => {
    reach();
    return released;
  };
  await withNext('unlink', hold, async () => {
    await open(HOUR_MS);
    await reached;
    let closed = false;
    const closing = sink!.close().then(() => {
      closed = true;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    letGo();
    await closing;
  });
});
