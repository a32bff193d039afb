import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../../support/archive.ts';

const HOOK = new URL('./forgetful_disk_hook.mjs', import.meta.url).href;

/** What a power failure leaves of bytes that were written and not synced: none of them, zeros in their place, or the first half of them. */
export type Unsynced = 'lost' | 'zeros' | 'half';

/**
 * A disk that keeps only what was synced, below the program as a whole: kill -9 alone does not show a missing fsync, because the kernel goes on
 * writing. The program runs with the hook in its environment; after kill -9, `crash` puts in the folder's place what such a disk holds. Linux.
 */
export class ForgetfulDisk {
  /** The folder that is the disk; its own name is taken to be safe. */
  readonly folder: string;
  readonly #kept: string;

  /** @param work an empty folder for the disk and what is remembered of it */
  constructor(work: string) {
    this.folder = join(work, 'disk');
    this.#kept = join(work, 'kept');
    mkdirSync(this.folder);
    this.#keepAll();
  }

  /** For the program's environment. @param forgets whose syncs do nothing, to see what a program loses that forgets them */
  environment(forgets?: 'files' | 'folders'): Record<string, string> {
    return {
      NODE_OPTIONS: `--import=${HOOK}`,
      FORGETFUL_DISK_KEPT: this.#kept,
      ...(forgets && { FORGETFUL_DISK_FORGETS: forgets }),
    };
  }

  /**
   * The power fails, and comes back. No program may be writing.
   *
   * @returns whether anything was lost of what the disk seemed to hold
   */
  crash(unsynced: Unsynced): boolean {
    const laid = `${this.folder}.laid`;
    this.#layFolder(identity(this.folder), laid, this.#reader(unsynced));
    const hasForgotten = contentOf(laid) !== contentOf(this.folder);
    rmSync(this.folder, { recursive: true });
    renameSync(laid, this.folder);
    this.#keepAll();
    return hasForgotten;
  }

  /** All that is on the disk is safe. */
  #keepAll(): void {
    rmSync(this.#kept, { recursive: true, force: true });
    mkdirSync(this.#kept);
    const keep = (path: string): void => {
      const target = join(this.#kept, identity(path));
      const stat = lstatSync(path);
      if (stat.isFile()) copyFileSync(path, target);
      if (!stat.isDirectory()) return;
      const names = readdirSync(path);
      writeFileSync(
        target,
        JSON.stringify(Object.fromEntries(names.map((name) => [name, identity(join(path, name))]))),
      );
      for (const name of names) keep(join(path, name));
    };
    keep(this.folder);
  }

  #layFolder(key: string, path: string, bytesOf: (key: string) => Buffer): void {
    mkdirSync(path);
    const listing = join(this.#kept, key);
    if (!existsSync(listing)) return;
    const names = JSON.parse(readFileSync(listing, 'utf8')) as Record<string, string>;
    for (const [name, child] of Object.entries(names)) {
      if (child.startsWith('folder-')) this.#layFolder(child, join(path, name), bytesOf);
      else if (child.startsWith('file-')) writeFileSync(join(path, name), bytesOf(child));
    }
  }

  /** What is left of a file. */
  #reader(unsynced: Unsynced): (key: string) => Buffer {
    const paths = new Map<string, string>();
    for (const entry of readdirSync(this.folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) paths.set(identity(path), path);
    }
    return (key) => {
      const kept = join(this.#kept, key);
      const safe = existsSync(kept) ? readFileSync(kept) : Buffer.alloc(0);
      const path = paths.get(key);
      const rest = path === undefined ? Buffer.alloc(0) : readFileSync(path).subarray(safe.length);
      switch (unsynced) {
        case 'lost':
          return safe;
        case 'zeros':
          return Buffer.concat([safe, Buffer.alloc(rest.length)]);
        case 'half':
          return Buffer.concat([safe, rest.subarray(0, rest.length / 2)]);
      }
    };
  }
}

/** The names of the files below a folder, each with a hash of its bytes. */
function contentOf(folder: string): string {
  const hash = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex');
  return JSON.stringify(
    filesBelow(folder)
      .filter((path) => !path.endsWith('.sock'))
      .map((path) => [path, hash(path)]),
  );
}

/** What a path leads to, whatever it is called: a number that was used before is told by the time of its birth. */
function identity(path: string): string {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return 'nothing';
  const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
  return `${kind}-${stat.ino}-${stat.birthtimeNs}`;
}
