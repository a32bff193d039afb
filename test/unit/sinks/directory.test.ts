import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memberLength } from '../../../src/archive.ts';
import { SinkError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink, type DirectorySinkOptions } from '../../../src/sinks/directory.ts';
import type { Batch, Sink } from '../../../src/sinks/sink.ts';
import { archiveFiles, filesBelow, readArchive, readArchiveFile, temporaryDir } from '../../support/archive.ts';
import { eventually } from '../../support/eventually.ts';
import { fileHandlePrototype, holdNext } from '../../support/file_handle.ts';
import { batchOf, textsOf } from '../../support/lines.ts';

const log = createLog({ level: 'warn', format: 'logfmt', write: (line) => logged.push(line) });
const logged: string[] = [];

const TEN = Date.UTC(2026, 10, 20, 10);
let dir: string;
let timeMs: number;
let sink: Sink;

beforeEach(() => {
  dir = temporaryDir();
  timeMs = TEN;
  logged.length = 0;
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await sink.close();
  expect(logged).toEqual([]);
});

async function openSink(options: Partial<DirectorySinkOptions> = {}): Promise<void> {
  sink = await openDirectorySink({ dir, retentionMs: undefined, log, now: () => timeMs, ...options });
}

function send(batch: Batch, signal = new AbortController().signal) {
  return sink.send(batch, signal);
}

describe('files', () => {
  test('a line lies in the folder of its arrival, in a file that is open until the end', async () => {
    await openSink();
    timeMs = TEN + 61_001;
    await send(batchOf(['{"a":1}']));
    expect(archiveFiles(dir)).toEqual([
      expect.stringMatching(/^2026\/11\/20\/10\/prometheus-1-2026-11-20-10-01-01-[0-9a-f-]{36}\.json\.gz\.open$/),
    ]);
    await send(batchOf(['{"b":1}']));
    const [open] = archiveFiles(dir);
    await sink.close();
    expect(archiveFiles(dir)).toEqual([open!.slice(0, -'.open'.length)]);
    expect(readArchive(dir)).toEqual(['{"a":1}', '{"b":1}']);
  });

  test('each call is one member, which tells its length', async () => {
    await openSink();
    await send(batchOf(['{"a":1}', '{"a":2}']));
    await send(batchOf(['{"b":1}']));
    const bytes = readFileSync(join(dir, archiveFiles(dir)[0]!));
    const length = memberLength(bytes)!;
    expect(textsOf(gunzipSync(bytes.subarray(0, length)))).toEqual(['{"a":1}', '{"a":2}']);
    expect(length + memberLength(bytes, length)!).toBe(bytes.length);
  });

  test('a new hour begins a new file', async () => {
    await openSink();
    timeMs = TEN + 3_599_999;
    await send(batchOf(['{"ten":1}']));
    timeMs = TEN + 3_600_000;
    await send(batchOf(['{"eleven":1}']));
    const [ten, eleven] = archiveFiles(dir);
    expect(ten).toMatch(/^2026\/11\/20\/10\/.*\.json\.gz$/);
    expect(eleven).toMatch(/^2026\/11\/20\/11\/.*\.json\.gz\.open$/);
    expect(readArchiveFile(join(dir, ten!))).toEqual(['{"ten":1}']);
    expect(readArchiveFile(join(dir, eleven!))).toEqual(['{"eleven":1}']);
  });

  test('a clock that is set back begins a new file too', async () => {
    await openSink();
    await send(batchOf(['{"ten":1}']));
    timeMs = TEN - 1;
    await send(batchOf(['{"nine":1}']));
    expect(archiveFiles(dir)).toEqual([
      expect.stringMatching(/\/09\/.*\.open$/),
      expect.stringMatching(/\/10\/.*\.gz$/),
    ]);
  });

  test('a file is finished after its hour though nothing more comes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await openSink();
    timeMs = TEN + 3_540_000;
    await send(batchOf(['{"a":1}']));
    vi.advanceTimersByTime(60_000);
    await send(batchOf(['{"b":1}']));
    expect(archiveFiles(dir)).toEqual([expect.stringMatching(/\.open$/)]);
    timeMs = TEN + 3_600_001;
    vi.advanceTimersByTime(60_000);
    await eventually(() => {
      expect(archiveFiles(dir)).toEqual([expect.stringMatching(/\.json\.gz$/)]);
    });
    expect(readArchive(dir)).toEqual(['{"a":1}', '{"b":1}']);
  });

  test('a file is finished at its size', async () => {
    await openSink({ maxFileBytes: 1_000 });
    const texts = Array.from({ length: 100 }, (_, index) => `{"line":${index},"pad":"${Math.random()}"}`);
    for (const text of texts) await send(batchOf([text]));
    await sink.close();
    const sizes = archiveFiles(dir).map((path) => statSync(join(dir, path)).size);
    expect(sizes.length).toBeGreaterThan(5);
    expect(sizes.filter((size) => size < 1_000).length).toBeLessThanOrEqual(1);
    expect(Math.max(...sizes)).toBeLessThan(1_200);
    expect(readArchive(dir).sort()).toEqual(texts.sort());
  });

  test('no file comes of nothing', async () => {
    await openSink();
    expect(await send([])).toEqual([]);
    await sink.close();
    expect(filesBelow(dir)).toEqual([]);
  });

  test('the folder is made where it is missing', async () => {
    dir = join(dir, 'a', 'b', 'c');
    await openSink();
    await send(batchOf(['{"a":1}']));
    expect(readArchive(dir)).toEqual(['{"a":1}']);
  });

  test('a file that somebody removed is left for a new one', async () => {
    await openSink();
    await send(batchOf(['{"gone":1}']));
    rmSync(join(dir, '2026'), { recursive: true });
    await expect(send(batchOf(['{"next":1}']))).rejects.toMatchObject({ failure: 'transient', code: 'ENOENT' });
    expect(logged.splice(0)).toEqual([expect.stringContaining('cannot mend a file of the archive')]);
    expect(await send(batchOf(['{"next":1}']))).toEqual([]);
    expect(readArchive(dir)).toEqual(['{"next":1}']);
  });
});

describe('the acknowledgement', () => {
  test('comes after fdatasync', async () => {
    await openSink();
    const datasync = await holdNext('datasync');
    let acknowledged = false;
    const sent = send(batchOf(['{"a":1}'])).then(() => {
      acknowledged = true;
    });
    await datasync.reached;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).toBe(false);
    datasync.letGo();
    await sent;
  });

  test('of calls at one time shares one fdatasync', async () => {
    const datasync = vi.spyOn(await fileHandlePrototype(), 'datasync');
    const writev = vi.spyOn(await fileHandlePrototype(), 'writev');
    await openSink();
    const texts = Array.from({ length: 200 }, (_, index) => `{"line":${index}}`);
    await Promise.all(texts.map((text) => send(batchOf([text]))));
    expect(datasync.mock.calls.length).toBe(writev.mock.calls.length);
    expect(datasync.mock.calls.length).toBeLessThan(100);
    expect(readArchive(dir).sort()).toEqual(texts.sort());
  });

  test('waits for a write that the kernel takes in pieces', async () => {
    const prototype = await fileHandlePrototype();
    await openSink();
    vi.spyOn(prototype, 'writev').mockImplementation(async function (this: typeof prototype, parts, position) {
      const part = parts.find(({ byteLength }) => byteLength > 0)! as Uint8Array;
      const { bytesWritten } = await this.write(part, 0, Math.min(part.byteLength, 7), position);
      return { bytesWritten, buffers: [...parts] };
    });
    const texts = Array.from({ length: 20 }, (_, index) => `{"line":${index}}`);
    await Promise.all(texts.map((text) => send(batchOf([text]))));
    expect(readArchive(dir).sort()).toEqual(texts.sort());
  });
});

describe('an abort', () => {
  test('ends a call that waits for the disk, and nothing of it is written later', async () => {
    await openSink();
    const writev = await holdNext('writev');
    const first = send(batchOf(['{"first":1}']));
    await writev.reached;

    const aborter = new AbortController();
    const listen = vi.spyOn(aborter.signal, 'addEventListener');
    const second = send(batchOf(['{"second":1}']), aborter.signal);
    const third = send(batchOf(['{"third":1}']));
    await eventually(() => {
      expect(listen).toHaveBeenCalled();
    });
    aborter.abort();
    await expect(second).rejects.toThrow(SinkError);
    await expect(second).rejects.toMatchObject({ failure: 'transient', code: 'aborted' });

    writev.letGo();
    expect(await Promise.all([first, third])).toEqual([[], []]);
    expect(readArchive(dir)).toEqual(['{"first":1}', '{"third":1}']);
  });

  test('before the call is its end, whatever it carries', async () => {
    await openSink();
    for (const batch of [[], batchOf(['{"a":1}'])]) {
      await expect(send(batch, AbortSignal.abort())).rejects.toMatchObject({ failure: 'transient', code: 'aborted' });
    }
    await sink.close();
    expect(archiveFiles(dir)).toEqual([]);
  });

  test('need not wait for a write that hangs', async () => {
    await openSink();
    const datasync = await holdNext('datasync');
    const aborter = new AbortController();
    const sent = send(batchOf(['{"a":1}']), aborter.signal);
    await datasync.reached;
    aborter.abort();
    await expect(sent).rejects.toMatchObject({ failure: 'transient', code: 'aborted' });
    datasync.letGo();
  });
});

describe('the end', () => {
  test('waits for the calls under way', async () => {
    await openSink();
    const texts = Array.from({ length: 50 }, (_, index) => `{"line":${index}}`);
    const sent = texts.map((text) => send(batchOf([text])));
    await sink.close();
    expect((await Promise.all(sent)).flat()).toEqual([]);
    expect(archiveFiles(dir)).toEqual([expect.stringMatching(/\.json\.gz$/)]);
    expect(readArchive(dir).sort()).toEqual(texts.sort());
  });

  test('can be asked for twice, and leaves no socket', async () => {
    await openSink();
    await Promise.all([sink.close(), sink.close()]);
    expect(filesBelow(dir)).toEqual([]);
  });
});
