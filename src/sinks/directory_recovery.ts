import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { FILE_SUFFIX, MEMBER_HEADER_BYTES, memberLength, OPEN_SUFFIX } from '../archive.ts';
import { codeOf } from '../errors.ts';
import { syncFolder } from '../folders.ts';
import type { Log } from '../log.ts';
import { hourFolders } from './directory_folders.ts';

/** Added to a file's final name for what is cut off it and could be more than an unacknowledged end. */
export const DAMAGED_SUFFIX = '.damaged';

/** Bounds the memory: eight times what a batch holds, so a member that claims more, compressed or not, is none. */
const MAX_MEMBER_BYTES = 64 * 1024 ** 2;
const CHUNK_BYTES = 256 * 1024;
/** CRC-32 and length; the members of this program are never empty, so eight zero bytes are no trailer. RFC 1952 §2.3.1. */
const MEMBER_TRAILER_BYTES = 8;

const gunzipAsync = promisify(gunzip);

interface Recovered {
  readonly outcome: 'finished' | 'removed';
  readonly cutBytes: number;
  readonly damagedBytes: number;
}

/**
 * Finishes the files that a killed process left open: what stands behind the last whole member was never acknowledged and is cut off.
 * A file that cannot be recovered is logged and stays as it is; its whole members can be read all the same.
 */
export async function recoverOpenFiles(dir: string, log: Log): Promise<void> {
  let files = 0;
  let removedFiles = 0;
  let cutBytes = 0;
  let damagedBytes = 0;
  for await (const folder of hourFolders(dir, Infinity, log)) {
    for (const name of await openFiles(join(dir, folder), log)) {
      const path = join(dir, folder, name);
      try {
        const recovered = await recoverFile(path, log);
        files++;
        removedFiles += recovered.outcome === 'removed' ? 1 : 0;
        cutBytes += recovered.cutBytes;
        damagedBytes += recovered.damagedBytes;
      } catch (error) {
        log.warn({ file: path, error }, 'cannot recover a file that was left open');
      }
    }
  }
  if (files > 0) log.info({ files, removedFiles, cutBytes, damagedBytes }, 'recovered files that were left open');
}

async function openFiles(path: string, log: Log): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => name.endsWith(FILE_SUFFIX + OPEN_SUFFIX));
  } catch (error) {
    log.warn({ folder: path, error }, 'cannot read a folder of the archive');
    return [];
  }
}

async function recoverFile(openPath: string, log: Log): Promise<Recovered> {
  const path = openPath.slice(0, -OPEN_SUFFIX.length);
  if (await exists(path)) throw new Error(`${basename(path)} is there too`);
  const handle = await open(openPath, 'r+');
  try {
    const { size } = await handle.stat();
    const good = await wholeMembers(handle, size);
    const isDamaged = good < size && !(await isTorn(handle, good, size));
    if (isDamaged) {
      await setAside(handle, good, path + DAMAGED_SUFFIX);
      log.warn(
        { file: path, bytes: size - good, kept: path + DAMAGED_SUFFIX },
        'a file of the archive is damaged; its end is set aside',
      );
    }
    if (good === 0) {
      await unlink(openPath);
    } else {
      if (good < size) await handle.truncate(good);
      // What the killed process wrote last may be in memory only, and a finished file is whole.
      await handle.sync();
      await rename(openPath, path);
    }
    await syncFolder(dirname(path));
    return {
      outcome: good === 0 ? 'removed' : 'finished',
      cutBytes: isDamaged ? 0 : size - good,
      damagedBytes: isDamaged ? size - good : 0,
    };
  } finally {
    await handle.close();
  }
}

/** Where the whole members that stand from the start of the file end. Each is inflated, which checks its CRC. */
async function wholeMembers(handle: FileHandle, size: number): Promise<number> {
  let end = 0;
  for (;;) {
    const length = memberLength(await read(handle, end, MEMBER_HEADER_BYTES));
    if (length === undefined || length > MAX_MEMBER_BYTES || end + length > size) return end;
    try {
      await gunzipAsync(await read(handle, end, length), { maxOutputLength: MAX_MEMBER_BYTES });
    } catch {
      return end;
    }
    end += length;
  }
}

/**
 * Whether the end of a file is what a write that never finished leaves: the start of one member, or zeros where the file grew before
 * its data came to the disk. Anything else, and anything that more members follow, may have been acknowledged once.
 */
async function isTorn(handle: FileHandle, start: number, size: number): Promise<boolean> {
  if (size - start < MEMBER_HEADER_BYTES) return true;
  if (await hasHeader(handle, start + 1, size)) return false;
  const trailer = await read(handle, size - MEMBER_TRAILER_BYTES, MEMBER_TRAILER_BYTES);
  if (trailer.every((byte) => byte === 0)) return true;
  const length = memberLength(await read(handle, start, MEMBER_HEADER_BYTES));
  return length !== undefined && start + length > size;
}

/** Whether a member's header stands somewhere in a file from an offset on. */
async function hasHeader(handle: FileHandle, from: number, size: number): Promise<boolean> {
  // Chunks overlap by a header less one byte, so that none is missed on a border.
  for (let start = from; start < size; start += CHUNK_BYTES - MEMBER_HEADER_BYTES + 1) {
    const chunk = await read(handle, start, CHUNK_BYTES);
    for (let at = chunk.indexOf(0x1f); at !== -1; at = chunk.indexOf(0x1f, at + 1)) {
      if (memberLength(chunk, at) !== undefined) return true;
    }
  }
  return false;
}

/** Copies a file's end to a file of its own, which is safe when this resolves. */
async function setAside(handle: FileHandle, from: number, path: string): Promise<void> {
  const copy = await open(path, 'w');
  try {
    for (let offset = from; ; offset += CHUNK_BYTES) {
      const chunk = await read(handle, offset, CHUNK_BYTES);
      if (chunk.length === 0) break;
      await copy.writeFile(chunk);
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  await syncFolder(dirname(path));
}

/** The bytes at an offset, fewer where the file ends before. */
async function read(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
