import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { COMPACTED_FOLDER, runFolder } from '../../../src/archive.ts';
import { filesOf, readManifest } from '../../../src/read/manifest.ts';
import { ROOT } from '../../support/adapter.ts';
import { filesBelow, temporaryDir } from '../../support/archive.ts';
import { openAthena } from '../../support/athena_on_duckdb.ts';
import { athenaSql } from '../../support/athena_sql.ts';
import { mixedLines, runCompact, spread, writeFiles } from '../../support/compacted_archive.ts';
import { rowsOf, sampleLine, writeArchiveFile } from '../../support/query_archive.ts';

/**
 * A local archive becomes a bucket by what deploy/README.md says: its own commands, carried out on folders, and what Athena's tables are told
 * to read of such a bucket. That they do is not proven here.
 */

const README = readFileSync(join(ROOT, 'deploy/README.md'), 'utf8');
const VIEWS = ['samples', 'histograms', 'exemplars', 'metadata'];
const HOURS = ['2026/11/20/00', '2026/11/20/09', '2026/11/21/05', '2026/11/21/23'];
/** It has not ended when the archive is compacted. */
const TODAY = '2026/11/28/03';

/** The commands of the page that copy the archive, or a folder of it. */
const SYNCS = Array.from(
  README.matchAll(/aws s3 sync \.\/archive(\/\w+)? s3:\/\/<Bucket>(\/\w+)?((?: --(?:exclude|include) \S+)+)/g),
  ([, from = '', to = '', filters = '']) => ({
    from,
    to,
    filters: Array.from(filters.matchAll(/--(exclude|include) '?([^\s']+)'?/g), ([, kind, pattern = '']) => ({
      isIncluded: kind === 'include',
      pattern: new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`),
    })),
  }),
);

/** https://docs.aws.amazon.com/cli/latest/reference/s3/#use-of-exclude-and-include-filters: the last filter that fits decides. */
function sync({ from, to, filters }: (typeof SYNCS)[number], archiveDir: string, bucket: string): void {
  for (const path of filesBelow(join(archiveDir, from))) {
    if (filters.findLast(({ pattern }) => pattern.test(path))?.isIncluded === false) continue;
    const target = join(bucket, to, path);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(archiveDir, from, path), target);
  }
}

/** An archive of closed days, and of a server that writes. */
function makeArchive(): string {
  const archiveDir = temporaryDir();
  writeFiles(archiveDir, spread(mixedLines(3, 40), HOURS, 3).all);
  writeArchiveFile(archiveDir, `${TODAY}/a.json.gz`, [[sampleLine('x', Date.UTC(2026, 10, 28, 3))]]);
  return archiveDir;
}

/** The only folders that the table `lines` looks into. */
function jsonOf(bucket: string): string[] {
  const [, template] = /'storage\.location\.template' = 's3:\/\/BUCKET\/(.*)'/.exec(athenaSql('table.sql'))!;
  const [, format] = /'projection\.datehour\.format' = '(.*)'/.exec(athenaSql('table.sql'))!;
  const folder = template!.replace('${datehour}', format!.replace(/\w/g, '\\d'));
  return filesBelow(bucket)
    .filter((key) => new RegExp(`^${folder}[^/]+$`).test(key))
    .map((key) => join(bucket, key));
}

const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

async function expectSameAnswers(
  archiveDir: string,
  lake: { readonly json: readonly string[]; readonly parquet: readonly string[]; readonly compactedBefore?: string },
): Promise<void> {
  const { json, parquet, compactedBefore } = lake;
  const athena = await openAthena({
    paths: { json, parquet },
    ...(compactedBefore === undefined ? {} : { compactedBefore }),
  });
  onTestFinished(() => {
    athena.close();
  });
  for (const view of VIEWS) {
    const expected = await rowsOf(`SELECT * FROM ${view}`, { archiveDir });
    expect(expected.length).toBeGreaterThan(5);
    expect([view, sorted(await athena.rows(`SELECT * FROM ${view}`))]).toEqual([view, sorted(expected)]);
  }
}

test('as it came', async () => {
  const archiveDir = makeArchive();
  // What a server has, and what a crash left.
  writeArchiveFile(archiveDir, `${TODAY}/b.json.gz.open`, [[sampleLine('x', 1)]]);
  writeArchiveFile(archiveDir, `${TODAY}/c.json.gz.damaged`, [[sampleLine('x', 1)]]);
  const bucket = temporaryDir();
  sync(SYNCS[0]!, archiveDir, bucket);
  expect(filesBelow(bucket).map((key) => join(bucket, key))).toEqual(jsonOf(bucket));
  // Once the server is stopped there is no such file.
  for (const name of ['b.json.gz.open', 'c.json.gz.damaged']) expect(existsSync(join(bucket, TODAY, name))).toBe(false);
  const served = temporaryDir();
  sync(SYNCS[0]!, archiveDir, served);
  await expectSameAnswers(served, { json: jsonOf(bucket), parquet: [] });
});

test('compacted, with its JSON removed', async () => {
  const archiveDir = makeArchive();
  await runCompact({ archiveDir, removeJson: true });
  const manifest = await readManifest(archiveDir);
  const bucket = temporaryDir();
  const steps = SYNCS.slice(1);
  expect(steps.map(({ from }) => from)).toEqual([`/${COMPACTED_FOLDER}`, '']);
  for (const step of steps) sync(step, archiveDir, bucket);
  expect(filesBelow(bucket).filter((key) => !/\.(parquet|json\.gz)$/.test(key))).toEqual([]);

  const [, location] = /LOCATION 's3:\/\/<Bucket>\/([^']*)'/.exec(README)!;
  const parquet = [...manifest.days].flatMap(([day, partition]) => {
    const folder = location!.replace('2026-11-20', day).replace('<run>', partition.run);
    expect(folder).toBe(`${COMPACTED_FOLDER}/${runFolder(day, partition.run)}/`);
    const files = filesBelow(join(bucket, folder));
    // A partition is all that lies in its folder.
    expect(files).toEqual(filesOf(partition).toSorted());
    return files.map((name) => join(bucket, folder, name));
  });
  expect(jsonOf(bucket)).toEqual([join(bucket, TODAY, 'a.json.gz')]);
  await expectSameAnswers(archiveDir, { json: jsonOf(bucket), parquet, compactedBefore: '2026/11/22/00' });
});
