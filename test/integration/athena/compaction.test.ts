import { describe, expect, test } from 'vitest';
import { asSet, compact, Expected, hourOf, lakeOf, rowsOf, VIEWS } from '../../support/compaction.ts';
import type { FakeLake } from '../../support/fake_lake.ts';
import { arrivals } from '../../support/lake_archive.ts';
import { sampleLine } from '../../support/query_archive.ts';

/** Compaction changes no answer but that of copies one remains: not before, not while it runs, not when it is killed, not after. */

const NOW = '2026-12-01T00:00:00.000Z';
/** Days of arrival with a gap between them; the last one is too young. */
const HOURS = ['2026/11/18/23', '2026/11/19/00', '2026/11/19/12', '2026/11/21/05', '2026/11/28/07'];
const COMPACTED = '2026/11/22/00';

/**
 * While a day is compacted, a sample that was compacted before may have the start or the bits of a copy that comes with this day, which
 * only samples_raw shows.
 */
function withoutMerged(rows: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>>[] {
  return rows.map((row) => (row['kind'] === 'NULL' ? { ...row, start: '', bits: '' } : row));
}

async function mustAnswerRight(lake: FakeLake, expected: Expected, step: string): Promise<void> {
  for (const view of lake.views.keys()) {
    const hour = hourOf(lake, view);
    const rows = asSet(withoutMerged(await rowsOf(lake, view)));
    expect({ step, view, hour, rows }).toEqual({
      step,
      view,
      hour,
      rows: asSet(withoutMerged(await expected.rows(view, hour))),
    });
  }
}

async function mustBeCompacted(lake: FakeLake, expected: Expected, views: readonly string[] = VIEWS): Promise<void> {
  for (const view of views) {
    expect(hourOf(lake, view)).toBe(COMPACTED);
    expect(asSet(await rowsOf(lake, view))).toEqual(asSet(await expected.rows(view, COMPACTED)));
  }
  expect(lake.catalog.table('compacted').properties['compacted_before']).toBe(COMPACTED);
}

test('a zero keeps its sign', async () => {
  const lake = await lakeOf(new Map([['2026/11/21/00', [sampleLine('x', 0, { value: -0 }), sampleLine('y', 0)]]]));
  await compact(lake, NOW);
  expect(await lake.query("SELECT value FROM samples WHERE name = 'x'")).toEqual([['value'], ['-0.0']]);
});

test.each([1, 2])('every view answers right after every statement: archive %i', { timeout: 120_000 }, async (seed) => {
  const lines = arrivals(seed, HOURS, 25);
  const [lake, expected] = [await lakeOf(lines), new Expected(lines)];
  const hours = new Set<string>();
  await compact(lake, NOW, async (resource, args) => {
    const answer = await lake.service(resource, args);
    if (resource.endsWith('.sync')) await mustAnswerRight(lake, expected, String(args['QueryString']));
    for (const view of lake.views.keys()) hours.add(hourOf(lake, view));
    return answer;
  });
  expect([...hours]).toEqual(['2000/01/01/00', '2026/11/19/00', '2026/11/20/00', COMPACTED]);
  await mustBeCompacted(lake, expected);
});

describe('once more', () => {
  test('a second run changes no row, file or partition', async () => {
    const lines = arrivals(3, HOURS, 25);
    const [lake, expected] = [await lakeOf(lines), new Expected(lines)];
    await compact(lake, NOW);
    const before = new Map(lake.catalog.table('compacted').partitions);
    await compact(lake, NOW);
    expect(lake.catalog.table('compacted').partitions).toEqual(before);
    await mustBeCompacted(lake, expected);
  });

  test('days that were done already are done again without harm', async () => {
    const lines = arrivals(4, HOURS, 25);
    const [lake, expected] = [await lakeOf(lines), new Expected(lines)];
    await compact(lake, NOW);
    lake.catalog.table('compacted').properties['compacted_before'] = '2000/01/01/00';
    await compact(lake, NOW);
    await mustBeCompacted(lake, expected);
  });
});

class Killed extends Error {}

test('killed after any step, the next run comes to the same', { timeout: 300_000 }, async () => {
  const at = Date.UTC(2026, 10, 21);
  const [old, late] = [sampleLine('x', at - 1), sampleLine('x', at - 2)];
  const lines = new Map([
    ['2026/11/20/23', [old, old]],
    ['2026/11/21/00', [old, late, sampleLine('x', at, { value: -0 })]],
  ]);
  const expected = new Expected(lines);
  let killed = true;
  let kills = 0;
  for (; killed; kills++) {
    killed = false;
    const lake = await lakeOf(lines);
    let steps = 0;
    const run = compact(lake, NOW, async (resource, args) => {
      const answer = await lake.service(resource, args);
      if (steps++ === kills) {
        killed = true;
        throw new Killed();
      }
      return answer;
    });
    await run.catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    await compact(lake, NOW);
    await mustBeCompacted(lake, expected, ['samples_raw', 'samples']);
  }
  // Three partitions, of which each takes nine steps and more.
  expect(kills).toBeGreaterThan(3 * 9);
});
