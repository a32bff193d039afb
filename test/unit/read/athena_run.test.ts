import { expect, test } from 'vitest';
import { pollAfterMs } from '../../../src/read/athena_run.ts';

test.each([
  [0, 200],
  [2_000, 200],
  [2_500, 250],
  [30_000, 3_000],
  [50_000, 5_000],
  [3_600_000, 5_000],
])('after %d ms the next look is %d ms later', (elapsedMs, afterMs) => {
  expect(pollAfterMs(elapsedMs)).toBe(afterMs);
});
