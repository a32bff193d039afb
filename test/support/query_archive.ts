import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { frameMember } from '../../src/archive.ts';
import { bitsOf, encodeRecord, type ArchiveRecord, type DoubleBits } from '../../src/record.ts';
import type { QueryIo } from '../../src/read/print.ts';
import { query, type QueryOptions } from '../../src/read/query.ts';

/** A gzip member of these lines, as the directory sink writes it. */
export function memberOf(lines: readonly string[]): Uint8Array {
  return frameMember(gzipSync(lines.join('')));
}

/** Writes a file of the archive, one member each for the given lists of lines. */
export function writeArchiveFile(dir: string, path: string, members: readonly (readonly string[])[]): void {
  writeBytes(dir, path, Buffer.concat(members.map(memberOf)));
}

export function writeBytes(dir: string, path: string, bytes: Uint8Array): void {
  const target = join(dir, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
}

/** The line of a sample; labels beside `__name__` come sorted. */
export function sampleLine(
  name: string,
  time: number | bigint,
  { value = 1, bits, labels = {} }: { value?: number; bits?: DoubleBits; labels?: Record<string, string> } = {},
): string {
  const record: ArchiveRecord = {
    kind: 'sample',
    time: BigInt(time),
    value: bits ?? bitsOf(value),
    labels: Object.entries({ __name__: name, ...labels }).map(([label, text]) => ({ name: label, value: text })),
  };
  return encodeRecord(record);
}

const NOW_MS = Date.UTC(2026, 10, 20, 12);

const MIB = 1024 ** 2;

/** Runs SQL over an archive as the command does. */
export async function runQuery(
  sql: string,
  options: Partial<QueryOptions> & { readonly archiveDir: string },
  io: Partial<QueryIo> = {},
): Promise<string> {
  const { stdout, text } = collector();
  const stderr = new PassThrough();
  await query(
    sql,
    { format: 'table', memoryLimitBytes: 512 * MIB, ...options },
    { stdout, stderr, isTerminal: false, now: () => NOW_MS, ...io },
  );
  return text();
}

/** The rows of a query, each an object of the columns. Numbers beyond 2^53 are better read as text. */
export async function rowsOf(
  sql: string,
  options: Partial<QueryOptions> & { readonly archiveDir: string },
): Promise<Record<string, unknown>[]> {
  const text = await runQuery(sql, { ...options, format: 'json' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** How many files DuckDB opened for a query, by its own plan. */
export async function filesRead(
  sql: string,
  options: Partial<QueryOptions> & { readonly archiveDir: string },
): Promise<number> {
  const plan = await runQuery(`EXPLAIN ANALYZE ${sql}`, options);
  const counts = Array.from(plan.matchAll(/Total Files Read: (\d+)/g), ([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

export function collector(): { stdout: Writable; text: () => string } {
  const pieces: string[] = [];
  const stdout = new Writable({
    decodeStrings: false,
    write(piece: string, _encoding, done) {
      pieces.push(piece);
      done();
    },
  });
  return { stdout, text: () => pieces.join('') };
}
