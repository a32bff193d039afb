import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { resolveQuery, type GivenQuery } from '../../../src/read/query_settings.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;

/** @param typed the options that stand on the command line */
const resolve = (given: GivenQuery, ...typed: string[]) => resolveQuery(given, (name) => typed.includes(name), NOW);

describe('the engine', () => {
  test('is the local one', () => {
    expect(resolve({})).toEqual({
      engine: 'duckdb',
      archiveDir: './archive',
      format: 'table',
      memoryLimitBytes: 1024 ** 3,
    });
    const given = { archiveDir: '/data', format: 'csv', memoryLimitBytes: 5, sinceMs: 1, fromMs: 2, toMs: 3 } as const;
    expect(resolve(given, ...Object.keys(given))).toEqual({ engine: 'duckdb', ...given });
  });

  test('is Athena', () => {
    expect(resolve({ athena: true })).toEqual({
      engine: 'athena',
      format: 'table',
      workgroup: 'prometheus',
      database: 'prometheus',
    });
    const given = {
      format: 'json',
      workgroup: 'w',
      database: 'd',
      outputLocation: 's3://bucket/',
      region: 'r',
      endpointUrl: 'http://x',
    } as const;
    expect(resolve({ athena: true, ...given }, ...Object.keys(given))).toEqual({ engine: 'athena', ...given });
  });

  test('takes no notice of what the environment says to the other', () => {
    expect(resolve({ athena: true, archiveDir: 'none', memoryLimitBytes: 5 })).not.toHaveProperty('archiveDir');
    expect(resolve({ workgroup: 'w', region: 'r' })).not.toHaveProperty('workgroup');
  });
});

describe('options that do not go together', () => {
  test.each<[GivenQuery, string]>([
    [{ archiveDir: 'a', athena: true }, '--archive-dir and --athena name two archives; leave one of them out'],
    [{ memoryLimitBytes: 5, athena: true }, '--memory-limit is for the local engine'],
    [{ workgroup: 'w' }, '--workgroup works with --athena only; give that too, or leave it out'],
    [{ database: 'd' }, '--database works with --athena only'],
    [{ outputLocation: 's3://bucket' }, '--output-location works with --athena only'],
    [{ region: 'r' }, '--region works with --athena only'],
    [{ endpointUrl: 'http://x' }, '--endpoint-url works with --athena only'],
    [{ sinceMs: HOUR, fromMs: 0, athena: true }, '--since and --from both say where the time begins'],
  ])('%o', (given, message) => {
    expect(() => resolve(given, ...Object.keys(given))).toThrow(CommandError);
    expect(() => resolve(given, ...Object.keys(given))).toThrow(message);
  });

  test.each<[GivenQuery, string]>([
    [
      { sinceMs: 2 * HOUR },
      "--since cannot cut what Athena reads; leave it out, and put this after WHERE:\ntime >= 1795168800000 AND datehour >= '2026/11/20/09'",
    ],
    [
      { fromMs: NOW - HOUR, toMs: NOW },
      '--from and --to cannot cut what Athena reads; leave them out, and put this after WHERE:\n' +
        "time >= 1795172400000 AND time < 1795176000000 AND datehour >= '2026/11/20/10'",
    ],
    [{ toMs: NOW }, '--to cannot cut what Athena reads; leave it out, and put this after WHERE:\ntime < 1795176000000'],
    [{ fromMs: 0 }, "datehour >= '1970/01/01/00'"],
  ])('Athena and %o, with the predicate to paste', (given, message) => {
    expect(() => resolve({ athena: true, ...given })).toThrow(message);
  });
});
