import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { manifestPath, readManifest } from '../../src/read/manifest.ts';
import { openDirectorySink } from '../../src/sinks/directory.ts';
import { archiveFiles, filesBelow, temporaryDir } from '../support/archive.ts';
import { messageOf } from '../support/command_error.ts';
import { runCompact } from '../support/compacted_archive.ts';
import { collector, rowsOf, runQuery, sampleLine, writeArchiveFile, writeBytes } from '../support/query_archive.ts';

const DAY = '2026/11/20';
const AT = Date.UTC(2026, 10, 20, 10);
const NEXT_DAY = AT + 86_400_000;
const now = (timeMs: number) => ({ now: () => timeMs });

let temporary = '';
let archiveDir = '';

beforeEach(() => {
  archiveDir = temporaryDir();
  temporary = temporaryDir();
  vi.stubEnv('TMPDIR', temporary);
  return () => {
    vi.unstubAllEnvs();
    expect(readdirSync(temporary)).toEqual([]);
  };
});

const put = (path: string, ...lines: readonly string[]) => writeArchiveFile(archiveDir, path, [lines]);
const parquet = () => filesBelow(archiveDir).filter((path) => path.endsWith('.parquet'));
const partitions = async () => [...(await readManifest(archiveDir)).days.keys()].join(' ');
const values = (sql = 'SELECT "value" FROM samples ORDER BY "value"') => runQuery(sql, { archiveDir, format: 'csv' });

describe('which days', () => {
  it('are those that have ended, by the clock, in order, each in a line', async () => {
    put(`${DAY}/23/a.json.gz`, sampleLine('x', AT), sampleLine('x', AT), sampleLine('x', AT - 86_400_000));
    put('2026/11/19/01/a.json.gz', sampleLine('x', AT - 86_400_000));
    put('2026/11/21/00/a.json.gz', sampleLine('x', NEXT_DAY));
    const midnight = Date.UTC(2026, 10, 21);
    expect(await runCompact({ archiveDir }, now(midnight - 1))).toMatch(
      /^2026\/11\/19: 1 lines, 1 rows, 0 duplicates dropped, 0\.0 MB → 0\.0 MB, 1 day of samples, 0 s\ncompacted 1 day\n$/,
    );
    expect(await runCompact({ archiveDir }, now(midnight))).toMatch(
      /^2026\/11\/20: 3 lines, 1 rows, 2 duplicates dropped, .*, 2 days of samples, 0 s\ncompacted 1 day\n$/,
    );
    expect(await runCompact({ archiveDir }, now(midnight))).toBe(
      'nothing to compact: every day that has ended, by UTC, is\n',
    );
    expect(await partitions()).toBe('2026-11-19 2026-11-20');
    expect(archiveFiles(archiveDir)).toHaveLength(3);
  });

  it('are not those in which a file is open, which are named', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    put(`${DAY}/23/b.json.gz.open`, sampleLine('x', AT, { value: 2 }));
    put('2026/11/21/00/a.json.gz', sampleLine('x', NEXT_DAY, { value: 3 }));
    expect(await runCompact({ archiveDir })).toMatch(
      /^2026\/11\/20: left, because 2026\/11\/20\/23\/b\.json\.gz\.open is being written; if no server is running, start it once, .*\n2026\/11\/21: 1 lines.*\ncompacted 1 day, left 1\n$/,
    );
    expect(await runCompact({ archiveDir })).toMatch(/: left, because .*\ncompacted 0 days, left 1\n$/);
    expect(await partitions()).toBe('2026-11-21');
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n');
    const log = createLog({ level: 'error', format: 'logfmt' });
    await (await openDirectorySink({ dir: archiveDir, retentionMs: undefined, log })).close();
    expect(await runCompact({ archiveDir })).toMatch(/^2026\/11\/20: 2 lines/);
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n');
  });

  it('are none in an archive that is empty, and in one that is not there it says so', async () => {
    expect(await runCompact({ archiveDir })).toContain('nothing to compact');
    expect(await messageOf(runCompact({ archiveDir: join(archiveDir, 'x') }))).toMatch(
      /^no archive at .*--archive-dir/,
    );
    expect(await messageOf(runCompact({ archiveDir: 'none' }))).toContain('--archive-dir (ARCHIVE_DIR) is "none"');
    const pattern = join(archiveDir, 'a*');
    mkdirSync(pattern);
    expect(await messageOf(runCompact({ archiveDir: pattern }))).toContain('has a * or ? in its path');
  });

  it('may have nothing in their files', async () => {
    writeBytes(archiveDir, `${DAY}/10/a.json.gz`, gzipSync(''));
    expect(await runCompact({ archiveDir })).toMatch(/^2026\/11\/20: 0 lines, 0 rows/);
    expect(await runCompact({ archiveDir })).toContain('nothing to compact');
    expect(await values()).toBe('value\r\n');
  });
});

describe('a file that is not as it was', () => {
  it('when it was compacted is named, and stays', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT, { value: 1 }));
    put('2026/11/21/10/b.json.gz', sampleLine('x', NEXT_DAY, { value: 3 }));
    await runCompact({ archiveDir }, now(Date.UTC(2026, 10, 21)));
    const longer = [sampleLine('x', AT, { value: 1 }), sampleLine('x', AT, { value: 2 })];
    writeArchiveFile(archiveDir, `${DAY}/10/a.json.gz`, [longer]);
    expect(await messageOf(runCompact({ archiveDir, removeJson: true }))).toMatch(
      /^2026\/11\/20: .*10\/a\.json\.gz has \d+ bytes, and had \d+ when it was compacted: give .* another name/,
    );
    expect(archiveFiles(archiveDir)).toEqual([`${DAY}/10/a.json.gz`]);
    renameSync(join(archiveDir, DAY, '10/a.json.gz'), join(archiveDir, DAY, '10/c.json.gz'));
    await runCompact({ archiveDir, removeJson: true });
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n');
  });

  it('is noticed when it is Parquet, before it is written anew', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT, { value: 1 }));
    put('2026/11/21/10/a.json.gz', sampleLine('x', NEXT_DAY, { value: 2 }));
    await runCompact({ archiveDir, removeJson: true });
    const [first, second] = parquet();
    cpSync(join(archiveDir, second!), join(archiveDir, first!));
    put(`${DAY}/10/late.json.gz`, sampleLine('x', AT, { value: 3 }));
    expect(await messageOf(runCompact({ archiveDir }))).toMatch(
      /day=2026-11-20.*lines-000\.parquet has changed since it was written .*: restore it from a backup/,
    );
    expect(archiveFiles(archiveDir)).toEqual([`${DAY}/10/late.json.gz`]);
  });

  it('readable keeps its own day from being compacted, and no other', async () => {
    put('2026/11/19/10/a.json.gz', sampleLine('x', AT - 86_400_000));
    const bytes = readFileSync(join(archiveDir, '2026/11/19/10/a.json.gz'));
    writeFileSync(join(archiveDir, '2026/11/19/10/a.json.gz'), bytes.subarray(0, -12));
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    const { stdout, text } = collector();
    const message = await messageOf(runCompact({ archiveDir, removeJson: true }, { stdout }));
    expect(message).toMatch(/^2026\/11\/19: .*2026\/11\/19\/10\/a\.json\.gz/);
    expect(text()).toMatch(/^2026\/11\/20: 1 lines.*\nremoved 1 JSON file\ncompacted 1 day, left 1\n$/);
    expect(archiveFiles(archiveDir)).toEqual(['2026/11/19/10/a.json.gz']);
  });
});

describe('--remove-json', () => {
  it('removes what is compacted, now or before, and nothing else', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT, { value: 1 }));
    await runCompact({ archiveDir });
    put(`${DAY}/10/b.json.gz`, sampleLine('x', AT, { value: 2 }));
    put(`${DAY}/11/c.json.gz.damaged`, sampleLine('x', AT, { value: 7 }));
    put('2026/11/21/10/d.json.gz', sampleLine('x', AT, { value: 3 }));
    put('2026/11/22/10/e.json.gz', sampleLine('x', AT, { value: 4 }));
    const said = await runCompact({ archiveDir, removeJson: true }, now(Date.UTC(2026, 10, 22, 11)));
    expect(said).toMatch(/\nremoved 3 JSON files\ncompacted 2 days\n$/);
    expect(archiveFiles(archiveDir)).toEqual([`${DAY}/11/c.json.gz.damaged`, '2026/11/22/10/e.json.gz']);
    expect(readdirSync(join(archiveDir, '2026/11'))).toEqual(['20', '22']);
    expect(readdirSync(join(archiveDir, DAY))).toEqual(['11']);
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n4\r\n');
  });

  it('removes nothing when a file that it is compacted into is missing', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    await runCompact({ archiveDir });
    const [lost] = parquet();
    rmSync(join(archiveDir, lost!));
    expect(await messageOf(runCompact({ archiveDir, removeJson: true }))).toContain(`${lost!} is missing, which`);
    expect(archiveFiles(archiveDir)).toEqual([`${DAY}/10/a.json.gz`]);
  });
});

describe('--archive-retention', () => {
  it('drops whole days of samples, and their files with the run after', async () => {
    const days = [18, 19, 20].map((day) => Date.UTC(2026, 10, day));
    put(`${DAY}/10/a.json.gz`, ...days.map((at) => sampleLine('x', at, { value: at })), sampleLine('x', -1));
    await runCompact({ archiveDir, removeJson: true });
    const options = { archiveDir, retentionMs: 86_400_000 };
    expect(await runCompact(options, now(days[2]! + 86_400_000 - 1))).toMatch(
      /^dropped 1 expired day of samples\nnothing to compact/,
    );
    expect(await partitions()).toBe('2026-11-19 2026-11-20 other');
    expect(parquet()).toHaveLength(4);
    expect(await runCompact(options, now(days[2]! + 86_400_000))).toMatch(
      /^dropped 1 expired day of samples\nnothing to compact/,
    );
    expect(await partitions()).toBe('2026-11-20 other');
    expect(parquet()).toHaveLength(3);
    expect((await readManifest(archiveDir)).hours.size).toBe(1);
    expect(await runCompact(options, now(days[2]! + 5 * 86_400_000))).toMatch(
      /^dropped 1 expired day of samples\nnothing to compact/,
    );
    expect((await readManifest(archiveDir)).hours.size).toBe(0);
    await runCompact(options);
    expect(parquet()).toHaveLength(1);
    expect(readdirSync(join(archiveDir, 'compacted')).sort()).toEqual(['day=other', 'manifest.json']);
  });

  it('does not bring back lines whose JSON is still there', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    await runCompact({ archiveDir });
    await runCompact({ archiveDir, retentionMs: 3_600_000 });
    expect(await values()).toBe('value\r\n');
    expect(await runCompact({ archiveDir })).toContain('nothing to compact');
  });
});

describe('what is broken', () => {
  it('stops before anything is changed: a manifest', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    await runCompact({ archiveDir });
    writeFileSync(manifestPath(archiveDir), '{}');
    const before = filesBelow(archiveDir);
    expect(await messageOf(runCompact({ archiveDir }))).toContain(`from ${manifestPath(archiveDir)}: the fields of`);
    expect(await messageOf(values())).toContain(`from ${manifestPath(archiveDir)}: the fields of`);
    rmSync(manifestPath(archiveDir));
    expect(await messageOf(runCompact({ archiveDir }))).toContain(`from ${manifestPath(archiveDir)}: ENOENT`);
    expect(filesBelow(archiveDir)).toEqual(before.filter((path) => !path.endsWith('manifest.json')));
  });

  it.each<[string, Uint8Array | string, RegExp]>([
    ['no gzip', 'x', /bad\.json\.gz/],
    ['cut', gzipSync(sampleLine('x', AT).repeat(1_000)).subarray(0, 60), /bad\.json\.gz/],
    [
      'a value that is no number',
      gzipSync(sampleLine('x', AT, { value: NaN }).replace('NaN', 'abc')),
      /bad\.json\.gz.*abc/,
    ],
    ['labels that are none', gzipSync('{"name":"x","time":1,"value":1,"labels":7}\n'), /bad\.json\.gz/],
  ])('is named, and the days before it are compacted: %s', async (_, bytes, message) => {
    put('2026/11/19/10/a.json.gz', sampleLine('x', AT, { value: 1 }));
    put(`${DAY}/09/a.json.gz`, sampleLine('x', AT, { value: 2 }));
    writeBytes(archiveDir, `${DAY}/10/bad.json.gz`, Buffer.from(bytes));
    put(`${DAY}/11/a.json.gz`, sampleLine('x', AT, { value: 3 }));
    expect(await messageOf(runCompact({ archiveDir }))).toMatch(message);
    rmSync(join(archiveDir, `${DAY}/10/bad.json.gz`));
    expect([...(await readManifest(archiveDir)).hours.keys()]).toEqual(['2026/11/19/10']);
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n');
    expect(await runCompact({ archiveDir })).toMatch(/^2026\/11\/20: 2 lines/);
    expect(await values()).toBe('value\r\n1\r\n2\r\n3\r\n');
  });

  it('is named when it is a Parquet file, in a query and in the next compaction', async () => {
    put(
      `${DAY}/10/a.json.gz`,
      ...Array.from({ length: 999 }, (_, index) => sampleLine('x', AT + index, { value: index })),
    );
    await runCompact({ archiveDir });
    const path = join(archiveDir, parquet()[0]!);
    const bytes = readFileSync(path);
    put('2026/11/21/00/a.json.gz', sampleLine('x', AT, { value: 2 }));
    const damages = [bytes.subarray(0, 100), Buffer.from(bytes).fill(0xaa, bytes.length - 300, bytes.length - 8)];
    for (const damaged of damages) {
      writeFileSync(path, damaged);
      expect(await messageOf(values())).toContain(path);
      expect(await messageOf(runCompact({ archiveDir }))).toContain(path);
    }
    writeFileSync(path, bytes);
    expect(await runCompact({ archiveDir })).toMatch(/^2026\/11\/21: 1 lines, 1 rows/);
  });

  it('or not ours is left where it is', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    await runCompact({ archiveDir });
    const [own] = parquet();
    const stranger = join(archiveDir, 'compacted/day=2026-11-20/run=stranger');
    mkdirSync(stranger);
    cpSync(join(archiveDir, own!), join(stranger, 'lines-000.parquet'));
    put('2026/11/21/10/a.json.gz', sampleLine('x', AT, { value: 2 }));
    for (let run = 0; run < 3; run++) await runCompact({ archiveDir });
    expect(readdirSync(stranger)).toEqual(['lines-000.parquet']);
    expect(await values()).toBe('value\r\n1\r\n2\r\n');
    expect(parquet()).toHaveLength(2);
  });
});

describe('beside the rest', () => {
  it('the server leaves what is compacted alone: recovery, retention and lock', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    put('2026/11/21/10/a.json.gz', sampleLine('x', AT, { value: 2 }));
    await runCompact({ archiveDir });
    const before = filesBelow(join(archiveDir, 'compacted'));
    expect(before).toHaveLength(3);
    const log = createLog({ level: 'error', format: 'logfmt' });
    const sink = await openDirectorySink({ dir: archiveDir, retentionMs: 1, log, now: () => AT + 10 * 86_400_000 });
    await vi.waitFor(() => {
      expect(archiveFiles(archiveDir)).toEqual([]);
    });
    expect(await runCompact({ archiveDir })).toContain('nothing to compact');
    await sink.close();
    expect(filesBelow(join(archiveDir, 'compacted'))).toHaveLength(2);
    expect(await values()).toBe('value\r\n1\r\n2\r\n');
  });

  it('a terminal sees how far it is', async () => {
    put(`${DAY}/10/a.json.gz`, sampleLine('x', AT));
    const { stdout: stderr, text } = collector();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const compacting = runCompact({ archiveDir }, { stderr, isTerminal: true }).finally(() => vi.useRealTimers());
    while (vi.isFakeTimers()) {
      vi.advanceTimersByTime(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await compacting;
    const shown = text().split('\r\u001b[K');
    expect(shown).toContainEqual(expect.stringMatching(/^2026\/11\/20: reading \d+%, \d+ s$/));
    expect(shown).toContainEqual(expect.stringMatching(/^2026\/11\/20: writing 2026-11-20 \(1 of 1\) \d+%, \d+ s$/));
    expect(shown.at(-1)).toBe('');
  });

  it('reads only the files of days that can hold what is asked for', async () => {
    for (const day of [18, 19, 20]) {
      put(`2026/11/${day}/10/a.json.gz`, sampleLine('x', Date.UTC(2026, 10, day, 9), { value: day }));
    }
    await runCompact({ archiveDir });
    // What is not read is not missed.
    const other = parquet().filter((path) => !path.includes('day=2026-11-19'));
    for (const path of other) writeFileSync(join(archiveDir, path), 'no Parquet');
    const times = { fromMs: Date.UTC(2026, 10, 19), toMs: Date.UTC(2026, 10, 20) };
    expect(await rowsOf('SELECT "value" FROM samples', { archiveDir, ...times })).toEqual([{ value: 19 }]);
    expect(await rowsOf('SELECT * FROM metadata', { archiveDir, ...times })).toEqual([]);
    expect(await messageOf(values())).toContain(other[0]!);
  });
});
