import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import {
  formatManifest,
  manifestPath,
  NOTHING_COMPACTED,
  parseManifest,
  readManifest,
  writeManifest,
  type Manifest,
} from '../../../src/read/manifest.ts';
import { filesBelow, temporaryDir } from '../../support/archive.ts';

const MANIFEST: Manifest = {
  hours: new Map([
    [
      '2026/11/20/10',
      new Map([
        ['a.json.gz', 7],
        ['firehose.gz', 8],
      ]),
    ],
    ['2026/11/20/11', new Map([['b.json.gz', 7]])],
  ]),
  days: new Map([
    [
      '2026-11-19',
      {
        run: 'one',
        samples: ['lines-000.parquet'],
        minusZeros: [],
        others: ['lines-001.parquet'],
        sha256: { 'lines-000.parquet': 'a'.repeat(64), 'lines-001.parquet': 'b'.repeat(64) },
      },
    ],
    [
      'other',
      {
        run: 'one',
        samples: [],
        minusZeros: ['lines-000.parquet'],
        others: [],
        sha256: { 'lines-000.parquet': '0'.repeat(64) },
      },
    ],
  ]),
  garbage: new Set(['day=2026-11-19/run=zero', 'day=2026-11-20/run=two']),
};

type Form = Record<string, unknown> & { days: Record<string, unknown> };

/** The manifest's text with something done to it. */
function changed(change: (form: Form) => unknown): string {
  const form = JSON.parse(formatManifest(MANIFEST)) as Form;
  return JSON.stringify(change(form) ?? form);
}

describe('the text of a manifest', () => {
  test.each([
    ['nothing', NOTHING_COMPACTED],
    ['something', MANIFEST],
  ])('reads back as it was: %s', (_, manifest) => {
    expect(parseManifest(formatManifest(manifest))).toEqual(manifest);
  });

  const day = MANIFEST.days.get('other')!;
  test.each<[string, string, RegExp]>([
    ['empty', '', /Unexpected end/],
    ['cut', formatManifest(MANIFEST).slice(0, -9), /JSON/],
    ['no object', '[]', /the manifest is no object/],
    ['nothing', 'null', /the manifest is no object/],
    ['of another version', changed((form) => ({ ...form, version: 2 })), /its version is 2, and not 1/],
    [
      'without a field',
      changed((form) => ({ ...form, hours: undefined })),
      /the fields of the manifest are not days,garbage,hours/,
    ],
    ['with another field', changed((form) => ({ ...form, more: 1 })), /the fields of the manifest are not/],
    [
      'with hours that are none',
      changed((form) => ({ ...form, hours: { '2026/11/20/24': [] } })),
      /"2026.*" is no hour/,
    ],
    ['with hours in a list', changed((form) => ({ ...form, hours: [] })), /hours is no object/],
    [
      'with a path for a name',
      changed((form) => ({ ...form, hours: { '2026/11/20/10': { '../a.gz': 1 } } })),
      /is no file of an hour/,
    ],
    [
      'with a text for bytes',
      changed((form) => ({ ...form, hours: { '2026/11/20/10': { 'a.gz': '1' } } })),
      /"a.gz" with "1" bytes is no file/,
    ],
    [
      'with a name for files',
      changed((form) => ({ ...form, hours: { '2026/11/20/10': 'a.gz' } })),
      /2026.* is no object/,
    ],
    ['with a day that is none', changed((form) => ({ ...form, days: { '2026-02-30': day } })), /is no partition/],
    [
      'with a run that is a path',
      changed((form) => ({ ...form, days: { other: { ...day, run: '../x' } } })),
      /is no partition/,
    ],
    ['without a run', changed((form) => ({ ...form, days: { other: { ...day, run: null } } })), /is no partition/],
    [
      'with a day without files',
      changed((form) => ({ ...form, days: { other: { run: 'x' } } })),
      /the fields of the day other/,
    ],
    [
      'with a file elsewhere',
      changed((form) => ({ ...form, days: { other: { ...day, samples: ['../a.parquet'] } } })),
      /does not belong/,
    ],
    [
      'with a file of another kind',
      changed((form) => ({ ...form, days: { other: { ...day, others: ['a.json'] } } })),
      /does not belong/,
    ],
    [
      'with a file twice',
      changed((form) => ({ ...form, days: { other: { ...day, samples: day.minusZeros } } })),
      /the day other does not have a sha256 for each of its files, each once/,
    ],
    [
      'with a file without a checksum',
      changed((form) => ({ ...form, days: { other: { ...day, sha256: {} } } })),
      /does not have a sha256/,
    ],
    [
      'with a checksum that is none',
      changed((form) => ({ ...form, days: { other: { ...day, sha256: { 'lines-000.parquet': 'x' } } } })),
      /does not have a sha256/,
    ],
    [
      'with garbage elsewhere',
      changed((form) => ({ ...form, garbage: ['day=other/run=../../2026'] })),
      /does not belong/,
    ],
    ['with a whole day as garbage', changed((form) => ({ ...form, garbage: ['day=other'] })), /does not belong/],
    [
      'with garbage that counts',
      changed((form) => ({ ...form, garbage: ['day=other/run=one'] })),
      /is garbage and part of the archive/,
    ],
  ])('is refused when it is broken: %s', (_, text, message) => {
    expect(() => parseManifest(text)).toThrow(message);
  });
});

describe('the manifest of an archive', () => {
  const put = (dir: string, path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };

  test('is empty where nothing was ever compacted', async () => {
    const dir = temporaryDir();
    expect(await readManifest(dir)).toEqual(NOTHING_COMPACTED);
    put(dir, 'compacted/.compaction-1.sock', '');
    expect(await readManifest(dir)).toEqual(NOTHING_COMPACTED);
  });

  test('is replaced as a whole', async () => {
    const dir = temporaryDir();
    mkdirSync(join(dir, 'compacted'));
    // What a killed process left of one that it was writing.
    writeFileSync(`${manifestPath(dir)}.new`, 'x'.repeat(10_000));
    await writeManifest(dir, MANIFEST);
    expect(await readManifest(dir)).toEqual(MANIFEST);
    await writeManifest(dir, NOTHING_COMPACTED);
    expect(await readManifest(dir)).toEqual(NOTHING_COMPACTED);
    expect(filesBelow(dir)).toEqual(['compacted/manifest.json']);
    expect(readFileSync(manifestPath(dir), 'utf8')).toBe(formatManifest(NOTHING_COMPACTED));
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    ['broken', (dir) => put(dir, 'compacted/manifest.json', '{'), /: it is not JSON; restore it from a backup; if/],
    ['lost', (dir) => put(dir, 'compacted/day=other/run=one/lines-000.parquet', ''), /: ENOENT.*; restore it/],
    ['a folder', (dir) => put(dir, 'compacted/manifest.json/x', ''), /: it is no file; restore it/],
  ])('is named when it is %s', async (_, make, message) => {
    const dir = temporaryDir();
    make(dir);
    await expect(readManifest(dir)).rejects.toThrow(CommandError);
    await expect(readManifest(dir)).rejects.toThrow(message);
    await expect(readManifest(dir)).rejects.toThrow(`cannot read what is compacted from ${manifestPath(dir)}`);
  });
});
