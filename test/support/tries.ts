import { seeded } from './seeded.ts';
import type { Random } from './plain_series.ts';

/** For a long run: KERNEL_TRIES=200000 KERNEL_SEED=5 npx vitest run test/unit/kernel */
const TRIES = Number(process.env['KERNEL_TRIES'] ?? 0);
const SEED = Number(process.env['KERNEL_SEED'] ?? 1);

/** So long a test may take that tries so often. */
export function timeoutOf(tries: number): number {
  return 30_000 + 20 * Math.max(tries, TRIES);
}

/** Calls `attempt` so often, or as often as the environment wants, each time with numbers of its own; a failure tells which. */
export function forTries(tries: number, attempt: (random: Random) => void): void {
  for (let index = 0; index < (TRIES || tries); index++) {
    try {
      attempt(seeded(SEED * 1_000_003 + index));
    } catch (error) {
      throw new Error(`KERNEL_SEED=${SEED}, try ${index}`, { cause: error });
    }
  }
}
