import { describe, expect, test } from 'vitest';
import type { LabelLimits } from '../../../src/wire/label_column.ts';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { plainRequestV1, plainRequestV2 } from '../../support/plain_requests.ts';
import { below, pick, type Random } from '../../support/plain_series.ts';
import { forTries, timeoutOf } from '../../support/tries.ts';

const MAX_TIMES = [undefined, undefined, undefined, 0, 999_999_999, 1_700_050_000_000, 2 ** 53 - 1];
const TRIES = 500;

function labelLimits(random: Random): LabelLimits {
  const most = (typical: number) => (random() < 0.5 ? Infinity : 1 + below(random, typical));
  return { maxLabels: most(8), maxNameBytes: most(40), maxValueBytes: most(60) };
}

describe.each([
  [1 as const, plainRequestV1],
  [2 as const, plainRequestV2],
])('plain requests of version %d', (version, plainRequest) => {
  test(
    'become what the oracle makes of them, and the kernel takes what is for it, neither more nor less',
    () => {
      const both = new KernelAndAlone();
      let lines = 0;
      forTries(TRIES, (random) => {
        const maxTimeMs = pick(random, MAX_TIMES);
        const { bytes, takenLines } = plainRequest(random, maxTimeMs);
        both.expectSame(bytes, { version, maxTimeMs });
        expect(both.kernel.takenLines, 'lines of the kernel').toBe(takenLines);
        lines += takenLines;
      });
      expect(lines).toBeGreaterThan(TRIES);
    },
    timeoutOf(TRIES),
  );

  test(
    'with short lines only, damaged or cut',
    () => {
      const both = new KernelAndAlone();
      let lines = 0;
      forTries(TRIES, (random) => {
        const request = plainRequest(random).bytes;
        const bytes = request.slice(0, random() < 0.2 ? below(random, request.length) : request.length);
        const flips = bytes.length === 0 ? 0 : below(random, 4);
        for (let flip = 0; flip < flips; flip++) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
        const maxLineBytes = random() < 0.5 ? undefined : 60 + below(random, 400);
        const given = { version, ...(maxLineBytes !== undefined && { maxLineBytes }) };
        both.expectSame(bytes, random() < 0.5 ? given : { ...given, labelLimits: labelLimits(random) });
        lines += both.kernel.takenLines;
      });
      expect(lines).toBeGreaterThan(TRIES / 4);
    },
    timeoutOf(TRIES),
  );
});
