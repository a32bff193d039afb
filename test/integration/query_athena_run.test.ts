import { Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { useAthena } from '../support/athena_archive.ts';
import { messageOf } from '../support/command_error.ts';
import type { AthenaBehaviour } from '../support/fake_athena.ts';
import { collector } from '../support/query_archive.ts';

/** How `query --athena` starts, follows and ends a query. */

const athena = useAthena();
const SQL = 'SELECT 1 AS one';

describe('a query', () => {
  test('is started with a token, where it is to run', async () => {
    await athena.query(SQL, { database: 'prometheus', workgroup: 'prometheus' });
    await athena.query(SQL, { workgroup: 'primary', outputLocation: 's3://bucket/prefix/' });
    const [first, second] = athena.fake.inputs('StartQueryExecution');
    expect(first).toEqual({
      QueryString: SQL,
      ClientRequestToken: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      QueryExecutionContext: { Database: 'prometheus' },
      WorkGroup: 'prometheus',
    });
    expect(second).toMatchObject({
      WorkGroup: 'primary',
      ResultConfiguration: { OutputLocation: 's3://bucket/prefix/' },
    });
    expect(second!['ClientRequestToken']).not.toBe(first!['ClientRequestToken']);
  });

  test('says in one line what it scanned and cost', async () => {
    const { stdout, stderr } = await athena.query(SQL);
    expect(stdout).toBe('one\r\n1\r\n');
    const [{ id } = { id: '' }] = athena.fake.service.executions;
    expect(stderr).toBe(
      `athena: 1.23 GB scanned in 3.0 s, about $0.0062 (at $5 a TB, the price of us-east-1), query ${id}\n`,
    );
  });

  test('shows a terminal how far it is', async () => {
    const { service } = athena.fake;
    service.polls = Infinity;
    const { stdout: terminal, text } = collector();
    const stderr = new Writable({
      decodeStrings: false,
      write(piece: string, _encoding, done) {
        terminal.write(piece);
        if (piece.includes('running')) service.polls = 0;
        done();
      },
    });
    await athena.query(SQL, {}, { stderr, isTerminal: true });
    expect(text().replaceAll('\r\u001b[K', '<erase>')).toMatch(
      /^<erase>running, (?:\d+ MB|1\.23 GB) scanned, 1 s(?:<erase>(?:running|reading the result), 1\.23 GB scanned, \d s)*<erase>athena: 1\.23 GB scanned in /,
    );
  });

  test('goes on when looking at it is throttled, or the connection breaks', async () => {
    const { fake } = athena;
    fake.script(
      'GetQueryExecution',
      { kind: 'error', status: 400, type: 'ThrottlingException', message: 'Rate exceeded' },
      { kind: 'reset', accepted: true },
    );
    fake.script('GetQueryResults', { kind: 'error', status: 400, type: 'TooManyRequestsException' });
    fake.script('StartQueryExecution', { kind: 'error', status: 500, type: 'InternalServerException' });
    expect((await athena.query(SQL)).stdout).toBe('one\r\n1\r\n');
    expect(fake.inputs('GetQueryResults')).toHaveLength(2);
  });

  test('is one, also when the answer to its start is lost', async () => {
    athena.fake.script('StartQueryExecution', { kind: 'reset', accepted: true }, { kind: 'reset', accepted: false });
    expect((await athena.query(SQL)).stdout).toBe('one\r\n1\r\n');
    const tokens = athena.fake.inputs('StartQueryExecution').map((input) => input['ClientRequestToken']);
    expect(tokens).toEqual([tokens[0], tokens[0], tokens[0]]);
    expect(athena.fake.service.executions).toHaveLength(1);
  });
});

describe('Ctrl-C', () => {
  const queries = () => athena.fake.service.executions.map(({ state }) => state);

  test('before the start asks nothing of Athena', async () => {
    expect(await messageOf(athena.query(SQL, { signal: AbortSignal.abort() }))).toBe('interrupted');
    expect(athena.fake.calls).toEqual([]);
  });

  test('while it runs stops it, and says what it cost', async () => {
    const { fake } = athena;
    fake.service.polls = Infinity;
    const controller = new AbortController();
    const err = collector();
    const running = messageOf(athena.query(SQL, { signal: controller.signal }, { stderr: err.stdout }));
    await fake.arrived('GetQueryExecution', 3);
    controller.abort();
    expect(await running).toBe('interrupted');
    expect(queries()).toEqual(['CANCELLED']);
    expect(err.text()).toMatch(/^athena: cancelled, (?:\d+ MB|1\.23 GB) scanned in .* about \$0\.00/);
  });

  test.each([
    ['waits', { kind: 'hold', until: Promise.resolve() }],
    ['is lost', { kind: 'reset', accepted: true }],
    ['is an error that passes', { kind: 'error', status: 500, type: 'InternalServerException' }],
  ] as const)('while it is started, and the answer %s, leaves nothing running', async (_, behaviour) => {
    const { fake } = athena;
    fake.service.polls = Infinity;
    const controller = new AbortController();
    let answer: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (answer = resolve));
    fake.script('StartQueryExecution', behaviour.kind === 'hold' ? { kind: 'hold', until } : behaviour);
    const running = messageOf(athena.query(SQL, { signal: controller.signal }));
    await fake.arrived('StartQueryExecution');
    controller.abort();
    answer();
    expect(await running).toBe('interrupted');
    expect(queries()).toEqual(['CANCELLED']);
  });

  test.each([
    ['its first answer never comes, finds it by its token', 1, 'interrupted', ['CANCELLED']],
    ['no answer comes, says so', 9, 'interrupted; Athena did not answer in time, so a query may still run', ['QUEUED']],
  ])('while it is started, and %s', async (_, unanswered, message, states) => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const { fake } = athena;
      fake.service.polls = Infinity;
      const until = new Promise(() => undefined);
      fake.script('StartQueryExecution', ...Array<AthenaBehaviour>(unanswered).fill({ kind: 'hold', until }));
      const controller = new AbortController();
      const ended = messageOf(athena.query(SQL, { signal: controller.signal }));
      await fake.arrived('StartQueryExecution');
      controller.abort();
      // Past the time-out of the first call, with time for what goes over the socket meanwhile.
      await vi.advanceTimersByTimeAsync(10_000);
      while (fake.inputs('StartQueryExecution').length < 2) await vi.advanceTimersByTimeAsync(1);
      if (unanswered > 1) await vi.advanceTimersByTimeAsync(15_000);
      expect(await ended).toContain(message);
      expect(queries()).toEqual(states);
    } finally {
      vi.useRealTimers();
    }
  });

  test('while its result is read needs to stop nothing', async () => {
    const { fake } = athena;
    const controller = new AbortController();
    const stdout = new Writable({
      write: () => {
        controller.abort();
      },
    });
    expect(await messageOf(athena.query(SQL, { signal: controller.signal }, { stdout }))).toBe('interrupted');
    expect(fake.inputs('StopQueryExecution')).toEqual([]);
    expect(queries()).toEqual(['SUCCEEDED']);
  });

  test('when it may not be stopped says how it is', async () => {
    const { fake } = athena;
    fake.service.polls = Infinity;
    fake.script('StopQueryExecution', { kind: 'error', status: 400, type: 'AccessDeniedException', message: 'no' });
    const controller = new AbortController();
    const running = messageOf(athena.query(SQL, { signal: controller.signal }));
    await fake.arrived('GetQueryExecution');
    controller.abort();
    const message = await running;
    expect(message).toMatch(
      /^interrupted\nThe query may still run, because it could not be stopped \(athena:StopQuery/,
    );
    expect(message).toContain(`aws athena stop-query-execution --query-execution-id ${fake.service.executions[0]!.id}`);
  });
});

test('a query that cannot be followed is stopped', async () => {
  const { fake } = athena;
  fake.service.polls = Infinity;
  const message = 'You are not authorized to perform: athena:GetQueryExecution on the resource.';
  fake.script('GetQueryExecution', { kind: 'error', status: 400, type: 'AccessDeniedException', message });
  expect(await messageOf(athena.query(SQL))).toMatch(
    /^athena:GetQueryExecution on workgroup prometheus: AccessDeniedException: .*\nTo mend it: allow athena:GetQueryExecution/,
  );
  expect(fake.service.executions).toMatchObject([{ state: 'CANCELLED' }]);
});

describe('what is wrong is said, with what mends it:', () => {
  test.each<[string, string, object, RegExp]>([
    [
      'a table',
      'SELECT * FROM sampels',
      {},
      /^the query failed: TABLE_NOT_FOUND: line 1:15: .*\nTo mend it: .*athena\/README\.md/,
    ],
    [
      'a column',
      'SELECT nope FROM samples',
      {},
      /^the query failed: COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved$/,
    ],
    [
      'a database',
      SQL,
      { database: 'other' },
      /SCHEMA_NOT_FOUND.*\nTo mend it: .*--database \(ATHENA_DATABASE\), now other/,
    ],
    [
      'a workgroup',
      SQL,
      { workgroup: 'other' },
      /WorkGroup is not found\.\nTo mend it: .*--workgroup \(ATHENA_WORKGROUP\), now other/,
    ],
    [
      'no output location',
      SQL,
      { workgroup: 'primary' },
      /No output location provided.*\nTo mend it: give --output-location/,
    ],
    [
      'a syntax error',
      'SELEC 1',
      {},
      /^athena:StartQueryExecution on workgroup prometheus: InvalidRequestException: line 1:1: /,
    ],
    ['no SQL', ' \n', {}, /^the SQL is empty$/],
    ['too much SQL', `SELECT '${'é'.repeat(131_072)}'`, {}, /^the SQL has 262153 bytes; Athena takes 262144 at most$/],
  ])('%s', async (_, sql, options, message) => {
    expect(await messageOf(athena.query(sql, options))).toMatch(message);
    expect(athena.fake.inputs('StopQueryExecution')).toEqual([]);
  });

  test.each([
    ['ExpiredTokenException', 'renew the AWS credentials'],
    ['UnrecognizedClientException', 'give valid AWS credentials'],
    ['AccessDeniedException', 'allow athena:StartQueryExecution on workgroup prometheus'],
  ])('%s', async (type, mend) => {
    athena.fake.script('StartQueryExecution', { kind: 'error', status: 400, type, message: 'no' });
    expect(await messageOf(athena.query(SQL))).toContain(`: ${type}: no\nTo mend it: ${mend}`);
  });

  test('no region', async () => {
    await expect(athena.query(SQL, { region: undefined })).rejects.toThrow(ConfigError);
    await expect(athena.query(SQL, { region: undefined })).rejects.toThrow(
      /no AWS region for Athena: .*--region \(AWS_REGION\)/,
    );
  });

  test('a query that fails is free', async () => {
    const err = collector();
    await messageOf(athena.query('SELECT * FROM sampels', {}, { stderr: err.stdout }));
    expect(err.text()).toMatch(/^athena: failed, 1\.23 GB scanned in 3\.0 s, no charge, query /);
  });
});
