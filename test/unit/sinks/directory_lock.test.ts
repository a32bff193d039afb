import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { openDirectorySink } from '../../../src/sinks/directory.ts';
import type { Sink } from '../../../src/sinks/sink.ts';
import { filesBelow, readArchive, temporaryDir } from '../../support/archive.ts';
import { systemError, withNext } from '../../support/file_handle.ts';
import { batchOf } from '../../support/lines.ts';
import { startWriter } from '../../support/writer_process.ts';

const logged: string[] = [];
const log = createLog({ level: 'warn', format: 'logfmt', write: (line) => logged.push(line) });

let dir: string;

beforeEach(() => {
  dir = temporaryDir();
  logged.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
});

const open = (path = dir): Promise<Sink> => openDirectorySink({ dir: path, retentionMs: undefined, log });
const sockets = (path = dir): string[] => filesBelow(path).filter((name) => name.endsWith('.sock'));

/** A socket's file that nobody listens on, as a killed process leaves it. */
async function leaveSocket(name: string): Promise<void> {
  const server = createServer().listen(join(dir, 'live.sock'));
  await once(server, 'listening');
  // libuv removes the name that it was bound to; another name for it stays.
  linkSync(join(dir, 'live.sock'), join(dir, name));
  server.close();
  await once(server, 'close');
}

test('a second writer is refused, in this process and in another, and disturbs nothing', async () => {
  const sink = await open();
  await sink.send(batchOf(['{"a":1}']), new AbortController().signal);
  const before = filesBelow(dir);
  for (let round = 0; round < 2; round++) {
    await expect(open()).rejects.toThrow(ConfigError);
    await expect(open()).rejects.toThrow(
      /^--archive-dir \(ARCHIVE_DIR\): another process writes into .* already; end it/,
    );
  }
  const other = await startWriter(dir);
  expect(other.greeting).toMatch(/^refused --archive-dir \(ARCHIVE_DIR\): another process writes into/);
  expect(filesBelow(dir)).toEqual(before);
  await sink.send(batchOf(['{"b":1}']), new AbortController().signal);
  await sink.close();
  expect(readArchive(dir)).toEqual(['{"a":1}', '{"b":1}']);
  expect(sockets()).toEqual([]);
  const next = await open();
  await next.close();
});

test('a writer that is killed with -9 does not block the next one', async () => {
  const writer = await startWriter(dir);
  expect(writer.greeting).toBe('open');
  await expect(open()).rejects.toThrow(ConfigError);
  await writer.kill();
  expect(sockets()).toEqual(['.writer-1.sock']);
  const sink = await open();
  expect(sockets()).toEqual(['.writer-2.sock']);
  await sink.close();
  expect(sockets()).toEqual([]);
});

test('many dead sockets, and files that are none, are cleared away', async () => {
  for (const number of [1, 2, 17]) await leaveSocket(`.writer-${number}.sock`);
  writeFileSync(join(dir, '.writer-18.sock'), 'no socket');
  writeFileSync(join(dir, '.writer-x.sock'), 'not ours');
  const sink = await open();
  expect(sockets()).toEqual(['.writer-19.sock', '.writer-x.sock']);
  await expect(open()).rejects.toThrow(ConfigError);
  await sink.close();
});

test('of many that start at once over a dead socket exactly one writes', async () => {
  for (let round = 0; round < 20; round++) {
    if (round % 2 === 0) await leaveSocket('.writer-1.sock');
    const opened = await Promise.allSettled(Array.from({ length: 8 }, () => open()));
    const sinks = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(sinks.length).toBe(1);
    expect(sockets().length).toBe(1);
    await sinks[0]!.close();
  }
});

test('a living socket that was overlooked at first is seen in time', async () => {
  const sink = await open();
  await withNext(
    'readdir',
    () => Promise.resolve([]),
    async () => {
      // The first look finds nothing; another number than the living one is free.
      renameSync(join(dir, '.writer-1.sock'), join(dir, '.writer-5.sock'));
      await expect(open()).rejects.toThrow(/another process writes into/);
    },
  );
  expect(sockets()).toEqual(['.writer-5.sock']);
  renameSync(join(dir, '.writer-5.sock'), join(dir, '.writer-1.sock'));
  await sink.close();
  expect(sockets()).toEqual([]);
});

test('two paths of one directory are one', async () => {
  mkdirSync(join(dir, 'real'));
  symlinkSync(join(dir, 'real'), join(dir, 'link'));
  const sink = await open(join(dir, 'real'));
  await expect(open(join(dir, 'link'))).rejects.toThrow(ConfigError);
  await sink.close();
});

test.skipIf(process.platform !== 'linux')('a path that is too long for a socket is locked all the same', async () => {
  const long = join(dir, 'directory'.repeat(20), 'directory'.repeat(20));
  const sink = await open(long);
  expect(sockets(long)).toEqual(['.writer-1.sock']);
  await expect(open(long)).rejects.toThrow(ConfigError);
  await sink.send(batchOf(['{"a":1}']), new AbortController().signal);
  await sink.close();
  expect(sockets(long)).toEqual([]);
  expect(readArchive(long)).toEqual(['{"a":1}']);

  const writer = await startWriter(long);
  await writer.kill();
  const next = await open(long);
  await next.close();
  expect(logged).toEqual([]);
});

test.each(['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EINVAL', 'EACCES'])(
  'a file system without sockets (%s) is used with a warning',
  async (code) => {
    vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server) {
      process.nextTick(() => this.emit('error', systemError(code)));
      return this;
    });
    const sink = await open();
    await sink.send(batchOf(['{"a":1}']), new AbortController().signal);
    await sink.close();
    expect(readArchive(dir)).toEqual(['{"a":1}']);
    expect(logged).toEqual([
      expect.stringMatching(
        /level=warn msg="cannot lock the archive directory.*make sure that no other process writes into it/,
      ),
    ]);
  },
);

test('a directory that goes with its socket does not disturb the end', async () => {
  const sink = await open();
  rmSync(dir, { recursive: true });
  await sink.close();
  expect(existsSync(dir)).toBe(false);
});
