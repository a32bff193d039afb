import { expect, test } from 'vitest';
import { encodeSeries } from '../../support/encoded_series.ts';
import { KernelAndAlone } from '../../support/kernel_and_alone.ts';
import { seeded } from '../../support/seeded.ts';

const SAMPLES = 200;

test.each([1, 2] as const)('numbers of every magnitude, of few digits and of all: version %d', (version) => {
  const both = new KernelAndAlone();
  const random = seeded(version);
  for (let power = -9; power <= 23; power++) {
    const least = Number(`1e${power}`);
    const values = Array.from({ length: SAMPLES }, (_, index) => {
      const value = least * (1 + 9 * random());
      return index % 2 === 0 ? value : Number(value.toPrecision(1 + (index % 17)));
    });
    const series = [values, values.map((value) => -value), values.map((value) => Math.round(value))];
    both.expectSame(
      encodeSeries(
        version,
        series.map((own) => ({ labels: [['__name__', 'up']], values: own })),
      ),
      { version },
    );
    expect(both.kernel.takenLines).toBe(3 * SAMPLES);
  }
});
