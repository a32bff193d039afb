import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { memberLength } from '../../src/archive.ts';
import { textsOf } from './lines.ts';

/** A new empty folder that goes with the test. */
export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'archive-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** Paths of all that stands below a folder and is none, sorted. Links are not followed, as Node's own recursion does from 24 on. */
export function filesBelow(dir: string, above = ''): string[] {
  return readdirSync(join(dir, above), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(dir, join(above, entry.name)) : [join(above, entry.name)]))
    .sort();
}

/** Paths of what the archive holds, the file that is being written included. */
export function archiveFiles(dir: string): string[] {
  return filesBelow(dir).filter((path) => path.includes('.json.gz'));
}

/** The lines of one file, which must be a row of whole members; zlib reads it at one go, as any gzip reader does. */
export function readArchiveFile(path: string): string[] {
  const bytes = readFileSync(path);
  let end = 0;
  while (end < bytes.length) end += memberLength(bytes, end) ?? Infinity;
  if (end !== bytes.length) throw new Error(`${path} is no row of whole members`);
  return textsOf(gunzipSync(bytes));
}

/** The lines of all files. */
export function readArchive(dir: string): string[] {
  return archiveFiles(dir).flatMap((path) => readArchiveFile(join(dir, path)));
}
