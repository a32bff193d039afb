import { readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OPEN_SUFFIX } from '../../../src/archive.ts';
import { CommandError } from '../../../src/errors.ts';
import { listArchiveFiles } from '../../../src/read/archive_files.ts';
import { temporaryDir } from '../../support/archive.ts';
import { memberOf, writeArchiveFile, writeBytes } from '../../support/query_archive.ts';

/** What happens right after a folder was listed; its names may be changed. */
const afterListing = vi.hoisted((): { call: (dir: string, names: string[]) => unknown } => ({ call: () => undefined }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  const readdir = async (dir: string) => {
    const names = await original.readdir(dir);
    afterListing.call(dir, names);
    return names;
  };
  return { ...original, readdir };
});

const HOUR = '2026/11/20/10';
const FILE = `${HOUR}/prometheus-1-2026-11-20-10-00-00-a.json.gz`;
const OPEN = FILE + OPEN_SUFFIX;

beforeEach(() => {
  afterListing.call = () => undefined;
});

function setUp() {
  const archiveDir = temporaryDir();
  const snapshotDir = join(temporaryDir(), 'open');
  const find = (fromMs?: number) =>
    listArchiveFiles({ archiveDir, snapshotDir, fromMs, signal: new AbortController().signal });
  const sources = async (fromMs?: number) =>
    (await find(fromMs)).map(({ source }) => source.slice(archiveDir.length + 1));
  return { archiveDir, snapshotDir, find, sources };
}

describe('the files of an archive', () => {
  it('are the gzip files below its hour folders, in the order of the hours', async () => {
    const { archiveDir, sources } = setUp();
    const files = [
      '2025/12/31/23/a.json.gz',
      `${HOUR}/a.json.gz`,
      `${HOUR}/firehose-1-2026-11-20-10-00-00-4f0c.gz`,
      '2026/11/20/11/a.json.gz',
    ];
    const others = [
      `${HOUR}/a.json.gz.damaged`,
      `${HOUR}/.hidden.json.gz`,
      `${HOUR}/a.json`,
      `${HOUR}/deeper/a.json.gz`,
      '2026/11/20/a.json.gz',
      '2026/13/20/10/a.json.gz',
      '2026/02/30/10/a.json.gz',
      '2026/11/20/24/a.json.gz',
      'processing-failed/2026/11/20/10/a.json.gz',
      '.writer-1.sock',
    ];
    for (const path of [...others, ...files]) writeArchiveFile(archiveDir, path, [['{}\n']]);
    expect(await sources()).toEqual(files);
  });

  it('may lie behind links', async () => {
    const { archiveDir, sources } = setUp();
    const elsewhere = temporaryDir();
    writeArchiveFile(elsewhere, '10/a.json.gz', [['{}\n']]);
    writeArchiveFile(archiveDir, '2026/11/19/10/a.json.gz', [['{}\n']]);
    symlinkSync(elsewhere, join(archiveDir, '2026/11/20'));
    expect(await sources()).toEqual(['2026/11/19/10/a.json.gz', '2026/11/20/10/a.json.gz']);
  });

  it.each([
    ['on the hour', Date.UTC(2026, 10, 20, 10), '2026/11/20/09'],
    ['in an hour', Date.UTC(2026, 10, 20, 10, 59, 59, 999), '2026/11/20/09'],
    ['in the first hour of a year', Date.UTC(2026, 0, 1, 0, 30), '2025/12/31/23'],
    ['in the first hour of a month', Date.UTC(2026, 10, 1, 0, 30), '2026/10/31/23'],
    ['before the epoch', -1e15, '1999/01/01/00'],
  ])('start an hour before the first sample asked for: %s', async (_name, fromMs, first) => {
    const { archiveDir, sources } = setUp();
    const listed: string[] = [];
    afterListing.call = (dir) => listed.push(dir.slice(archiveDir.length + 1));
    const hours = ['1999/01/01/00', '2025/12/31/22', '2025/12/31/23', '2026/10/31/22', '2026/10/31/23'];
    hours.push('2026/11/20/08', '2026/11/20/09', '2026/11/20/10', '2026/11/21/00');
    for (const hour of hours) writeArchiveFile(archiveDir, `${hour}/a.json.gz`, [['{}\n']]);
    expect(await sources(fromMs)).toEqual(hours.filter((hour) => hour >= first).map((hour) => `${hour}/a.json.gz`));
    expect(listed.filter((folder) => folder < first.slice(0, folder.length))).toEqual([]);
  });

  it('of an empty archive are none', async () => {
    expect(await setUp().find()).toEqual([]);
  });

  it.each(['missing', 'a file'])('need a directory: %s', async (kind) => {
    const archiveDir = join(temporaryDir(), 'archive');
    if (kind === 'a file') writeBytes(archiveDir, '', Buffer.alloc(1));
    const listing = listArchiveFiles({
      archiveDir,
      snapshotDir: archiveDir,
      fromMs: undefined,
      signal: new AbortController().signal,
    });
    await expect(listing).rejects.toThrow(CommandError);
    await expect(listing).rejects.toThrow(/archive .*--archive-dir \(ARCHIVE_DIR\)/);
  });
});

describe('a file that is being written', () => {
  const members = [['{"a":1}\n', '{"a":2}\n'], ['{"a":3}\n'], ['{"a":4}\n']];
  const ends = members.map((_lines, index) => Buffer.concat(members.slice(0, index + 1).map(memberOf)).length);
  const whole = Buffer.concat(members.map(memberOf));

  it('is read up to its last whole member, wherever it is cut', async () => {
    const { archiveDir, snapshotDir, find } = setUp();
    for (let cut = 0; cut <= whole.length; cut++) {
      writeBytes(archiveDir, OPEN, whole.subarray(0, cut));
      const count = ends.filter((end) => end <= cut).length;
      const files = await find();
      if (count === 0) {
        expect(files).toEqual([]);
        continue;
      }
      const own = { folder: HOUR, name: FILE.slice(HOUR.length + 1) };
      expect(files).toEqual([{ ...own, path: join(snapshotDir, FILE), source: join(archiveDir, OPEN) }]);
      expect(gunzipSync(readFileSync(files[0]!.path)).toString()).toBe(members.slice(0, count).flat().join(''));
    }
  });

  it.each([
    ['zeros, as a crash leaves them', Buffer.alloc(5_000)],
    ['the start of a foreign file', Buffer.from('PK\u0003\u0004 and so on, longer than a header')],
  ])('may end in %s', async (_name, tail) => {
    const { archiveDir, find } = setUp();
    writeBytes(archiveDir, OPEN, Buffer.concat([whole, tail]));
    const [file] = await find();
    expect(readFileSync(file!.path)).toEqual(whole);
  });

  it.each([
    ['between the two listings', 1],
    ['between the listing and the reading', 2],
  ])('is read once when it was closed %s', async (_name, renameAfter) => {
    const { archiveDir, snapshotDir, find } = setUp();
    const other = `${HOUR}/other.json.gz${OPEN_SUFFIX}`;
    writeArchiveFile(archiveDir, OPEN, members);
    writeArchiveFile(archiveDir, other, members);
    let listings = 0;
    afterListing.call = (dir) => {
      if (dir === join(archiveDir, HOUR) && ++listings === renameAfter)
        renameSync(join(archiveDir, OPEN), join(archiveDir, FILE));
    };
    const expected = [join(archiveDir, FILE), join(snapshotDir, other.slice(0, -OPEN_SUFFIX.length))];
    expect((await find()).map(({ path }) => path)).toEqual(expected);
  });

  it('is read once when it was closed while its folder was listed, and neither of its names was seen', async () => {
    const { archiveDir, find } = setUp();
    writeArchiveFile(archiveDir, FILE, members);
    let listings = 0;
    afterListing.call = (dir, names) => {
      if (dir === join(archiveDir, HOUR) && ++listings === 1) names.length = 0;
    };
    expect((await find()).map(({ path }) => path)).toEqual([join(archiveDir, FILE)]);
    expect(listings).toBe(2);
  });

  it('is read once when the listing holds both its names', async () => {
    const { archiveDir, find } = setUp();
    writeArchiveFile(archiveDir, OPEN, members);
    writeArchiveFile(archiveDir, FILE, members);
    expect((await find()).map(({ path }) => path)).toEqual([join(archiveDir, FILE)]);
  });

  it('is left out when it went away, with its folder or alone', async () => {
    const { archiveDir, find } = setUp();
    writeArchiveFile(archiveDir, OPEN, members);
    afterListing.call = (dir) => {
      if (dir === join(archiveDir, HOUR)) rmSync(join(archiveDir, OPEN), { force: true });
    };
    expect(await find()).toEqual([]);
    writeArchiveFile(archiveDir, OPEN, members);
    afterListing.call = (dir) => {
      if (dir === join(archiveDir, '2026/11/20')) rmSync(join(archiveDir, HOUR), { recursive: true, force: true });
    };
    expect(await find()).toEqual([]);
  });

  it('that cannot be copied ends the command with both names in the message', async () => {
    const { archiveDir, snapshotDir, find } = setUp();
    writeArchiveFile(archiveDir, OPEN, members);
    writeBytes(snapshotDir, '', Buffer.alloc(0));
    await expect(find()).rejects.toThrow(CommandError);
    await expect(find()).rejects.toThrow(
      `cannot copy ${join(archiveDir, OPEN)} to the temporary file ${join(snapshotDir, FILE)}: ENOTDIR`,
    );
  });
});
