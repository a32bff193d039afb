import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './adapter.ts';

const ATHENA = join(ROOT, 'athena');

/** A file of `athena/`, by its path there. */
export function athenaSql(path: string): string {
  return readFileSync(join(ATHENA, path), 'utf8');
}

/** The .sql files of a folder of `athena/`, by their paths there, sorted. */
export function athenaFiles(folder: string): string[] {
  return readdirSync(join(ATHENA, folder))
    .filter((name) => name.endsWith('.sql'))
    .map((name) => join(folder, name))
    .sort();
}

/** The hour in the views as they stand in the files: nothing is compacted. */
export const NOTHING_COMPACTED = '2000/01/01/00';
