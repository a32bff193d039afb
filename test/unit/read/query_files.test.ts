import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMPACTED_FOLDER, DAYS_END_MS } from '../../../src/archive.ts';
import { writeManifest, type Manifest } from '../../../src/read/manifest.ts';
import { chooseMetadata, choosePartitions, listQueryFiles } from '../../../src/read/query_files.ts';
import type { TimeRange } from '../../../src/read/query_options.ts';
import { temporaryDir } from '../../support/archive.ts';
import { writeArchiveFile } from '../../support/query_archive.ts';

const day = {
  run: 'r',
  samples: ['s.parquet'],
  minusZeros: ['z.parquet'],
  others: ['o.parquet'],
  sha256: Object.fromEntries(['s', 'z', 'o'].map((name) => [`${name}.parquet`, '0'.repeat(64)])),
};
const DAYS = ['2026-11-18', '2026-11-19', '2026-11-20', 'other'];
const manifest: Manifest = {
  hours: new Map([
    [
      '2026/11/20/10',
      new Map([
        ['a.json.gz', 7],
        ['c.json.gz', 8],
      ]),
    ],
  ]),
  days: new Map(DAYS.map((name) => [name, day])),
  garbage: new Set(['day=other/run=old']),
};

const at = (days: number, hours = 0, ms = 0) => Date.UTC(2026, 10, days, hours) + ms;
/** The last digits of the days whose files are chosen. */
const daysOf = (paths: readonly string[]) =>
  [...new Set(paths.map((path) => /^day=(.*)\/run=r\//.exec(path)![1]!.slice(-2)))].join(' ');

describe('the partitions', () => {
  test.each<[string, Partial<TimeRange>, string]>([
    ['all times', {}, '18 19 20 er'],
    ['a day', { fromMs: at(19), toMs: at(20) }, '19'],
    ['a moment', { fromMs: at(19, 12), toMs: at(19, 12, 1) }, '19'],
    ['over midnight', { fromMs: at(19, 0, -1), toMs: at(19, 0, 1) }, '18 19'],
    ['from a time on', { fromMs: at(19, 24, -1) }, '19 20 er'],
    ['up to a time', { toMs: at(19) }, '18 er'],
    ['before 1970', { toMs: 0 }, 'er'],
    ['since 1970 up to now', { fromMs: 0, toMs: at(21) }, '18 19 20'],
    ['before 1970 up to now', { fromMs: -1, toMs: at(19) }, '18 er'],
    ['after the days', { fromMs: DAYS_END_MS }, 'er'],
    ['until the end of the days', { fromMs: at(30), toMs: DAYS_END_MS }, ''],
    ['until behind the days', { fromMs: at(30), toMs: DAYS_END_MS + 1 }, 'er'],
  ])('that can hold %s', (_, { fromMs, toMs }, expected) => {
    expect(daysOf(choosePartitions(manifest, { fromMs, toMs }))).toBe(expected);
  });

  test('have all their files chosen', () => {
    const paths = choosePartitions(manifest, { fromMs: at(19), toMs: at(20) });
    expect(paths).toEqual(['s', 'z', 'o'].map((name) => `day=2026-11-19/run=r/${name}.parquet`));
  });

  test.each<[string, number | undefined, string]>([
    ['all', undefined, '18 19 20 er'],
    ['from a time on, by its arrival an hour before and a day for clocks', at(20, 1), '19 20 er'],
    ['the same, where the hour before is of the day before', at(20, 0, 30), '18 19 20 er'],
  ])('that can hold metadata: %s', (_, fromMs, expected) => {
    const paths = chooseMetadata(manifest, fromMs);
    expect(daysOf(paths)).toBe(expected);
    expect(paths.every((path) => path.endsWith('/o.parquet'))).toBe(true);
  });
});

test('what is compacted is read from Parquet, and the rest as it came', async () => {
  const archiveDir = temporaryDir();
  for (const path of ['20/10/a', '20/10/b', '20/11/a']) writeArchiveFile(archiveDir, `2026/11/${path}.json.gz`, []);
  // Under the name that it will have it is compacted already.
  writeArchiveFile(archiveDir, '2026/11/20/10/c.json.gz.open', [['{}\n']]);
  const compacted = join(archiveDir, COMPACTED_FOLDER);
  for (const path of choosePartitions(manifest, { fromMs: undefined, toMs: undefined })) {
    mkdirSync(dirname(join(compacted, path)), { recursive: true });
    writeFileSync(join(compacted, path), '');
  }
  await writeManifest(archiveDir, manifest);
  const list = (range: Partial<TimeRange>) =>
    listQueryFiles({
      archiveDir,
      snapshotDir: join(temporaryDir(), 'open'),
      range: { fromMs: undefined, toMs: undefined, ...range },
      signal: new AbortController().signal,
    });
  const { paths, files } = await list({});
  expect(paths.json).toEqual(['10/b', '11/a'].map((path) => join(archiveDir, `2026/11/20/${path}.json.gz`)));
  expect(paths.parquet).toHaveLength(3 * DAYS.length);
  expect(paths.metadata.parquet).toHaveLength(DAYS.length);
  expect(files.map(({ path }) => path)).toEqual([...paths.json, ...paths.parquet]);
  expect((await list({ fromMs: at(20, 9) })).paths.metadata.fromHour).toBe('2026/11/20/08');

  const lost = join(compacted, 'day=2026-11-19/run=r/z.parquet');
  rmSync(lost);
  await expect(list({})).rejects.toThrow(
    `${lost} is missing, which ${join(compacted, 'manifest.json')} names: restore`,
  );
  expect((await list({ fromMs: at(20), toMs: at(21) })).paths.parquet).toHaveLength(3);
});
