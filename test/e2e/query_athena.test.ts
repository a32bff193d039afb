import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { CLI, NO_AWS } from '../support/adapter.ts';
import { MANY, useAthena } from '../support/athena_archive.ts';
import { FAKE_CREDENTIALS } from '../support/aws_env.ts';
import { endProcesses, run, startProcess, waitFor, type Process } from '../support/processes.ts';

/** The program as its users run it, against a fake Athena. */

const athena = useAthena();
afterEach(endProcesses);

const TOKEN = 'a session token as long as those of AWS are';
const ENV = {
  ...NO_AWS,
  AWS_ACCESS_KEY_ID: FAKE_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: FAKE_CREDENTIALS.secretAccessKey,
  AWS_REGION: 'eu-west-1',
  // As the image has it.
  ARCHIVE_DIR: 'none',
};

const argsOf = (...args: readonly string[]) => [CLI, 'query', '--athena', '--endpoint-url', athena.fake.url, ...args];

function query(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return run(process.execPath, { args: argsOf(...args), env: { ...ENV, ...env } });
}

describe('the command', () => {
  test('prints the result, and on stderr what it cost', async () => {
    const { code, stdout, stderr } = await query(["SELECT count(*) AS n FROM samples_raw WHERE name = 'many'"]);
    expect([code, stdout]).toEqual([0, `    n\n-----\n${MANY}\n(1 row)\n`]);
    expect(stderr).toMatch(/^athena: 1\.23 GB scanned in 3\.0 s, about \$0\.0062 .*, query [0-9a-f-]{36}\n$/);
  });

  test('takes workgroup, database and output location from the environment; flags win, empty ones are none', async () => {
    await query(['SELECT 1 AS one'], { ATHENA_WORKGROUP: '', ATHENA_DATABASE: '', ATHENA_OUTPUT_LOCATION: '' });
    const env = { ATHENA_WORKGROUP: 'primary', ATHENA_DATABASE: 'other', ATHENA_OUTPUT_LOCATION: 's3://bucket/x' };
    await query(['SELECT 1 AS one', '--database', 'prometheus'], env);
    expect(athena.fake.inputs('StartQueryExecution')).toMatchObject([
      { WorkGroup: 'prometheus', QueryExecutionContext: { Database: 'prometheus' } },
      {
        WorkGroup: 'primary',
        QueryExecutionContext: { Database: 'prometheus' },
        ResultConfiguration: { OutputLocation: 's3://bucket/x' },
      },
    ]);
    expect(athena.fake.inputs('StartQueryExecution')[0]).not.toHaveProperty('ResultConfiguration');
  });

  test.each([
    [
      'a query that fails',
      ['SELECT * FROM sampels'],
      {},
      /^athena: failed, .*\nerror: the query failed: TABLE_NOT_FOUND/,
    ],
    ['SQL that is none', ['SELEC 1'], {}, /^error: athena:StartQueryExecution on workgroup prometheus: .*line 1:1/],
    ['no region', ['SELECT 1'], { AWS_REGION: '' }, /^error: no AWS region for Athena: .*--region \(AWS_REGION\)/],
    [
      'no credentials',
      ['SELECT 1'],
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      /^error: .*CredentialsProviderError: .*\nTo mend it: give valid AWS credentials/,
    ],
  ])('ends with exit code 1 and words for its user: %s', async (_, args, env, message) => {
    const { code, stdout, stderr } = await query(args, env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |^Error|node:internal|file:\/\//m);
  });

  test('repeats no secret that AWS repeats', async () => {
    const message = `The security token '${TOKEN}' included in the request is expired`;
    athena.fake.script('StartQueryExecution', { kind: 'error', status: 400, type: 'ExpiredTokenException', message });
    const { code, stderr } = await query(['SELECT 1'], { AWS_SESSION_TOKEN: TOKEN });
    expect(code).toBe(1);
    expect(stderr).toContain('ExpiredTokenException');
    expect(stderr).not.toContain(TOKEN);
  });

  test('ends quietly when its reader has gone', async () => {
    const sql = "SELECT time, labels FROM samples WHERE name = 'many'";
    const script = '{ "$@"; echo "exit $?" >&2; } | head -n 1';
    const args = ['-c', script, 'sh', process.execPath, ...argsOf('--format', 'csv', sql)];
    const { stdout, stderr } = await run('sh', { args, env: ENV });
    expect(stdout).toBe('time,labels\r\n');
    expect(stderr).toMatch(/^athena: 1\.23 GB scanned in .*\nexit 0\n$/);
  });
});

describe('a signal stops the query in Athena:', () => {
  async function running(): Promise<Process> {
    athena.fake.service.polls = Infinity;
    const started = startProcess(process.execPath, { args: argsOf('SELECT 1 AS one'), env: ENV });
    await athena.fake.arrived('GetQueryExecution', 2);
    return started;
  }

  async function expectStopped(started: Process): Promise<void> {
    expect(await started.exited).toEqual({ code: 1, signal: null });
    await started.closed;
    expect(started.stdout).toBe('');
    expect(started.stderr).toMatch(/^athena: cancelled, .* scanned in .*\nerror: interrupted\n$/);
    expect(athena.fake.service.executions).toMatchObject([{ state: 'CANCELLED' }]);
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', async (signal) => {
    const started = await running();
    started.kill(signal);
    await expectStopped(started);
  });

  test('Ctrl-C that comes twice, as it does below npm', async () => {
    const started = await running();
    started.kill('SIGINT');
    started.kill('SIGINT');
    await expectStopped(started);
  });

  test('and a second one, later, ends the command at once', async () => {
    const started = await running();
    athena.fake.script('StopQueryExecution', { kind: 'hold', until: new Promise(() => undefined) });
    started.kill('SIGINT');
    await athena.fake.arrived('StopQueryExecution');
    const again = () => {
      started.kill('SIGINT');
      return started.hasExited;
    };
    await waitFor(again, { timeoutMs: 10_000, what: () => 'the command to end' });
    expect(await started.exited).toEqual({ code: 1, signal: null });
  });
});

test('neither engine is loaded for the other', async () => {
  athena.fake.service.polls = Infinity;
  const started = startProcess(process.execPath, { args: argsOf('SELECT 1 AS one'), env: ENV });
  await athena.fake.arrived('GetQueryExecution');
  // What is mapped into the process; DuckDB is a native library.
  expect(readFileSync(`/proc/${started.pid}/maps`, 'utf8')).not.toMatch(/duckdb/);
  started.kill('SIGINT');
  await started.exited;
});
