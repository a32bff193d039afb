import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigError, SinkError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import { toSinkError } from '../../../src/sinks/directory_errors.ts';
import type { Sink } from '../../../src/sinks/sink.ts';
import { archiveFiles, readArchive, temporaryDir } from '../../support/archive.ts';
import { fileHandlePrototype, systemError } from '../../support/file_handle.ts';
import { batchOf } from '../../support/lines.ts';
import { startWriter } from '../../support/writer_process.ts';

const logged: string[] = [];
const log = createLog({ level: 'warn', format: 'logfmt', write: (line) => logged.push(line) });

let handles: FileHandle;
let dir: string;
let sink: Sink | undefined;

beforeEach(async () => {
  handles = await fileHandlePrototype();
  dir = temporaryDir();
  logged.length = 0;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await sink?.close();
  sink = undefined;
});

const open = async () => (sink = await openDirectorySink({ dir, retentionMs: undefined, log }));
const send = (...texts: string[]) => sink!.send(batchOf(texts), new AbortController().signal);
const failure = (code: string) => ({ name: 'SinkError', failure: 'down', code, mend: expect.any(String) as string });

/** Makes the next call of a method write only a part, if told, and fail. */
function failNext(method: 'writev' | 'datasync' | 'sync' | 'truncate' | 'stat', code: string, writeFirst = 0): void {
  const fail = async function (this: FileHandle, parts: Uint8Array[], position: number): Promise<never> {
    if (writeFirst > 0) await this.write(parts[0]!, 0, writeFirst, position);
    throw systemError(code);
  };
  vi.spyOn(handles, method).mockImplementationOnce(fail as never);
}

describe('what an error of the file system means', () => {
  const DOWN = [
    'ENOSPC',
    'EDQUOT',
    'EROFS',
    'EACCES',
    'EPERM',
    'ENOENT',
    'ENOTDIR',
    'EMFILE',
    'ENFILE',
    'EIO',
    'ESTALE',
  ];

  test.each(DOWN)('%s stays until somebody mends it', (code) => {
    const cause = systemError(code);
    const error = toSinkError(cause, '/data');
    expect(error).toMatchObject({ ...failure(code), cause });
    expect(error.message).toBe(`cannot write to the archive directory /data: ${code}: injected`);
  });

  test('the mend of a full disk says where', () => {
    expect(toSinkError(systemError('ENOSPC'), '/data').mend).toMatch(/^free space .*\/data/);
  });

  test.each([systemError('EAGAIN'), systemError('EBUSY'), new Error('no code'), 'no error'])('%s may pass', (cause) => {
    expect(toSinkError(cause, '/data')).toMatchObject({ failure: 'transient', mend: undefined });
  });

  test('what is a SinkError stays it', () => {
    const error = new SinkError('transient', 'x', { code: 'y' });
    expect(toSinkError(error, '/data')).toBe(error);
  });
});

describe('a write that fails', () => {
  const FAILURES = [
    {
      title: 'before a byte',
      fail: () => {
        failNext('writev', 'ENOSPC');
      },
      code: 'ENOSPC',
    },
    {
      title: 'in the middle',
      fail: () => {
        failNext('writev', 'ENOSPC', 25);
      },
      code: 'ENOSPC',
    },
    {
      title: 'at fdatasync',
      fail: () => {
        failNext('datasync', 'EIO');
      },
      code: 'EIO',
    },
    {
      title: 'after fdatasync',
      fail: () => {
        failNext('stat', 'EIO');
      },
      code: 'EIO',
    },
  ] as const;

  test.each(FAILURES)('$title keeps what was acknowledged, and the next one works', async ({ fail, code }) => {
    await open();
    await send('{"before":1}');
    fail();
    await expect(send('{"failed":1}')).rejects.toMatchObject(failure(code));
    // The file is finished with what it had, and never synced again.
    expect(archiveFiles(dir)).toEqual([expect.stringMatching(/\.json\.gz$/)]);
    expect(readArchive(dir)).toEqual(['{"before":1}']);
    expect(await send('{"after":1}')).toEqual([]);
    expect(readArchive(dir).sort()).toEqual(['{"after":1}', '{"before":1}']);
    expect(logged).toEqual([]);
  });

  test.each(FAILURES)('$title leaves no file that is empty', async ({ fail, code }) => {
    await open();
    fail();
    await expect(send('{"failed":1}')).rejects.toMatchObject(failure(code));
    expect(archiveFiles(dir)).toEqual([]);
    expect(await send('{"after":1}')).toEqual([]);
    expect(readArchive(dir)).toEqual(['{"after":1}']);
  });

  test('refuses all calls of its group', async () => {
    await open();
    vi.spyOn(handles, 'datasync').mockRejectedValue(systemError('EIO'));
    const calls = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => send(`{"line":${index}}`)));
    expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    vi.restoreAllMocks();
    expect(readArchive(dir)).toEqual([]);
    expect(await send('{"after":1}')).toEqual([]);
  });

  test('never syncs the file again', async () => {
    await open();
    await send('{"before":1}');
    const synced = vi.spyOn(handles, 'datasync').mockRejectedValueOnce(systemError('EIO'));
    const sync = vi.spyOn(handles, 'sync');
    await expect(send('{"failed":1}')).rejects.toThrow(SinkError);
    expect(synced).toHaveBeenCalledTimes(1);
    // The folder, for the final name.
    expect(sync).toHaveBeenCalledTimes(1);
  });

  test('and cannot be cut off leaves the file to the next start', async () => {
    await open();
    await send('{"before":1}');
    failNext('writev', 'EIO', 30);
    failNext('truncate', 'EIO');
    await expect(send('{"failed":1}')).rejects.toMatchObject(failure('EIO'));
    expect(archiveFiles(dir)).toEqual([expect.stringMatching(/\.open$/)]);
    expect(logged).toEqual([expect.stringMatching(/cannot mend a file of the archive.*\.json\.gz.*EIO/)]);
    expect(await send('{"after":1}')).toEqual([]);
    await sink!.close();

    await open();
    expect(archiveFiles(dir).every((path) => path.endsWith('.json.gz'))).toBe(true);
    expect(readArchive(dir).sort()).toEqual(['{"after":1}', '{"before":1}']);
  });

  test('at making the file leaves nothing', async () => {
    await open();
    failNext('sync', 'EIO');
    await expect(send('{"failed":1}')).rejects.toMatchObject(failure('EIO'));
    expect(archiveFiles(dir)).toEqual([]);
    expect(await send('{"after":1}')).toEqual([]);
  });

  test('when something stands in the way of the folder, until it is gone', async () => {
    await open();
    const year = join(dir, String(new Date().getUTCFullYear()));
    writeFileSync(year, 'no folder');
    for (let round = 0; round < 3; round++) {
      await expect(send('{"failed":1}')).rejects.toMatchObject({
        failure: 'down',
        code: 'ENOTDIR',
      });
    }
    rmSync(year);
    expect(await send('{"after":1}')).toEqual([]);
    expect(readArchive(dir)).toEqual(['{"after":1}']);
  });
});

test('a file whose name cannot be changed is recovered by the next start', async () => {
  await open();
  await send('{"a":1}');
  const [file] = archiveFiles(dir);
  const inTheWay = join(dir, file!.slice(0, -'.open'.length));
  mkdirSync(inTheWay);
  await sink!.close();
  expect(logged).toEqual([expect.stringContaining('cannot finish a file of the archive')]);
  rmSync(inTheWay, { recursive: true });
  await open();
  expect(archiveFiles(dir)).toEqual([file!.slice(0, -'.open'.length)]);
  expect(readArchive(dir)).toEqual(['{"a":1}']);
});

describe('a directory that cannot be used stops the start', () => {
  const start = async (path: string) => {
    await expect(openDirectorySink({ dir: path, retentionMs: undefined, log })).rejects.toThrow(ConfigError);
    return await openDirectorySink({ dir: path, retentionMs: undefined, log }).catch(
      (error: unknown) => (error as Error).message,
    );
  };

  test('a file', async () => {
    const path = join(dir, 'file');
    writeFileSync(path, '');
    expect(await start(path)).toMatch(
      /^--archive-dir \(ARCHIVE_DIR\): cannot use .*\/file as the archive: ENOTDIR.*; make .* a directory/,
    );
  });

  test('below a file', async () => {
    writeFileSync(join(dir, 'file'), '');
    expect(await start(join(dir, 'file', 'archive'))).toMatch(/ENOTDIR.*, or name another directory$/);
  });

  test('a link to nowhere', async () => {
    symlinkSync(join(dir, 'nowhere', 'deep'), join(dir, 'link'));
    expect(await start(join(dir, 'link'))).toMatch(/^--archive-dir \(ARCHIVE_DIR\)/);
  });

  test.each(['missing', 'there'])('no permission, where it is %s', async (state) => {
    const path = join(dir, 'archive');
    if (state === 'there') mkdirSync(path);
    chmodSync(state === 'there' ? path : dir, 0o555);
    if (state === 'there') chmodSync(dir, 0o755);
    // Root may do everything, so another user has to try.
    const writer = await startWriter(path, process.geteuid?.() === 0 ? NOBODY : undefined);
    expect(writer.greeting).toMatch(
      /^refused --archive-dir \(ARCHIVE_DIR\): .*EACCES.*give the adapter's user read, write and search permission/,
    );
    chmodSync(dir, 0o755);
  });
});

const NOBODY = 65_534;
