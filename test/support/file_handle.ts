import { promises } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { devNull } from 'node:os';
import { vi } from 'vitest';

/** What all file handles inherit from: a spy on one of its methods sees every file. */
export async function fileHandlePrototype(): Promise<FileHandle> {
  const handle = await open(devNull);
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

/** An error as node:fs throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** Runs a task while the next call of a function of node:fs/promises does something else. */
export async function withNext(
  name: 'readdir' | 'unlink',
  instead: () => Promise<unknown>,
  task: () => Promise<void>,
): Promise<void> {
  const spy = vi.spyOn(promises, name).mockImplementationOnce(instead as never);
  syncBuiltinESMExports();
  try {
    await task();
  } finally {
    spy.mockRestore();
    syncBuiltinESMExports();
  }
}

/** A call that is held back. */
export interface HeldCall {
  /** Resolves when the call is made. */
  readonly reached: Promise<void>;
  letGo(): void;
}

/** Holds the next call of a method back, as a disk that hangs does. */
export async function holdNext(method: 'datasync' | 'writev'): Promise<HeldCall> {
  const prototype = await fileHandlePrototype();
  const original = Reflect.get(prototype, method) as (...args: unknown[]) => Promise<never>;
  let reach!: () => void;
  let letGo!: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (letGo = resolve));
  vi.spyOn(prototype, method).mockImplementationOnce(async function (this: FileHandle, ...args: unknown[]) {
    reach();
    await released;
    return original.apply(this, args);
  });
  return { reached, letGo };
}
