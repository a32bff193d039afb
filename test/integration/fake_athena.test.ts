import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openAthena, type AthenaOnDuckdb } from '../support/athena_on_duckdb.ts';
import { javaDouble } from '../support/athena_texts.ts';
import { startFakeAthena, type FakeAthena } from '../support/fake_athena.ts';
import { sampleLine, writeArchiveFile } from '../support/query_archive.ts';

/** The fake is what the tests of `query --athena` trust: what Athena refuses, it must refuse. */

let dir: string;
let athena: AthenaOnDuckdb;
let fake: FakeAthena;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fake-athena-'));
  writeArchiveFile(dir, '2026/11/20/10/a.json.gz', [[0, 1, 2].map((time) => sampleLine('x', time))]);
  athena = await openAthena({ paths: { json: [join(dir, '2026/11/20/10/a.json.gz')], parquet: [] } });
});
afterAll(() => {
  athena.close();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  fake = await startFakeAthena({ athena });
});
afterEach(() => fake.close());

const SIGNATURE =
  'AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/eu-west-1/athena/aws4_request, ' +
  `SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

interface Called {
  readonly status: number;
  readonly type: string | null;
  readonly answer: Record<string, unknown>;
}

async function call(operation: string, body: unknown, headers: Record<string, string> = {}): Promise<Called> {
  const response = await fetch(fake.url, {
    method: 'POST',
    headers: {
      authorization: SIGNATURE,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-date': '20260101T000000Z',
      'x-amz-target': `AmazonAthena.${operation}`,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, type: response.headers.get('x-amzn-errortype'), answer };
}

const GOOD = {
  QueryString: 'SELECT time FROM samples ORDER BY time',
  ClientRequestToken: 'a'.repeat(32),
  QueryExecutionContext: { Database: 'prometheus' },
  WorkGroup: 'prometheus',
};

async function started(input: object = {}): Promise<string> {
  const { status, answer } = await call('StartQueryExecution', { ...GOOD, ...input });
  expect(status).toBe(200);
  return answer['QueryExecutionId'] as string;
}

/** The execution as GetQueryExecution has it. */
async function statusOf(
  id: string,
): Promise<{ Status: { State: string; StateChangeReason?: string }; Statistics: object }> {
  return (await call('GetQueryExecution', { QueryExecutionId: id })).answer['QueryExecution'] as never;
}

async function finished(input: object = {}): Promise<string> {
  const id = await started(input);
  fake.service.polls = 0;
  await statusOf(id);
  return id;
}

describe('a query', () => {
  test('is queued, runs, scans more and more, and succeeds', async () => {
    fake.service.polls = 3;
    fake.service.scannedBytes = 1_000;
    const id = await started();
    const seen = [];
    for (let poll = 0; poll < 4; poll++) {
      const { Status, Statistics } = await statusOf(id);
      seen.push([Status.State, (Statistics as { DataScannedInBytes: number }).DataScannedInBytes]);
    }
    expect(seen).toEqual([
      ['QUEUED', 0],
      ['RUNNING', 250],
      ['RUNNING', 500],
      ['SUCCEEDED', 1_000],
    ]);
  });

  test('is paged, its header first', async () => {
    const id = await finished();
    const first = await call('GetQueryResults', { QueryExecutionId: id, MaxResults: 3 });
    const rows = (page: Called) =>
      (page.answer['ResultSet'] as { Rows: { Data: object[] }[] }).Rows.map(({ Data }) => Data);
    expect(rows(first)).toEqual([[{ VarCharValue: 'time' }], [{ VarCharValue: '0' }], [{ VarCharValue: '1' }]]);
    const token = first.answer['NextToken'];
    const second = await call('GetQueryResults', { QueryExecutionId: id, MaxResults: 3, NextToken: token });
    expect(rows(second)).toEqual([[{ VarCharValue: '2' }]]);
    expect(second.answer).not.toHaveProperty('NextToken');
  });

  test('has the types and texts of Athena; NULL is nothing', async () => {
    const id = await finished({
      QueryString:
        "SELECT time, value * 1e10 AS value, labels, ts, true AS yes, '' AS empty, CAST(NULL AS varchar) AS none, " +
        "CAST(1.5 AS decimal(10,2)) AS exact, ARRAY['a, b', NULL] AS list FROM samples WHERE time = 1",
    });
    const { answer } = await call('GetQueryResults', { QueryExecutionId: id });
    const { Rows, ResultSetMetadata } = answer['ResultSet'] as {
      Rows: { Data: object[] }[];
      ResultSetMetadata: { ColumnInfo: { Name: string; Type: string }[] };
    };
    const texts = [
      { VarCharValue: '1' },
      { VarCharValue: '1.0E10' },
      { VarCharValue: '{__name__=x}' },
      { VarCharValue: '1970-01-01 00:00:00.001' },
      { VarCharValue: 'true' },
      { VarCharValue: '' },
      {},
      { VarCharValue: '1.50' },
      { VarCharValue: '[a, b, null]' },
    ];
    expect(Rows[1]!.Data).toEqual(texts);
    const types = ['bigint', 'double', 'map', 'timestamp', 'boolean', 'varchar', 'varchar', 'decimal', 'array'];
    expect(ResultSetMetadata.ColumnInfo.map(({ Type }) => Type)).toEqual(types);
  });

  test('that fails has a reason in the words of Athena', async () => {
    fake.service.polls = 0;
    const reasonOf = async (input: object) => {
      const id = await started({ ClientRequestToken: JSON.stringify(input).padEnd(32), ...input });
      const { Status } = await statusOf(id);
      expect(Status.State).toBe('FAILED');
      return Status.StateChangeReason;
    };
    expect(await reasonOf({ QueryString: 'SELECT 1\nFROM sampels' })).toBe(
      "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.prometheus.sampels' does not exist",
    );
    expect(await reasonOf({ QueryString: 'SELECT nope FROM samples' })).toBe(
      "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved",
    );
    expect(await reasonOf({ QueryExecutionContext: { Database: 'other' } })).toContain('SCHEMA_NOT_FOUND');
  });

  test('that is stopped is cancelled; one that has ended stays what it is', async () => {
    const id = await started();
    expect((await call('StopQueryExecution', { QueryExecutionId: id })).status).toBe(200);
    expect((await statusOf(id)).Status).toMatchObject({
      State: 'CANCELLED',
      StateChangeReason: 'Query cancelled by user',
    });
    const other = await finished({ ClientRequestToken: 'b'.repeat(32) });
    expect((await call('StopQueryExecution', { QueryExecutionId: other })).status).toBe(200);
    expect((await statusOf(other)).Status.State).toBe('SUCCEEDED');
  });

  test('is started once for a token', async () => {
    const id = await started();
    expect(await started()).toBe(id);
    expect(fake.service.executions).toHaveLength(1);
    const other = await call('StartQueryExecution', { ...GOOD, QueryString: 'SELECT 2' });
    expect(other).toMatchObject({ status: 400, answer: { message: 'Idempotent parameters do not match' } });
  });
});

test.each<[string, object, string]>([
  ['an unknown workgroup', { WorkGroup: 'other' }, 'WorkGroup is not found.'],
  ['no output location', { WorkGroup: 'primary' }, 'No output location provided.'],
  ['an output location that is none', { ResultConfiguration: { OutputLocation: 'bucket' } }, 'not a valid S3 path'],
  ["SQL that is not Trino's", { QueryString: "SELECT labels['a'] FROM samples QUALIFY true" }, 'line 1:'],
])('refuses %s, which is nobody breaking a rule', async (_, input, message) => {
  const { status, type, answer } = await call('StartQueryExecution', { ...GOOD, ...input });
  expect([status, type]).toEqual([400, 'InvalidRequestException']);
  expect(answer['message']).toContain(message);
  expect(fake.violations).toEqual([]);
  expect(fake.service.executions).toEqual([]);
});

const INVALID = 'InvalidRequestException';
const SERIALIZATION = 'SerializationException';

describe('what breaks the rules is refused:', () => {
  test.each<[string, string, unknown, string, Record<string, string>?]>([
    ['another operation', 'ListWorkGroups', {}, 'UnknownOperationException'],
    ['no operation', 'toString', {}, 'UnknownOperationException'],
    [
      'another service',
      'StartQueryExecution',
      GOOD,
      'UnknownOperationException',
      { 'x-amz-target': 'Athena.StartQueryExecution' },
    ],
    [
      'another content type',
      'StartQueryExecution',
      GOOD,
      'UnknownOperationException',
      { 'content-type': 'application/json' },
    ],
    [
      'no signature',
      'StartQueryExecution',
      GOOD,
      'MissingAuthenticationTokenException',
      { authorization: 'Basic eDp5' },
    ],
    [
      'a signature for another service',
      'StartQueryExecution',
      GOOD,
      'InvalidSignatureException',
      { authorization: SIGNATURE.replace('/athena/', '/s3/') },
    ],
    ['no JSON', 'StartQueryExecution', '{', SERIALIZATION],
    ['an unknown field', 'StartQueryExecution', { ...GOOD, Workgroup: 'x' }, SERIALIZATION],
    [
      'an unknown field of the context',
      'StartQueryExecution',
      { ...GOOD, QueryExecutionContext: { database: 'x' } },
      SERIALIZATION,
    ],
    [
      'an unknown field of the result',
      'StartQueryExecution',
      { ...GOOD, ResultConfiguration: { Location: 'x' } },
      SERIALIZATION,
    ],
    ['no SQL', 'StartQueryExecution', { ...GOOD, QueryString: undefined }, SERIALIZATION],
    ['empty SQL', 'StartQueryExecution', { ...GOOD, QueryString: '' }, INVALID],
    ['SQL that is too long', 'StartQueryExecution', { ...GOOD, QueryString: ' '.repeat(262_145) }, INVALID],
    ['no token', 'StartQueryExecution', { ...GOOD, ClientRequestToken: undefined }, INVALID],
    ['a token that is too short', 'StartQueryExecution', { ...GOOD, ClientRequestToken: 'a'.repeat(31) }, INVALID],
    ['a token that is too long', 'StartQueryExecution', { ...GOOD, ClientRequestToken: 'a'.repeat(129) }, INVALID],
    ['a workgroup that is no name', 'StartQueryExecution', { ...GOOD, WorkGroup: 'a b' }, INVALID],
    ['an empty database', 'StartQueryExecution', { ...GOOD, QueryExecutionContext: { Database: '' } }, INVALID],
    ['no id', 'GetQueryExecution', {}, SERIALIZATION],
    ['an id that is none', 'GetQueryExecution', { QueryExecutionId: 'a b' }, INVALID],
    ['an unknown id', 'GetQueryExecution', { QueryExecutionId: 'x' }, INVALID],
    ['an unknown id to stop', 'StopQueryExecution', { QueryExecutionId: 'x' }, INVALID],
    ['an unknown id of results', 'GetQueryResults', { QueryExecutionId: 'x' }, INVALID],
    ['an unknown field of a stop', 'StopQueryExecution', { QueryExecutionId: 'x', Force: true }, SERIALIZATION],
  ])('%s', async (_, operation, body, type, headers) => {
    expect(await call(operation, body, headers)).toMatchObject({ status: 400, type, answer: { __type: type } });
    expect(fake.violations).toHaveLength(1);
    expect(fake.service.executions).toEqual([]);
  });

  test('results before the end', async () => {
    const id = await started();
    await statusOf(id);
    expect(await call('GetQueryResults', { QueryExecutionId: id })).toMatchObject({
      status: 400,
      type: INVALID,
      answer: { message: 'Query has not yet finished. Current state: QUEUED' },
    });
  });

  test.each<[string, object, string]>([
    ['no rows a page', { MaxResults: 0 }, INVALID],
    ['1,001 rows a page', { MaxResults: 1_001 }, INVALID],
    ['half a row a page', { MaxResults: 1.5 }, INVALID],
    ['rows a page in words', { MaxResults: '10' }, SERIALIZATION],
    ['a manifest', { QueryResultType: 'DATA_MANIFEST' }, INVALID],
    ['a token of nobody', { NextToken: 'x' }, INVALID],
    ['an empty token', { NextToken: '' }, INVALID],
    ['an unknown field', { Limit: 5 }, SERIALIZATION],
  ])('%s', async (_, input, type) => {
    const id = await finished();
    expect(await call('GetQueryResults', { QueryExecutionId: id, ...input })).toMatchObject({ status: 400, type });
    expect(fake.violations).toHaveLength(1);
  });

  test("another query's token", async () => {
    const id = await finished();
    const { answer } = await call('GetQueryResults', { QueryExecutionId: id, MaxResults: 1 });
    const other = await finished({ ClientRequestToken: 'b'.repeat(32) });
    const input = { QueryExecutionId: other, NextToken: answer['NextToken'] };
    expect(await call('GetQueryResults', input)).toMatchObject({ status: 400, type: INVALID });
  });

  test('a signature with another secret', async () => {
    await fake.close();
    fake = await startFakeAthena({ athena, secretAccessKey: 'secret' });
    expect(await call('StartQueryExecution', GOOD)).toMatchObject({ status: 400, type: 'InvalidSignatureException' });
  });
});

// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Double.html#toString(double)
test.each([
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [0.001, '0.001'],
  [0.000_999, '9.99E-4'],
  [9_999_999.5, '9999999.5'],
  [1e7, '1.0E7'],
  [-1.25e21, '-1.25E21'],
  [5e-324, '5.0E-324'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
])('the double %d is %s', (value, text) => {
  expect(javaDouble(value)).toBe(text);
});
