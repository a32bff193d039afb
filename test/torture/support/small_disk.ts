import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../support/processes.ts';

const FILLER = '.filler';
const CHUNK = Buffer.alloc(64 * 1024);
const REMOUNT_MS = 30_000;

/** A real file system of a few MiB, in memory: `mount -t tmpfs`, which takes the rights to mount. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static mount(folder: string, mebibytes: number): SmallDisk {
    mkdirSync(folder, { recursive: true });
    const problem = tryMount(['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', folder]);
    if (problem !== undefined) throw new Error(problem);
    return new SmallDisk(folder);
  }

  /** Leaves not a byte of room. */
  fill(): void {
    const file = openSync(join(this.folder, FILLER), 'a');
    try {
      for (let size = CHUNK.length; size >= 1; size = Math.floor(size / 2)) fillWith(file, CHUNK.subarray(0, size));
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back. */
  free(): void {
    rmSync(join(this.folder, FILLER));
  }

  /** Waits for a moment at which no file is open for writing, as the kernel wants it. */
  async remount(as: 'ro' | 'rw'): Promise<void> {
    let problem: string | undefined;
    await waitFor(
      () => {
        problem = tryMount(['-o', `remount,${as}`, this.folder]);
        return problem === undefined;
      },
      { timeoutMs: REMOUNT_MS, what: () => `the disk to become ${as}: ${problem}` },
    );
  }

  unmount(): void {
    // What still is open goes with its process.
    spawnSync('umount', ['--lazy', this.folder]);
  }
}

/** Why tests with a small disk are skipped, said plainly; undefined where one can be mounted. */
export function reasonNotToMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    SmallDisk.mount(folder, 1).unmount();
    return undefined;
  } catch (error) {
    const reason = `no file system can be mounted here: ${String(error)}`;
    console.warn(`SKIPPED: the torture of the disk: ${reason}`);
    return reason;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fillWith(file: number, bytes: Uint8Array): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function tryMount(args: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : stderr.trim();
}
