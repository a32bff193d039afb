import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { COMPACTED_FOLDER, hourFolder } from '../../src/archive.ts';
import { CLI } from '../support/adapter.ts';
import { archiveFiles, temporaryDir } from '../support/archive.ts';
import { runCompact } from '../support/compacted_archive.ts';
import { memberOf, rowsOf, sampleLine, writeArchiveFile } from '../support/query_archive.ts';

/** The command as a program, beside other processes. */

const DAY = Date.UTC(2020, 10, 20);
const HOURS = Array.from({ length: 12 }, (_, hour) => `2020/11/20/${String(hour).padStart(2, '0')}`);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function startCompact(archiveDir: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [CLI, 'compact', '--archive-dir', archiveDir, ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}

/** An archive that takes a second or more. */
function largeArchive(): string {
  const dir = temporaryDir();
  const lines = Array.from({ length: 100_000 }, (_, index) => sampleLine('x', DAY + (index % 2_000), { value: index }));
  for (const hour of HOURS) writeArchiveFile(dir, `${hour}/a.json.gz`, [lines]);
  return dir;
}

test('says what it did; a second one at the same time is refused, and SIGINT leaves nothing behind', async () => {
  const dir = largeArchive();
  const compacted = join(dir, COMPACTED_FOLDER);
  const first = startCompact(dir);
  while (!existsSync(compacted) || !readdirSync(compacted).some((name) => name.endsWith('.sock'))) await pause(5);
  const second = await startCompact(dir).ended;
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toBe(`error: another process is compacting ${dir} already\n`);
  await expect(runCompact({ archiveDir: dir })).rejects.toThrow(/another process is compacting/);
  first.child.kill('SIGINT');
  expect(await first.ended).toEqual({ code: 1, stdout: '', stderr: 'error: interrupted\n' });
  expect(archiveFiles(dir)).toHaveLength(HOURS.length);
  expect(readdirSync(compacted).filter((name) => name.endsWith('.sock'))).toEqual([]);

  const third = await startCompact(dir, '--remove-json').ended;
  expect(third).toMatchObject({ code: 0, stderr: '' });
  expect(third.stdout).toMatch(
    /^2020\/11\/20: 1,200,000 lines, 100,000 rows, 1,100,000 duplicates dropped, \d+\.\d MB → \d+\.\d MB, 1 day of samples, \d+ s\nremoved 12 JSON files\ncompacted 1 day\n$/,
  );
  expect(archiveFiles(dir)).toEqual([]);
  expect(await rowsOf('SELECT count(*) AS n FROM samples', { archiveDir: dir })).toEqual([{ n: 100_000 }]);
}, 60_000);

test('queries, compactions and a writer at once: every line is there once, in every answer', async () => {
  const dir = temporaryDir();
  let [written, compactions, answers] = [0, 0, 0];
  let isDone = false;
  // Four files an hour, each under its open name first; days end as fast as they are written.
  const write = async () => {
    while (!isDone) {
      const folder = hourFolder(DAY + Math.floor(written / 4) * 3_600_000);
      const path = join(dir, folder, `a-${written}.json.gz`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.open`, memberOf([sampleLine('x', written)]));
      // Slower than they are compacted, on a busy machine too.
      await pause(20);
      renameSync(`${path}.open`, path);
      written++;
    }
  };
  const compact = async () => {
    while (!isDone) {
      const { code, stderr } = await startCompact(dir, ...(compactions % 2 === 1 ? ['--remove-json'] : [])).ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      compactions++;
    }
  };
  const working = [write(), compact()] as const;
  const ended = Promise.all(working);
  ended.catch(() => undefined);
  while (compactions < 5 || answers < 10) {
    const before = written;
    const rows = await rowsOrVanished(dir);
    if (rows === undefined) continue;
    const times = rows.map((row) => row['time'] as number);
    expect(times.slice(0, before)).toEqual(Array.from({ length: before }, (_, time) => time));
    expect(new Set(times).size).toBe(times.length);
    answers++;
  }
  isDone = true;
  await ended;
}, 120_000);

/** Undefined when a JSON file went away, which `--remove-json` takes from under a query that has listed it: it says so, and to run it again. */
async function rowsOrVanished(archiveDir: string): Promise<Record<string, unknown>[] | undefined> {
  try {
    return await rowsOf('SELECT "time" FROM samples_raw ORDER BY "time"', { archiveDir });
  } catch (error) {
    expect((error as Error).message).toMatch(/The file went away meanwhile/);
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
