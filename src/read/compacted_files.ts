import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { COMPACTED_FOLDER, DAY_MS, endOfHour, parseHourFolder, parseSampleDay, runFolder } from '../archive.ts';
import { codeOf, CommandError } from '../errors.ts';
import { removeEmptyFolders, syncFolder } from '../folders.ts';
import { namesIn, type ArchiveFile } from './archive_files.ts';
import { filesOf, manifestPath, writeManifest, type Manifest } from './manifest.ts';

/** @throws CommandError that names a file of the manifest that is not there */
export function mustHaveFiles(archiveDir: string, { days }: Manifest): void {
  for (const [day, partition] of days) {
    for (const name of filesOf(partition)) {
      mustBeThere(archiveDir, join(archiveDir, COMPACTED_FOLDER, runFolder(day, partition.run), name));
    }
  }
}

/** @throws CommandError that names the file */
export function mustBeThere(archiveDir: string, path: string): void {
  if (existsSync(path)) return;
  throw new CommandError(
    `${path} is missing, which ${manifestPath(archiveDir)} names: restore the file from a backup; ` +
      'if a compaction ended or began at this moment, just run it again',
  );
}

/** The checksum of a file's bytes, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @throws CommandError that names a Parquet file that is not what was written: it would be written anew as if it were right */
export async function mustBeIntact(path: string, sha256: string | undefined): Promise<void> {
  if ((await sha256Of(path)) === sha256) return;
  throw new CommandError(`${path} has changed since it was written (its SHA-256 is another): restore it from a backup`);
}

/** Removes the folders that the manifest calls garbage, and of what is not named there nothing. */
export async function removeGarbage(archiveDir: string, manifest: Manifest): Promise<Manifest> {
  if (manifest.garbage.size === 0) return manifest;
  for (const folder of manifest.garbage) {
    const path = join(archiveDir, COMPACTED_FOLDER, folder);
    await rm(path, { recursive: true, force: true });
    await removeEmptyFolders(join(archiveDir, COMPACTED_FOLDER), dirname(path));
  }
  const next = { ...manifest, garbage: new Set<string>() };
  await writeManifest(archiveDir, next);
  return next;
}

/**
 * Takes the days of samples out of the archive that ended at a time or earlier; the next run removes their files. Hours of arrival are
 * forgotten with them once they have no files any more.
 *
 * @returns the days
 */
export async function dropExpired(
  archiveDir: string,
  manifest: Manifest,
  beforeMs: number,
): Promise<readonly string[]> {
  const expired = [...manifest.days].filter(([day]) => (parseSampleDay(day) ?? Infinity) + DAY_MS <= beforeMs);
  const hours = new Map(manifest.hours);
  for (const folder of hours.keys()) {
    if (endOfHour(parseHourFolder(folder)!) > beforeMs) continue;
    if ((await namesIn(join(archiveDir, folder))).length === 0) hours.delete(folder);
  }
  const dropped = expired.map(([day]) => day);
  if (dropped.length === 0 && hours.size === manifest.hours.size) return dropped;
  const days = new Map([...manifest.days].filter(([day]) => !dropped.includes(day)));
  const garbage = new Set([...manifest.garbage, ...expired.map(([day, { run }]) => runFolder(day, run))]);
  await writeManifest(archiveDir, { hours, days, garbage });
  return dropped;
}

/** @throws CommandError that names a JSON file that has changed since it was compacted: what it holds now is nowhere else */
export async function mustBeAsCompacted({ hours }: Manifest, files: readonly ArchiveFile[]): Promise<void> {
  for (const { folder, name, path } of files) {
    const bytes = await bytesOrNone(path);
    const compactedBytes = hours.get(folder)?.get(name);
    if (bytes === undefined || bytes === compactedBytes) continue;
    throw new CommandError(
      `${path} has ${bytes} bytes, and had ${compactedBytes} when it was compacted: give what is there now another name, and it is compacted as well`,
    );
  }
}

/** Removes JSON files whose lines are safe in Parquet, and the folders that are left empty. */
export async function removeJson(archiveDir: string, files: readonly ArchiveFile[]): Promise<void> {
  // Retention may remove the same.
  for (const { path } of files) await rm(path, { force: true });
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    await syncFolder(await removeEmptyFolders(archiveDir, folder));
  }
}

async function bytesOrNone(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
