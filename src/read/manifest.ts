import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  COMPACTED_FOLDER,
  MANIFEST_FILE,
  PARQUET_SUFFIX,
  parseHourFolder,
  parseRunFolder,
  runFolder,
} from '../archive.ts';
import { codeOf, CommandError, messageOf } from '../errors.ts';
import { syncFolder } from '../folders.ts';
import { namesIn } from './archive_files.ts';

/**
 * What of an archive is compacted. The file is replaced as a whole, and that is the commit: readers leave out the JSON files that it names,
 * and read the Parquet that it names instead.
 */
export interface Manifest {
  /** The JSON files whose lines are compacted, their bytes by their names, by hour folder. */
  readonly hours: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What the partitions consist of, by day of samples. */
  readonly days: ReadonlyMap<string, CompactedDay>;
  /**
   * Folders of runs that are no part of the archive: begun and perhaps never finished, or replaced by the last commit, and perhaps still being
   * read. The next run removes them; of what is not named at all nothing is ever removed.
   */
  readonly garbage: ReadonlySet<string>;
}

/**
 * What lines are stored by. Samples of −0 are kept apart: a file, and a table of DuckDB's, takes 0 and −0 for one value where it stores a value
 * once for many rows. Others are histograms, exemplars and metadata.
 */
export const STORE_NAMES = ['samples', 'minusZeros', 'others'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** A partition: a run's folder, and the names of the files in it by what they hold. */
export interface CompactedDay extends Readonly<Record<StoreName, readonly string[]>> {
  readonly run: string;
  /** Of each file, by its name, in hexadecimal. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** The names of all its files. */
export function filesOf(day: CompactedDay): string[] {
  return STORE_NAMES.flatMap((store) => day[store]);
}

export const NOTHING_COMPACTED: Manifest = { hours: new Map(), days: new Map(), garbage: new Set() };

const VERSION = 1;
const FORM = { version: VERSION, hours: {}, days: {}, garbage: [] } as const;
const DAY_FORM = { run: '', samples: [], minusZeros: [], others: [], sha256: {} } as const;

export function manifestPath(archiveDir: string): string {
  return join(archiveDir, COMPACTED_FOLDER, MANIFEST_FILE);
}

/**
 * The manifest of an archive; the empty one where nothing was ever compacted.
 *
 * @throws CommandError when it is broken or lost: answers without what it names would be wrong
 */
export async function readManifest(archiveDir: string): Promise<Manifest> {
  const path = manifestPath(archiveDir);
  const mend =
    'restore it from a backup; if the JSON files of all days are still there, removing the folder ' +
    `${join(archiveDir, COMPACTED_FOLDER)} and compacting again makes it anew`;
  // Before the file: it is written before the first of them, so that it is lost when they are there and it is not.
  const hasPartitions = (await namesIn(join(archiveDir, COMPACTED_FOLDER))).some((name) => name.startsWith('day='));
  try {
    // Opening a FIFO would wait for who writes into it.
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    return parseManifest(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !hasPartitions) return NOTHING_COMPACTED;
    const reason = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    throw new CommandError(`cannot read what is compacted from ${path}: ${reason}; ${mend}`);
  }
}

/** Replaces the manifest, in one moment, also for the disk. The folder is there. */
export async function writeManifest(archiveDir: string, manifest: Manifest): Promise<void> {
  const path = manifestPath(archiveDir);
  const next = `${path}.new`;
  const handle = await open(next, 'w');
  try {
    await handle.writeFile(formatManifest(manifest));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, path);
  await syncFolder(join(archiveDir, COMPACTED_FOLDER));
}

export function formatManifest({ hours, days, garbage }: Manifest): string {
  const inOrder = <Value>(map: ReadonlyMap<string, Value>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const form = {
    version: VERSION,
    hours: Object.fromEntries(inOrder(hours).map(([hour, files]) => [hour, Object.fromEntries(inOrder(files))])),
    days: Object.fromEntries(inOrder(days)),
    garbage: [...garbage].sort(),
  };
  return `${JSON.stringify(form, null, 1)}\n`;
}

/** @throws Error that says what is wrong with it */
export function parseManifest(text: string): Manifest {
  const form = fieldsOf('the manifest', JSON.parse(text) as unknown, FORM);
  if (form.version !== VERSION) {
    throw new Error(`its version is ${JSON.stringify(form.version)}, and not ${VERSION}: it may be of a newer program`);
  }
  const hours = Object.entries(record('hours', form.hours)).map(([hour, files]) => {
    if (parseHourFolder(hour) === undefined) throw new Error(`${JSON.stringify(hour)} is no hour`);
    return [hour, parseFiles(hour, files)] as const;
  });
  const days = Object.entries(record('days', form.days)).map(([day, value]) => [day, parseDay(day, value)] as const);
  const garbage = new Set(textsOf('garbage', form.garbage, (folder) => parseRunFolder(folder) !== undefined));
  for (const [day, { run }] of days) {
    if (garbage.has(runFolder(day, run))) throw new Error(`${runFolder(day, run)} is garbage and part of the archive`);
  }
  return { hours: new Map(hours), days: new Map(days), garbage };
}

function parseFiles(hour: string, files: unknown): ReadonlyMap<string, number> {
  const entries = Object.entries(record(`the hour ${hour}`, files)).map(([name, bytes]) => {
    const isFile = /^[^/]+$/.test(name) && Number.isSafeInteger(bytes) && Number(bytes) >= 0;
    if (!isFile) throw new Error(`${JSON.stringify(name)} with ${JSON.stringify(bytes)} bytes is no file of an hour`);
    return [name, Number(bytes)] as const;
  });
  return new Map(entries);
}

function parseDay(day: string, value: unknown): CompactedDay {
  const { run, sha256, ...stores } = fieldsOf(`the day ${day}`, value, DAY_FORM);
  if (typeof run !== 'string' || parseRunFolder(runFolder(day, run)) === undefined) {
    throw new Error(`${JSON.stringify(day)} with the run ${JSON.stringify(run)} is no partition`);
  }
  const isFile = (name: string) => /^[^/]+$/.test(name) && name.endsWith(PARQUET_SUFFIX);
  const parsed = {
    run,
    samples: textsOf('samples', stores.samples, isFile),
    minusZeros: textsOf('minusZeros', stores.minusZeros, isFile),
    others: textsOf('others', stores.others, isFile),
    sha256: Object.fromEntries(Object.entries(record('sha256', sha256)).map(([name, sum]) => [name, String(sum)])),
  };
  const isSummed = Object.keys(parsed.sha256).sort().join() === filesOf(parsed).sort().join();
  if (!isSummed || Object.values(parsed.sha256).some((sum) => !/^[0-9a-f]{64}$/.test(sum))) {
    throw new Error(`the day ${day} does not have a sha256 for each of its files, each once`);
  }
  return parsed;
}

/** The fields of an object, which must be those of a form. */
function fieldsOf<Name extends string>(
  what: string,
  value: unknown,
  form: Readonly<Record<Name, unknown>>,
): Record<Name, unknown> {
  const fields = record(what, value);
  const expected = Object.keys(form).sort().join();
  if (Object.keys(fields).sort().join() !== expected) throw new Error(`the fields of ${what} are not ${expected}`);
  return fields;
}

function record(what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is no object`);
  return value as Record<string, unknown>;
}

function textsOf(what: string, value: unknown, isItem: (text: string) => boolean): string[] {
  if (!Array.isArray(value)) throw new Error(`${what} is no list`);
  return value.map((item: unknown) => {
    if (typeof item !== 'string' || !isItem(item))
      throw new Error(`${JSON.stringify(item)} does not belong into ${what}`);
    return item;
  });
}
