import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { queryAthena, type AthenaQueryOptions } from '../../src/read/athena_query.ts';
import type { QueryIo } from '../../src/read/print.ts';
import { bitsOf, encodeRecord } from '../../src/record.ts';
import { filesBelow } from './archive.ts';
import { openAthena, type AthenaOnDuckdb } from './athena_on_duckdb.ts';
import { FAKE_CREDENTIALS, useFakeAwsEnvironment } from './aws_env.ts';
import { startFakeAthena, type FakeAthena } from './fake_athena.ts';
import { nativeHistogram } from './native_histograms.ts';
import { HISTOGRAM_CASES } from './histogram_cases.ts';
import { collector, sampleLine, writeArchiveFile } from './query_archive.ts';

const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const time = BigInt(AT);
const labels = [
  { name: '__name__', value: 'x' },
  { name: 'job', value: 'node' },
];

/** Values whose texts differ between the engines, or could. */
const VALUES = [0, -0, 1, -1.5, 0.1, 1e7, 12_345_678.9, 1e10, 1e21, 1e23, 0.001, 0.000_1, 5e-324, Number.MAX_VALUE];
const WORDS = [NaN, Infinity, -Infinity];

/** More rows than ten pages hold. */
export const MANY = 10_500;

const LINES = [
  ...[...VALUES, ...WORDS].map((value, index) => sampleLine('value', AT + index, { value })),
  ...[-(2n ** 63n), 2n ** 63n - 1n, -62_135_596_800_001n, -62_135_596_800_000n, 253_402_300_799_999n, 0n].map(
    (absurd) => sampleLine('time', absurd),
  ),
  sampleLine('日本', AT, { labels: { job: '日本🦆 "a", b\n' } }),
  ...Object.values(HISTOGRAM_CASES).map((plain, index) =>
    encodeRecord({ kind: 'histogram', time: time + BigInt(index), labels, histogram: nativeHistogram(plain) }),
  ),
  encodeRecord({ kind: 'exemplar', time, labels, exemplar: { value: bitsOf(0.25), labels } }),
  ...['a', ''].map((help) =>
    encodeRecord({ kind: 'metadata', name: 'x', time, metadata: { type: 'counter', help, unit: 's' } }),
  ),
];

export interface AthenaUnderTest {
  /** A new one for each test. */
  readonly fake: FakeAthena;
  /** What the fake's tables hold. */
  readonly archiveDir: string;
  /** Runs SQL in the fake as the command does. */
  query(
    sql: string,
    options?: Partial<AthenaQueryOptions>,
    io?: Partial<QueryIo>,
  ): Promise<{ readonly stdout: string; readonly stderr: string }>;
}

/** An archive of everything that can be in one, and a fake Athena over it, whose rules are found to be kept after each test. */
export function useAthena(): AthenaUnderTest {
  useFakeAwsEnvironment();
  let archiveDir: string;
  let athena: AthenaOnDuckdb;
  let fake: FakeAthena;
  beforeAll(async () => {
    archiveDir = mkdtempSync(join(tmpdir(), 'athena-archive-'));
    writeArchiveFile(archiveDir, '2026/11/20/10/a.json.gz', [LINES]);
    const many = Array.from({ length: MANY }, (_, index) => sampleLine('many', AT + index, { value: index / 8 }));
    writeArchiveFile(archiveDir, '2026/11/20/11/a.json.gz', [many]);
    athena = await openAthena({
      paths: { json: filesBelow(archiveDir).map((path) => join(archiveDir, path)), parquet: [] },
    });
  });
  afterAll(() => {
    athena.close();
    rmSync(archiveDir, { recursive: true });
  });
  beforeEach(async () => {
    fake = await startFakeAthena({ athena, secretAccessKey: FAKE_CREDENTIALS.secretAccessKey });
  });
  afterEach(async () => {
    await fake.close();
    expect(fake.violations).toEqual([]);
  });
  return {
    get fake() {
      return fake;
    },
    get archiveDir() {
      return archiveDir;
    },
    async query(sql, options = {}, io = {}) {
      const out = collector();
      const err = collector();
      await queryAthena(
        sql,
        {
          format: 'csv',
          workgroup: 'prometheus',
          database: 'prometheus',
          region: 'eu-west-1',
          endpointUrl: fake.url,
          ...options,
        },
        { stdout: out.stdout, stderr: err.stdout, isTerminal: false, now: Date.now, ...io },
      );
      return { stdout: out.text(), stderr: err.text() };
    },
  };
}
