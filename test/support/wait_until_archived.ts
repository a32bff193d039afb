import { setTimeout as sleep } from 'node:timers/promises';
import type { Prometheus, Receiver } from './prometheus.ts';

const SETTLE_MS = 20_000;

/**
 * Waits until a receiver has acknowledged all up to a time and it is there to be read. What is missing for longer than that is for the tests
 * to say.
 */
export async function waitUntilArchived(
  prometheus: Prometheus,
  receiver: Receiver,
  { toMs, countMissing }: { readonly toMs: number; readonly countMissing: () => number | Promise<number> },
): Promise<void> {
  await prometheus.waitUntilSent(receiver, toMs);
  const deadline = performance.now() + SETTLE_MS;
  while ((await countMissing()) > 0 && performance.now() < deadline) await sleep(500);
  // Prometheus tells times by the second only; and what came last may be there to be read before it is acknowledged.
  await prometheus.waitUntilSent(receiver, toMs);
}
