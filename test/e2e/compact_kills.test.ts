import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { COMPACTED_FOLDER } from '../../src/archive.ts';
import { encodeRecord } from '../../src/record.ts';
import { readManifest } from '../../src/read/manifest.ts';
import { choosePartitions } from '../../src/read/query_files.ts';
import { ROOT } from '../support/adapter.ts';
import { filesBelow, temporaryDir } from '../support/archive.ts';
import { runCompact } from '../support/compacted_archive.ts';
import { runQuery, sampleLine, writeArchiveFile } from '../support/query_archive.ts';
import { seeded } from '../support/seeded.ts';

/** A compaction that is killed with -9, whenever that is, leaves an archive that answers what it did, and the next one succeeds. */

const CLI = join(ROOT, 'dist/cli.js');
const HOOK = pathToFileURL(join(ROOT, 'test/support/kill_at.mjs')).href;

/** A program that compacts an archive. */
function startCompact(archiveDir: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = spawn(process.execPath, ['--import', HOOK, CLI, 'compact', '--archive-dir', archiveDir, ...args], {
    // Its temporary folder stays when it is killed.
    env: { ...process.env, TMPDIR: temporaryDir(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { child, exited: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> };
}

async function answer(archiveDir: string): Promise<string> {
  const sql = `SELECT name, "time", "value", datehour FROM samples
    UNION ALL SELECT name, "time", NULL, datehour FROM samples_raw WHERE kind IS NOT NULL ORDER BY ALL`;
  return runQuery(sql, { archiveDir, format: 'json' });
}

/** An archive of which a day is compacted, and another, with lines of two days and a late file for the first, is not. */
async function makeArchive(): Promise<string> {
  const dir = temporaryDir();
  const lines = (name: string, ...times: number[]) => times.map((time) => sampleLine(name, time));
  const [first, second] = [Date.UTC(2020, 10, 20, 9), Date.UTC(2020, 10, 21, 3)];
  const metadata = { type: 'gauge', help: 'Says x.', unit: '' } as const;
  writeArchiveFile(dir, '2020/11/20/09/a.json.gz', [lines('x', first, first + 1)]);
  await runCompact({ archiveDir: dir });
  writeArchiveFile(dir, '2020/11/20/11/late.json.gz', [lines('x', first + 2)]);
  writeArchiveFile(dir, '2020/11/21/03/a.json.gz', [
    [
      ...lines('y', first, second, second),
      encodeRecord({ kind: 'metadata', name: 'y', time: BigInt(second), metadata }),
    ],
  ]);
  return dir;
}

async function mustBeMended(archiveDir: string, expected: string, what: string): Promise<void> {
  expect(await answer(archiveDir), what).toBe(expected);
  await runCompact({ archiveDir, removeJson: true });
  expect(await answer(archiveDir), what).toBe(expected);
  // A run later there is nothing but what counts.
  await runCompact({ archiveDir });
  const named = choosePartitions(await readManifest(archiveDir), { fromMs: undefined, toMs: undefined });
  const expectedFiles = ['manifest.json', ...named].map((path) => join(COMPACTED_FOLDER, path)).sort();
  expect(filesBelow(archiveDir), what).toEqual(expectedFiles);
}

test('at each step', async () => {
  const original = await makeArchive();
  const expected = await answer(original);
  let step = 0;
  let isDone = false;
  const killAtNext = async () => {
    while (!isDone) {
      const at = ++step;
      const archiveDir = temporaryDir();
      cpSync(original, archiveDir, { recursive: true });
      const [code, signal] = await startCompact(archiveDir, { KILL_AT: String(at) }, ['--remove-json']).exited;
      if (signal !== 'SIGKILL') {
        expect(code).toBe(0);
        isDone = true;
      }
      await mustBeMended(archiveDir, expected, `step ${at}`);
    }
  };
  await Promise.all([killAtNext(), killAtNext()]);
  expect(step).toBeGreaterThan(50);
}, 600_000);

test('at any time', async () => {
  const original = await makeArchive();
  const expected = await answer(original);
  const random = seeded(7);
  let kills = 0;
  for (let round = 0; round < 8; round++) {
    const archiveDir = temporaryDir();
    cpSync(original, archiveDir, { recursive: true });
    const { child, exited } = startCompact(archiveDir, {});
    // From the moment that it is at work.
    const compacted = join(archiveDir, COMPACTED_FOLDER);
    while (child.exitCode === null && !readdirSync(compacted).some((name) => name.endsWith('.sock'))) await pause(1);
    await pause(random() * 400);
    child.kill('SIGKILL');
    const [, signal] = await exited;
    if (signal === 'SIGKILL') kills++;
    expect(existsSync(compacted)).toBe(true);
    await mustBeMended(archiveDir, expected, `round ${round}`);
  }
  expect(kills).toBeGreaterThan(2);
}, 120_000);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
