import { createWriteStream } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MEMBER_HEADER_BYTES, memberLength } from '../archive.ts';

/** `empty` has no whole member yet, and no copy; `gone` was renamed or removed before it could be opened. */
export type SnapshotOutcome = 'copied' | 'empty' | 'gone';

/**
 * Copies a file that a server may be writing, up to its last whole member. What stands behind that was never acknowledged, and a reader
 * that met it would fail on half a line.
 *
 * @throws the file system's error
 */
export async function snapshot(source: string, target: string): Promise<SnapshotOutcome> {
  const handle = await openIfThere(source);
  if (handle === undefined) return 'gone';
  // From here on it is no matter what the server does with the name.
  try {
    const length = await wholeMembersLength(handle);
    if (length === 0) return 'empty';
    await mkdir(dirname(target), { recursive: true });
    await pipeline(handle.createReadStream({ start: 0, end: length - 1, autoClose: false }), createWriteStream(target));
    return 'copied';
  } finally {
    await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bytes from the file's start to the end of the last member that is wholly there. */
async function wholeMembersLength(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const header = Buffer.alloc(MEMBER_HEADER_BYTES);
  let end = 0;
  for (;;) {
    const { bytesRead } = await handle.read(header, 0, MEMBER_HEADER_BYTES, end);
    const length = memberLength(header.subarray(0, bytesRead));
    if (length === undefined || end + length > size) return end;
    end += length;
  }
}
