import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FILE_SUFFIX, hourFolder } from '../../../src/archive.ts';
import { OPTIONS } from '../../../src/config.ts';
import { OBJECT_FIELDS, SAMPLE_COLUMNS } from '../../../src/record.ts';
import { ROOT } from '../../support/adapter.ts';
import { athenaSql } from '../../support/athena_sql.ts';
import { readTemplate, stackOf, type Json, type Stack } from '../../support/template.ts';
import { trinoProblems } from '../../support/trino.ts';

/** What the template says, held against the program, the SQL and itself. */

const TEMPLATE = readTemplate();
const README = readFileSync(join(ROOT, 'deploy/README.md'), 'utf8');
const STACK = stackOf(TEMPLATE);
const DIRECT = stackOf(TEMPLATE, { Destination: 'firehose' });

/** A part of a resource's properties. */
function part(stack: Stack, name: string, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Json)[key], stack.resources[name]!.Properties);
}

describe('parameters', () => {
  const choices: Record<string, string[]> = {
    Destination: ['kinesis', 'firehose'],
    StreamMode: ['ON_DEMAND', 'PROVISIONED'],
    Packing: ['none', 'lines', 'gzip'],
    JsonExpiryDays: ['0', '30'],
    ArchiveExpiryDays: ['0', '3650'],
    AlarmEmail: ['', 'a@example.com'],
  };
  const all = Object.entries(choices).reduce<Record<string, string>[]>(
    (given, [name, values]) => given.flatMap((rest) => values.map((value) => ({ ...rest, [name]: value }))),
    [{}],
  );

  test('of every combination make a stack that refers to nothing that is not there', () => {
    expect(all).toHaveLength(2 * 2 * 3 * 2 * 2 * 2);
    for (const given of all) {
      const { resources, outputs } = stackOf(TEMPLATE, given);
      expect('Stream' in resources).toBe(given['Destination'] === 'kinesis');
      expect('AlarmTopic' in resources).toBe(given['AlarmEmail'] !== '');
      expect(Object.values(outputs).every((value) => typeof value === 'string')).toBe(true);
    }
  });

  test('all have a default, so that one command will do', () => {
    for (const { Default } of Object.values(TEMPLATE.Parameters)) expect(Default).toBeDefined();
  });

  test('are those of deploy/README.md', () => {
    const rows = Array.from(README.matchAll(/^\| `(\w+)` \| (?:`([^`]+)`)? \| (.+) \|$/gm), ([, ...cells]) => cells);
    const described = Object.entries(TEMPLATE.Parameters).map(([name, { Default, AllowedValues, Description }]) => {
      const values = AllowedValues ? `${AllowedValues.map((value) => `\`${String(value)}\``).join(', ')}. ` : '';
      return [name, String(Default) || undefined, values + Description];
    });
    expect(rows).toEqual(described);
  });

  test.each([
    ['24', '2', false],
    ['24', '3', true],
    ['24', '32', true],
    ['168', '3', false],
    ['168', '9', true],
    ['168', '32', true],
    ['336', '9', false],
    ['336', '16', true],
    ['720', '16', false],
    ['720', '32', true],
  ])('a retention of %s hours and compaction after %s days: %s', (RetentionHours, CompactAfterDays, isAllowed) => {
    const make = () => stackOf(TEMPLATE, { RetentionHours, CompactAfterDays });
    if (isAllowed) make();
    else expect(make).toThrow('CompactAfterTheStreamForgot does not hold');
    // All that arrived at a day's end is in its folders when the stream has forgotten it, and Firehose has given up.
    const patienceHours = 24 + TEMPLATE.Parameters['BufferSeconds']!.MaxValue! / 3600;
    expect(isAllowed).toBe(Number(CompactAfterDays) * 24 > Number(RetentionHours) + patienceHours);
    stackOf(TEMPLATE, { Destination: 'firehose', RetentionHours, CompactAfterDays });
    const least = Math.min(...TEMPLATE.Parameters['CompactAfterDays']!.AllowedValues!.map(Number));
    expect(least * 24).toBeGreaterThan(patienceHours);
  });
});

describe('Firehose', () => {
  interface Destination {
    readonly Prefix: string;
    readonly ErrorOutputPrefix: string;
    readonly CompressionFormat: string;
    readonly FileExtension: string;
    readonly BufferingHints: Json;
    readonly ProcessingConfiguration?: unknown;
  }
  const destination = (stack: Stack) =>
    part(stack, 'DeliveryStream', 'ExtendedS3DestinationConfiguration') as Destination;

  test('writes where the table looks, in the folders of the program', () => {
    const { Prefix } = destination(STACK);
    const format = part(STACK, 'Lines', 'TableInput', 'Parameters', 'projection.datehour.format') as string;
    expect(part(STACK, 'Lines', 'TableInput', 'Parameters', 'storage.location.template')).toBe(
      's3://Bucket/${datehour}/',
    );
    expect(Prefix).toBe(`!{timestamp:${format}}/`);
    const letters = format.replace('yyyy', '2026').replace('MM', '11').replace('dd', '05').replace('HH', '07');
    expect(letters).toBe(hourFolder(Date.UTC(2026, 10, 5, 7)));
  });

  test('puts what it could not deliver behind the hours', () => {
    const { ErrorOutputPrefix } = destination(STACK);
    expect(ErrorOutputPrefix).toContain('!{firehose:error-output-type}');
    expect(ErrorOutputPrefix > '9').toBe(true);
  });

  test.each([
    ['none', 'GZIP'],
    ['lines', 'GZIP'],
    ['gzip', 'UNCOMPRESSED'],
  ])('packing %s: %s, so that every object is gzip and named so', (Packing, compression) => {
    for (const Destination of ['kinesis', 'firehose']) {
      const { CompressionFormat, FileExtension, ProcessingConfiguration } = destination(
        stackOf(TEMPLATE, { Packing, Destination }),
      );
      expect({ CompressionFormat, FileExtension }).toEqual({
        CompressionFormat: compression,
        FileExtension: FILE_SUFFIX,
      });
      // A delimiter between packs would be no gzip.
      expect(ProcessingConfiguration).toBeUndefined();
    }
    expect(OPTIONS.packing.parse(Packing)).toBe(Packing);
  });

  test('makes few large objects', () => {
    expect(destination(STACK).BufferingHints).toEqual({ SizeInMBs: '128', IntervalInSeconds: '900' });
  });
});

describe('the table lines', () => {
  const table = part(STACK, 'Lines', 'TableInput') as Json;
  const storage = table['StorageDescriptor'] as Json;
  const sql = athenaSql('table.sql');

  test('has the columns of the record', () => {
    const structs = Object.entries(OBJECT_FIELDS).map(([Name, fields]) => ({
      Name,
      Type: `struct<${Object.entries(fields)
        .map(([field, type]) => `${field}:${type}`)
        .join()}>`,
    }));
    const plain = Object.entries(SAMPLE_COLUMNS).map(([Name, Type]) => ({ Name, Type }));
    expect(storage['Columns']).toEqual([...plain, ...structs]);
    expect(table['PartitionKeys']).toEqual([{ Name: 'datehour', Type: 'string' }]);
  });

  test('is that of athena/table.sql', () => {
    const written = Array.from(sql.matchAll(/'([\w.]+)' = '([^']+)'/g), ([, name, value]) => [
      name,
      value!.replace('BUCKET', 'Bucket'),
    ]);
    expect(table['Parameters']).toEqual({ EXTERNAL: 'TRUE', ...Object.fromEntries(written) });
    const quoted = (keyword: string) => new RegExp(`${keyword} '([^']+)'`).exec(sql)![1];
    expect(storage['SerdeInfo']).toEqual({ SerializationLibrary: quoted('SERDE') });
    expect(storage['InputFormat']).toBe(quoted('INPUTFORMAT'));
    expect(storage['OutputFormat']).toBe(quoted('OUTPUTFORMAT'));
    expect(storage['Location']).toBe('s3://Bucket/');
  });
});

describe('the archive', () => {
  const bucket = part(STACK, 'Bucket') as Json;
  const rules = (given: Record<string, string>) =>
    part(stackOf(TEMPLATE, given), 'Bucket', 'LifecycleConfiguration', 'Rules') as Json[];

  test('is private, encrypted, versioned, spoken to with TLS only, and outlives the stack', () => {
    const blocks = bucket['PublicAccessBlockConfiguration'] as Json;
    expect(Object.values(blocks)).toEqual([true, true, true, true]);
    expect(JSON.stringify(bucket['BucketEncryption'])).toContain('"SSEAlgorithm":"AES256"');
    expect(bucket['OwnershipControls']).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] });
    expect(bucket['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
    expect(part(STACK, 'BucketPolicy', 'PolicyDocument', 'Statement')).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: ['Bucket.Arn', 'Bucket.Arn/*'],
        Condition: { Bool: { 'aws:SecureTransport': false } },
      }),
    ]);
    const kept = Object.entries(TEMPLATE.Resources).filter(([, resource]) => 'DeletionPolicy' in resource);
    expect(kept.map(([name]) => name)).toEqual(['Bucket', 'BucketPolicy', 'Database', 'Lines']);
    for (const [, resource] of kept) {
      expect(resource).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    }
  });

  test('loses by itself only what is in Parquet, or was asked for', () => {
    const expiring = (given: Record<string, string>) =>
      rules(given)
        .filter((rule) => 'ExpirationInDays' in rule && rule['Prefix'] !== 'athena-results/')
        .map(({ Prefix, TagFilters, ExpirationInDays }) => ({ Prefix, TagFilters, ExpirationInDays }));
    const superseded = {
      Prefix: 'compacted/',
      TagFilters: [{ Key: 'compaction', Value: 'superseded' }],
      ExpirationInDays: 3,
    };
    expect(expiring({})).toEqual([superseded]);
    expect(expiring({ JsonExpiryDays: '30' })).toEqual([
      superseded,
      { Prefix: '20', TagFilters: [{ Key: 'compaction', Value: 'compacted' }], ExpirationInDays: '30' },
    ]);
    expect(expiring({ ArchiveExpiryDays: '400' })).toEqual([
      superseded,
      { Prefix: '20', TagFilters: undefined, ExpirationInDays: '400' },
      { Prefix: 'compacted/', TagFilters: undefined, ExpirationInDays: '400' },
    ]);
  });
});

describe('Athena', () => {
  test.each(['WorkGroup', 'CompactionWorkGroup'])(
    '%s: settings that queries cannot change, encrypted results, engine 3',
    (name) => {
      const configuration = part(STACK, name, 'WorkGroupConfiguration') as Json;
      expect(configuration).toMatchObject({
        EnforceWorkGroupConfiguration: true,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
      });
      const location = part(STACK, name, 'WorkGroupConfiguration', 'ResultConfiguration', 'OutputLocation');
      expect(location).toMatch(/^s3:\/\/Bucket\/athena-results\//);
      // A day may be larger than what a query of a user should read.
      expect(configuration['BytesScannedCutoffPerQuery']).toBe(name === 'WorkGroup' ? '107374182400' : undefined);
    },
  );

  test('queries that it keeps are SQL, of this database and workgroup', () => {
    const queries = Object.values(STACK.resources).filter(({ Type }) => Type === 'AWS::Athena::NamedQuery');
    expect(queries).toHaveLength(2);
    for (const { Properties } of queries) {
      expect(Properties).toMatchObject({ Database: 'Database', WorkGroup: 'WorkGroup' });
      expect(trinoProblems(Properties['QueryString'] as string)).toEqual([]);
    }
  });
});

test.each([
  [
    STACK,
    ['AWS/Kinesis WriteProvisionedThroughputExceeded Stream', 'AWS/Kinesis GetRecords.IteratorAgeMilliseconds Stream'],
  ],
  [DIRECT, ['AWS/Firehose ThrottledRecords DeliveryStream']],
])('alarms, by mail to whoever asked for it: %#', (stack, own) => {
  const alarms = (of: Stack) => Object.values(of.resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  const watched = alarms(stack).map(({ Properties }) => {
    const [{ Value } = { Value: '' }] = Properties['Dimensions'] as { Value: string }[];
    return [Properties['Namespace'], Properties['MetricName'], Value].join(' ');
  });
  expect(watched).toEqual([
    ...own,
    'AWS/Firehose DeliveryToS3.DataFreshness DeliveryStream',
    'AWS/Firehose DeliveryToS3.Records DeliveryStream',
    'AWS/States ExecutionsFailed Compaction',
  ]);
  for (const { Properties } of alarms(stack)) expect(Properties['AlarmActions']).toBeUndefined();
  const told = alarms(stackOf(TEMPLATE, { AlarmEmail: 'a@example.com' }));
  for (const { Properties } of told) expect(Properties['AlarmActions']).toEqual(['AlarmTopic']);
});

describe('outputs', () => {
  const first = part(STACK, 'FirstQuery', 'QueryString') as string;

  test.each([
    [STACK, 'Stream', 'STREAM_NAME=Stream'],
    [DIRECT, 'Delivery', 'DELIVERY_STREAM_NAME=DeliveryStream'],
  ])('name options that there are, and one destination: %#', (stack, prefix, destination) => {
    const settings = stack.outputs[`${prefix}Settings`]!.split(' ');
    expect(settings).toEqual([destination, 'PACKING=lines', 'AWS_REGION=eu-west-1']);
    const variables = Object.values(OPTIONS).flatMap((option) => ('env' in option ? [option.env] : []));
    for (const setting of settings) expect(variables).toContain(setting.split('=', 1)[0]);
    for (const setting of settings) expect(stack.outputs[`${prefix}DockerRun`]).toContain(`-e ${setting} `);
    expect(Object.keys(stack.outputs).filter((name) => /Settings|DockerRun/.test(name))).toHaveLength(2);
  });

  test.each([STACK, DIRECT])('all are told of in deploy/README.md: %#', ({ outputs }) => {
    for (const name of Object.keys(outputs)) expect(README).toMatch(new RegExp(`\`${name}\`|<${name}>`));
  });

  test('give the same first query everywhere', () => {
    expect(README).toContain(`query --athena "${first}"`);
    expect(STACK.outputs['FirstQuery']).toBe(first);
    expect(STACK.outputs['QueryAthena']).toContain(`"${first}"`);
  });
});
