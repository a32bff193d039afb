import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { endProcesses } from './processes.ts';

/** A new empty folder for the tests of a file. After them their processes end, then all that `atEnd` was given is closed, and the folder goes. */
export function e2eDirectory(): {
  readonly directory: string;
  readonly atEnd: (close: () => Promise<void>) => void;
} {
  const directory = mkdtempSync(join(tmpdir(), 'e2e-'));
  const closers: (() => Promise<void>)[] = [];
  afterAll(async () => {
    await endProcesses();
    for (const close of closers) await close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { directory, atEnd: (close) => void closers.push(close) };
}
