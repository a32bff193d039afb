import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { memberLength } from '../../../src/archive.ts';
import { archiveFiles, filesBelow, readArchive } from '../../support/archive.ts';
import type { FakeAws } from '../../support/fake_aws.ts';
import { startFakeFirehose, type FakeFirehoseOptions } from '../../support/fake_firehose.ts';
import { startFakeKinesis, type FakeKinesisOptions } from '../../support/fake_kinesis.ts';
import { rowsOf } from '../../support/query_archive.ts';
import type { MemoryOptions } from './memory.ts';

/** As the README's example has it. */
const AWS_ENV = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' } as const;
const STREAM = 'history';

export type TorturedFake = FakeAws<{ readonly data: Buffer }>;

/** Where an adapter under torture puts what it gets. */
export interface TorturedSink extends Pick<MemoryOptions, 'sink' | 'packing'> {
  readonly name: string;
  /** What tells the adapter of it. */
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** The strict fake that stands in for AWS; undefined for a directory. */
  readonly fake: TorturedFake | undefined;
  /** Leaves what a write that was cut off in the middle leaves, as after power was; false where nothing can be. Of AWS's there is no such thing. */
  tear?(): boolean;
  /** All lines that it holds, once no adapter writes any more, after a check that it is whole. */
  lines(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A sink by its name, to be started for each row. */
export interface SinkKind {
  readonly name: string;
  /** @param dir an empty folder */
  start(dir: string, options?: FakeOptions): Promise<TorturedSink>;
}

type FakeOptions = FakeKinesisOptions & FakeFirehoseOptions;

/** A Kinesis stream, with the packing of its records. */
export function kinesis(packing: MemoryOptions['packing']): SinkKind {
  const name = `Kinesis, ${packing}`;
  return {
    name,
    start: async (_dir, options) => {
      const fake = await startFakeKinesis({ secretAccessKey: AWS_ENV.AWS_SECRET_ACCESS_KEY, ...options });
      const args = ['--endpoint-url', fake.url, '--packing', packing];
      const env = { ...AWS_ENV, STREAM_NAME: STREAM };
      return { name, sink: 'kinesis', packing, env, args, ...ofFake(fake) };
    },
  };
}

export const FIREHOSE: SinkKind = {
  name: 'Firehose, gzip',
  start: async (_dir, options) => {
    const fake = await startFakeFirehose({ secretAccessKey: AWS_ENV.AWS_SECRET_ACCESS_KEY, ...options });
    const args = ['--endpoint-url', fake.url, '--packing', 'gzip'];
    const env = { ...AWS_ENV, DELIVERY_STREAM_NAME: STREAM };
    return { name: FIREHOSE.name, sink: 'firehose', packing: 'gzip', env, args, ...ofFake(fake) };
  },
};

export const DIRECTORY: SinkKind = {
  name: 'directory',
  start: (dir) => {
    const archiveDir = join(dir, 'archive');
    return Promise.resolve({
      name: DIRECTORY.name,
      sink: 'directory',
      packing: 'none',
      env: { ARCHIVE_DIR: archiveDir },
      args: [],
      fake: undefined,
      tear: () => tearOpenFile(archiveDir),
      lines: () => readWholeArchive(archiveDir),
      close: () => Promise.resolve(),
    });
  },
};

export const SINKS: readonly SinkKind[] = [kinesis('none'), kinesis('gzip'), FIREHOSE, DIRECTORY];

function ofFake(fake: TorturedFake): Pick<TorturedSink, 'fake' | 'lines' | 'close'> {
  return {
    fake,
    lines: () => {
      expect(fake.violations).toEqual([]);
      return Promise.resolve(fake.lines());
    },
    close: () => fake.close(),
  };
}

/** Half a member more at the end of the file that was being written, which nobody was told is safe. */
function tearOpenFile(dir: string): boolean {
  const open = archiveFiles(dir).find((path) => path.endsWith('.open'));
  if (open === undefined) return false;
  const path = join(dir, open);
  const bytes = readFileSync(path);
  appendFileSync(path, bytes.subarray(0, Math.ceil((memberLength(bytes) ?? 0) / 2)));
  return true;
}

/** Every file is a row of whole members, nothing was set aside as damaged, and `query` reads as many lines. */
async function readWholeArchive(dir: string): Promise<readonly string[]> {
  const lines = readArchive(dir);
  expect(filesBelow(dir).filter((path) => !path.endsWith('.json.gz'))).toEqual([]);
  const [counted] = await rowsOf('SELECT count(*) AS lines FROM samples_raw', { archiveDir: dir });
  expect(Number(counted?.['lines'])).toBe(lines.length);
  return lines;
}
