import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { OPTIONS } from '../../src/config.ts';
import type { Option } from '../../src/option.ts';
import { QUERY_OPTIONS } from '../../src/read/query_options.ts';
import { CLI, NO_AWS, ROOT, startAdapter } from '../support/adapter.ts';
import { temporaryDir } from '../support/archive.ts';
import { get } from '../support/http.ts';
import { endProcesses, run } from '../support/processes.ts';

/** What the command line and the environment say to the program, and it to its user. */

const options: readonly Option<unknown>[] = Object.values(OPTIONS);
const queryOptions: readonly Option<unknown>[] = Object.values(QUERY_OPTIONS);
const IMPOSSIBLE = 'no such value!';
/** Whether it is a folder, a file or a region is seen later. */
const TAKING_ANYTHING = ['--archive-dir', '--web.config.file', '--region'];

afterEach(endProcesses);

/** Takes the right from root to write where the permissions say no. */
const AS_ORDINARY_USER = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : [];

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the one behind it. */
  readonly wrapper?: readonly string[];
}

/** Runs the program to its end. It listens on a free port of the loopback address, should it come to that. */
function cli(args: readonly string[], { env = {}, wrapper = [] }: Surroundings = {}) {
  const [command, ...rest] = [...wrapper, process.execPath, CLI, ...args] as const;
  return run(command!, { args: rest, cwd: temporaryDir(), env: { ...NO_AWS, LISTEN_ADDR: '127.0.0.1:0', ...env } });
}

/** Runs the program, which must refuse to start: exit code 1 and words for its user, no stack trace. */
async function complaint(args: readonly string[], surroundings: Surroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await cli(args, surroundings);
  expect({ code, stdout, stderr }).toMatchObject({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^error: /m);
  expect(stderr).not.toMatch(/^\s+at |Error:|node:internal|file:\/\//m);
  return stderr;
}

describe('--help', () => {
  test('of the program tells of every option, with variable and default', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { flag, alias, env, default: preset, unset } of options)
      expectMention(stdout, [flag, alias, env, preset, unset]);
    expectMention(stdout, ['serve', 'query', '--version']);
  });

  test('of query tells of every option', async () => {
    const { code, stdout } = await cli(['query', '--help']);
    expect(code).toBe(0);
    for (const { flag, env, default: preset, unset } of queryOptions) {
      expectMention(stdout, [flag, env, preset, unset]);
    }
    expectMention(stdout, ['<sql>', OPTIONS.archiveDir.flag, OPTIONS.archiveDir.env]);
  });

  function expectMention(help: string, texts: readonly (string | undefined)[]): void {
    const words = help.replaceAll(/\s+/g, ' ');
    for (const text of texts) if (text !== undefined) expect(words).toContain(text);
  }

  test('--version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('a value that is none', () => {
  const choosy = options.filter(({ parse }) => parses(parse) !== true);

  test('is possible for most options', () => {
    expect(choosy.map(({ flag }) => flag)).toEqual(
      options.map(({ flag }) => flag).filter((flag) => !TAKING_ANYTHING.includes(flag)),
    );
  });

  test.each(choosy)('of $flag', async ({ flag, alias, env, parse }) => {
    const mend = parses(parse);
    const given = [flag, ...(alias === undefined ? [] : [alias])].map((name) => complaint([name, IMPOSSIBLE]));
    for (const message of await Promise.all(given)) expectAll(message, [flag, IMPOSSIBLE, mend]);
    if (env !== undefined)
      expectAll(await complaint([], { env: { [env]: IMPOSSIBLE } }), [flag, env, IMPOSSIBLE, mend]);
  });

  test.each(queryOptions.filter(({ parse }) => parses(parse) !== true))('of query $flag', async ({ flag, parse }) => {
    expectAll(await complaint(['query', flag, IMPOSSIBLE, 'SELECT 1']), [flag, IMPOSSIBLE, parses(parse)]);
  });

  test.each([
    { given: ['--flush-interval', '0ms'], bound: '1ms' },
    { given: ['--delivery-timeout', '11m'], bound: '10m' },
    { given: ['--max-body-bytes', '1023'], bound: '1KiB' },
    { given: ['--listen-addr', '127.0.0.1:65536'], bound: '65535' },
    { given: ['--endpoint-url', 'localhost:4567'], bound: 'http://127.0.0.1:4567' },
  ])('$given names the bound (test/unit/config.test.ts has them all)', async ({ given, bound }) => {
    expectAll(await complaint(given), [...given, bound]);
  });

  /** True, or what is wrong. */
  function parses(parse: (text: string) => unknown): string | true {
    try {
      parse(IMPOSSIBLE);
      return true;
    } catch (error) {
      return (error as Error).message;
    }
  }
});

describe('settings that do not go together, or do not work', () => {
  const stream = { STREAM_NAME: 'x', AWS_REGION: 'us-east-1' } as const;

  test.each([
    { what: 'an unknown option', args: ['--stream-nam', 'x'], words: ['--stream-nam', 'mean --stream-name', '--help'] },
    { what: 'an unknown command', args: ['sreve'], words: ['sreve', '--help'] },
    { what: 'an option without its value', args: ['--stream-name'], words: ['--stream-name', 'missing'] },
    {
      what: 'two destinations',
      env: { ...stream, ARCHIVE_DIR: 'a' },
      words: ['--stream-name (STREAM_NAME)', '--archive-dir (ARCHIVE_DIR)', 'leave one of them out'],
    },
    {
      what: 'no destination',
      env: { ARCHIVE_DIR: 'none' },
      words: ['no destination', '--stream-name (STREAM_NAME)', '--archive-dir (ARCHIVE_DIR)'],
    },
    {
      what: 'no destination, the variable empty',
      env: { ARCHIVE_DIR: 'none', STREAM_NAME: '' },
      words: ['no destination', '--stream-name (STREAM_NAME)'],
    },
    { what: 'a stream without a region', env: { STREAM_NAME: 'x' }, words: ['--region (AWS_REGION)', 'us-east-1'] },
    {
      what: 'a retention of a stream',
      env: { ...stream, ARCHIVE_RETENTION: '30d' },
      words: ['--archive-retention (ARCHIVE_RETENTION)', '--stream-name'],
    },
    {
      what: 'an endpoint without a stream',
      args: ['--endpoint-url', 'http://127.0.0.1:1'],
      words: ['--endpoint-url', '--stream-name (STREAM_NAME)'],
    },
    {
      what: 'a query of Athena and of a directory',
      args: ['query', '--athena', '--archive-dir', 'a', 'SELECT 1'],
      words: ['--archive-dir', '--athena', 'leave one of them out'],
    },
    {
      what: 'a query of Athena with memory',
      args: ['query', '--athena', '--memory-limit', '1GiB', 'SELECT 1'],
      words: ['--memory-limit', '--athena', 'leave one of them out'],
    },
    {
      what: 'a query of Athena since a time',
      args: ['query', '--athena', '--since', '2h', 'SELECT 1'],
      words: ['--since', 'WHERE', 'time >= ', "AND datehour >= '20"],
    },
    {
      what: 'a workgroup without Athena',
      args: ['query', '--workgroup', 'prometheus', 'SELECT 1'],
      words: ['--workgroup', '--athena'],
    },
  ])('$what', async ({ args = [], env = {}, words }) => {
    expectAll(await complaint(args, { env }), words);
  });

  test('a port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expectAll(await complaint(['--listen-addr', address]), [
      '--listen-addr (LISTEN_ADDR)',
      address,
      'in use',
      'another port',
    ]);
  });

  test('an address of another machine', async () => {
    expectAll(await complaint(['--listen-addr', '192.0.2.1:9501']), ['--listen-addr (LISTEN_ADDR)', '192.0.2.1']);
  });

  test('an archive directory that is a file', async () => {
    const file = join(temporaryDir(), 'file');
    writeFileSync(file, 'mine');
    for (const dir of [file, join(file, 'below')]) {
      expectAll(await complaint(['--archive-dir', dir]), ['--archive-dir (ARCHIVE_DIR)', dir]);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('an archive directory without permission', async () => {
    const above = temporaryDir();
    const dir = join(above, 'archive');
    mkdirSync(dir);
    chmodSync(dir, 0o555);
    chmodSync(above, 0o555);
    onTestFinished(() => {
      chmodSync(above, 0o755);
    });
    for (const path of [dir, join(above, 'new')]) {
      const message = await complaint(['--archive-dir', path], { wrapper: AS_ORDINARY_USER });
      expectAll(message, ['--archive-dir (ARCHIVE_DIR)', path, 'permission']);
    }
  });

  test('an archive directory that another one writes into, by whichever name', async () => {
    const dir = temporaryDir();
    const link = join(temporaryDir(), 'link');
    symlinkSync(dir, link);
    await startAdapter({ env: { ARCHIVE_DIR: dir } });
    for (const path of [dir, link]) {
      expectAll(await complaint(['--archive-dir', path]), [
        '--archive-dir (ARCHIVE_DIR)',
        path,
        'each its own directory',
      ]);
    }
  });

  test('a query of an archive that is not there', async () => {
    const dir = join(tmpdir(), 'no such archive');
    expectAll(await complaint(['query', '--archive-dir', dir, 'SELECT 1']), [dir]);
  });
});

test('empty variables count as unset, flags win over variables', async () => {
  const dir = temporaryDir();
  const empty = Object.fromEntries(options.flatMap(({ env }) => (env === undefined ? [] : [[env, '']])));
  const adapter = await startAdapter({
    args: ['--listen-addr', '127.0.0.1:0', '--archive-dir', join(dir, 'by-flag')],
    env: { ...empty, ARCHIVE_DIR: join(dir, 'by-variable') },
  });
  expect((await get(adapter.port, '/-/ready')).status).toBe(200);
  expect(await adapter.stop()).toBe(0);
  expect([existsSync(join(dir, 'by-flag')), existsSync(join(dir, 'by-variable'))]).toEqual([true, false]);
});

function expectAll(message: string, words: readonly (string | boolean)[]): void {
  for (const word of words) expect(message).toContain(word);
}
