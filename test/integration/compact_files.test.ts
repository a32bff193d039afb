import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMPACTED_FOLDER, parseRunFolder, runFolder, sampleDay } from '../../src/archive.ts';
import { Engine } from '../../src/read/duckdb.ts';
import { filesOf, readManifest } from '../../src/read/manifest.ts';
import { LINE_STORES } from '../../src/read/line_stores.ts';
import { writePartition } from '../../src/read/partition.ts';
import { stagedDays, stageFiles } from '../../src/read/staging.ts';
import { temporaryDir } from '../support/archive.ts';
import { athenaSql } from '../support/athena_sql.ts';
import { mixedLines, runCompact, spread, writeFiles } from '../support/compacted_archive.ts';
import { sampleLine, writeArchiveFile } from '../support/query_archive.ts';

/** What the Parquet files look like from outside. */

const HOURS = ['2026/11/20/00', '2026/11/20/09', '2026/11/21/05'];

async function openEngine(): Promise<Engine> {
  const { signal } = new AbortController();
  return Engine.open({ memoryLimitBytes: 512 * 1024 ** 2, spillDir: join(temporaryDir(), 'spill'), signal });
}

/** A type of Hive's as DuckDB names it. */
function duckdbType(hive: string): string {
  return hive
    .replaceAll('`', '"')
    .replaceAll(/struct<([^<>]*(?:<[^<>]*(?:<[^<>]*>)?[^<>]*>[^<>]*)*)>/g, (_, fields: string) => {
      return `STRUCT(${fields.replaceAll(/"(\w+)":/g, '"$1" ')})`;
    })
    .replaceAll('map<string,string>', 'MAP(VARCHAR, VARCHAR)')
    .replaceAll(/array<array<(\w+)>>/g, '$1[][]')
    .replaceAll(/array<(\w+)>/g, '$1[]')
    .replaceAll(/\bstring\b/g, 'VARCHAR')
    .replaceAll(/\bbigint\b/g, 'BIGINT')
    .replaceAll(/\bboolean\b/g, 'BOOLEAN')
    .replaceAll(/\bdouble\b/g, 'DOUBLE');
}

test("their columns and folders are those of Athena's table, and each is sorted by name, labels and time", async () => {
  const archiveDir = temporaryDir();
  writeFiles(archiveDir, spread(mixedLines(1, 40), HOURS, 1).all);
  await runCompact({ archiveDir });
  const { days } = await readManifest(archiveDir);
  const sql = athenaSql('compacted.sql');
  const [, columns] = /\(\n(.*?)\n\)\n/s.exec(sql)!;
  const engine = await openEngine();
  const expected = await engine.rows(
    `DESCRIBE SELECT ${columns!
      .split(',\n')
      .map((column) => /`(\w+)` (.*)/.exec(column)!)
      .map(([, name, type]) => `NULL::${duckdbType(type!)} AS "${name!}"`)
      .join(', ')}`,
  );
  expect(sql).toContain(`LOCATION 's3://BUCKET/${COMPACTED_FOLDER}/'`);
  expect(sql).toContain('PARTITIONED BY (`day` string)');
  let files = 0;
  for (const [day, partition] of days) {
    const folder = runFolder(day, partition.run);
    expect(folder).toMatch(/^day=(\d{4}-\d{2}-\d{2}|other)\/run=[\w-]+$/);
    expect(parseRunFolder(folder)).toBe(day);
    for (const name of filesOf(partition)) {
      const path = join(archiveDir, COMPACTED_FOLDER, folder, name);
      const described = await engine.rows(`DESCRIBE SELECT * FROM read_parquet('${path}', hive_partitioning = false)`);
      expect(described.map(([column, type]) => [column, type])).toEqual(
        expected.map(([column, type]) => [column, type]),
      );
      const rows = await engine.rows(`SELECT "time" FROM read_parquet('${path}')`);
      expect(new Set(rows.map(([time]) => sampleDay(Number(time))))).toEqual(new Set([day]));
      const unsorted = await engine.rows(`
        SELECT count(*) FROM (
          SELECT file_row_number, row_number() OVER (ORDER BY name, labels, "time", file_row_number) - 1 AS place
          FROM read_parquet('${path}', file_row_number = true)
        ) WHERE file_row_number <> place`);
      expect(unsorted).toEqual([[0n]]);
      files++;
    }
  }
  engine.close();
  expect(files).toBeGreaterThan(8);
});

test('a partition that is many files is sorted across them, whether the lines are new or old', async () => {
  const dir = temporaryDir();
  const lines = Array.from({ length: 9_000 }, (_, index) =>
    sampleLine(`metric_${(index * 7) % 90}`, Date.UTC(2026, 10, 20) + (index % 100), {
      value: index % 11,
      labels: { instance: String((index * 13) % 17) },
    }),
  );
  const path = '2026/11/20/00/a.json.gz';
  writeArchiveFile(dir, path, [lines]);
  const engine = await openEngine();
  const source = join(dir, path);
  await stageFiles(engine, [{ path: source, source, bytes: readFileSync(source).length }], () => undefined);
  const [day] = await stagedDays(engine);
  const store = { ...LINE_STORES[0]!, lotLines: 1_000 };
  let oldFiles: readonly string[] = [];
  for (const round of [0, 1]) {
    const folder = temporaryDir();
    const shares: number[] = [];
    const written = await writePartition(engine, {
      store,
      day: day!,
      oldFiles,
      folder,
      firstFile: 7,
      onWritten: (share) => shares.push(share),
    });
    const distinct = BigInt(new Set(lines).size);
    expect(written).toMatchObject({ incoming: 9_000n, before: round === 0 ? 0n : distinct, after: distinct });
    expect(written.files.slice(0, 2)).toEqual(['lines-007.parquet', 'lines-008.parquet']);
    expect(written.files.length).toBeGreaterThan(5);
    expect(shares.at(-1)).toBe(1);
    oldFiles = written.files.map((name) => join(folder, name));
    const unsorted = await engine.rows(`
      SELECT count(*) FROM (
        SELECT row_number() OVER (ORDER BY filename, file_row_number) AS place,
          row_number() OVER (ORDER BY name, labels, "time", filename, file_row_number) AS expected
        FROM read_parquet(['${oldFiles.join("', '")}'], file_row_number = true, filename = true)
      ) WHERE place <> expected`);
    expect(unsorted).toEqual([[0n]]);
  }
  engine.close();
});

test('what is not what was read is not committed', async () => {
  const dir = temporaryDir();
  const path = join(dir, '2026/11/20/00/a.json.gz');
  writeArchiveFile(dir, '2026/11/20/00/a.json.gz', [
    [sampleLine('x', 1), sampleLine('x', 1), sampleLine('x', 2), sampleLine('y', 2, { value: 0 })],
  ]);
  // A line is lost, doubled, moved to another series, or changed, after it was read.
  for (const damage of [
    'DELETE FROM samples WHERE rowid = (SELECT min(rowid) FROM samples WHERE "time" = 1)',
    'DELETE FROM samples WHERE "time" = 2',
    'INSERT INTO samples FROM samples',
    'UPDATE samples SET id = (SELECT max(id) FROM samples) WHERE "time" = 2',
    'UPDATE samples SET value = 5e-324 WHERE value = 0',
    'UPDATE samples SET "start" = 1 WHERE "time" = 2',
    "UPDATE samples SET bits = 'fff8000000000000'",
  ]) {
    const engine = await openEngine();
    await stageFiles(engine, [{ path, source: path, bytes: 100 }], () => undefined);
    await engine.run(damage);
    const [day] = await stagedDays(engine);
    const store = LINE_STORES[0]!;
    const folder = temporaryDir();
    const options = { store, day: day!, oldFiles: [], folder, firstFile: 0, onWritten: () => undefined };
    await expect(writePartition(engine, options), damage).rejects.toThrow(/does not hold what was read/);
    engine.close();
  }
});
