import { vi } from 'vitest';

/** Waits until a check passes; a busy machine may take its time. */
export async function eventually(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000 });
}
