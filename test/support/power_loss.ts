import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { fileHandlePrototype } from './file_handle.ts';

/** What a power failure leaves of bytes that were written and not synced. */
export type Unsynced = 'lost' | 'zeros';

/**
 * Remembers what was synced, of files their bytes and of folders their names, and can lay down what a disk holds that kept nothing else:
 * kill -9 does not show a missing fsync, because the kernel goes on writing. Linux; ends with vi.restoreAllMocks().
 */
export class PowerLoss {
  /** Bytes of the files and names in the folders, by what `identity` says. */
  readonly #files = new Map<string, Buffer>();
  readonly #folders = new Map<string, Map<string, string>>();

  /** @param onSync is called after each sync of a file or folder */
  static async watch(onSync: () => void): Promise<PowerLoss> {
    const disk = new PowerLoss();
    const prototype = await fileHandlePrototype();
    for (const method of ['sync', 'datasync'] as const) {
      const original: (this: FileHandle) => Promise<void> = Reflect.get(prototype, method);
      vi.spyOn(prototype, method).mockImplementation(async function (this: FileHandle) {
        // What the file holds when the call is made is safe when it ends.
        const remember = disk.#look(this);
        await original.call(this);
        remember();
        onSync();
      });
    }
    return disk;
  }

  #look(handle: FileHandle): () => void {
    const path = readlinkSync(`/proc/self/fd/${handle.fd}`);
    const key = identity(path);
    if (!lstatSync(path).isDirectory()) {
      const bytes = readFileSync(path);
      return () => this.#files.set(key, bytes);
    }
    const names = new Map(readdirSync(path).map((name) => [name, identity(join(path, name))]));
    return () => this.#folders.set(key, names);
  }

  /** Lays down in `to` what is left of the folder `from`, whose own name is taken to be safe. */
  lay(from: string, to: string, unsynced: Unsynced): void {
    const sizes = new Map<string, number>();
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      // A name may change while this looks.
      const size = lstatSync(path, { throwIfNoEntry: false })?.size;
      if (size !== undefined) sizes.set(identity(path), size);
    }
    const layFolder = (key: string, path: string): void => {
      mkdirSync(path, { recursive: true });
      for (const [name, child] of this.#folders.get(key) ?? []) {
        const [kind] = child.split(' ');
        if (kind === 'folder') layFolder(child, join(path, name));
        else if (kind === 'file') layFile(child, join(path, name));
      }
    };
    const layFile = (key: string, path: string): void => {
      const bytes = this.#files.get(key) ?? Buffer.alloc(0);
      const zeros = unsynced === 'zeros' ? Math.max(0, (sizes.get(key) ?? 0) - bytes.length) : 0;
      writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(zeros)]));
    };
    layFolder(identity(from), to);
  }
}

/** What a path leads to, whatever it is called: a number that was used before is told by the time of its birth. */
function identity(path: string): string {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return 'nothing';
  const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
  return `${kind} ${stat.ino} ${stat.birthtimeNs}`;
}
