import { randomUUID } from 'node:crypto';
import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileName, hourFolder, OPEN_SUFFIX } from '../archive.ts';
import { SinkError } from '../errors.ts';
import { makeFolder, syncFolder } from '../folders.ts';

/**
 * The file that is being written. It grows by whole groups of members only:
 *
 *     create ──> open ── append ──> open      what was appended is safe
 *                  │       └──────> broken    nothing of this group counts; only abandon() may follow
 *                  └── finish ────> finished  it has its final name; an empty one is gone
 *     broken ── abandon ──> finished with the groups before, or left to recovery under its open name
 */
export class ArchiveFile {
  /** The hour folder that it lies in. */
  readonly folder: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  /** Bytes of the groups that were appended. */
  #length = 0;

  private constructor(folder: string, path: string, handle: FileHandle) {
    this.folder = folder;
    this.#path = path;
    this.#handle = handle;
  }

  /** An empty file of this arrival time, whose name is safe already. */
  static async create(dir: string, timeMs: number): Promise<ArchiveFile> {
    const folder = hourFolder(timeMs);
    const path = join(dir, folder, fileName(timeMs, randomUUID()));
    await makeFolder(dir, dirname(path));
    const file = new ArchiveFile(folder, path, await open(path + OPEN_SUFFIX, 'wx'));
    try {
      await syncFolder(dirname(path));
      return file;
    } catch (error) {
      await file.abandon().catch(() => undefined);
      throw error;
    }
  }

  get length(): number {
    return this.#length;
  }

  get path(): string {
    return this.#path;
  }

  /** Writes a group of members and waits until they are safe on the disk. */
  async append(members: readonly Uint8Array[]): Promise<void> {
    const end = await writeAll(this.#handle, members, this.#length);
    // fdatasync writes the file's new length too: it is needed to read the data back.
    await this.#handle.datasync();
    if ((await this.#handle.stat()).nlink === 0) {
      throw new SinkError(
        'transient',
        `${this.#path}${OPEN_SUFFIX} was removed while it was being written, with all that it held`,
        {
          code: 'ENOENT',
        },
      );
    }
    this.#length = end;
  }

  /** Gives the file its final name, or removes an empty one. Also on an error the file is closed; it then keeps its open name. */
  async finish(): Promise<void> {
    try {
      if (this.#length === 0) {
        await unlink(this.#path + OPEN_SUFFIX);
        return;
      }
      await rename(this.#path + OPEN_SUFFIX, this.#path);
      await syncFolder(dirname(this.#path));
    } finally {
      await this.#handle.close();
    }
  }

  /**
   * Ends a file that could not be written to. Its bytes are not synced again: after a failed fsync the kernel may have dropped the pages
   * and count them as clean. What was appended before is safe; the rest is cut off.
   */
  async abandon(): Promise<void> {
    try {
      await this.#handle.truncate(this.#length);
    } catch (error) {
      await this.#handle.close();
      throw error;
    }
    await this.finish();
  }
}

/** Writes parts behind each other, however few bytes the kernel takes at once, and returns the position behind them. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<number> {
  let rest = [...parts];
  while (rest.length > 0) {
    let { bytesWritten: taken } = await handle.writev(rest, position);
    position += taken;
    const next = rest.findIndex((part) => {
      if (taken < part.length) return true;
      taken -= part.length;
      return false;
    });
    rest = next === -1 ? [] : [rest[next]!.subarray(taken), ...rest.slice(next + 1)];
  }
  return position;
}
