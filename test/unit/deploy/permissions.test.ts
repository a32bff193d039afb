import { expect, test } from 'vitest';
import { compact, lakeOf } from '../../support/compaction.ts';
import { arrivals } from '../../support/lake_archive.ts';
import { readTemplate, stackOf, type Json, type Stack } from '../../support/template.ts';

/** Who may do what: all that is needed, and nothing more. */

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

const TEMPLATE = readTemplate();
const STACK = stackOf(TEMPLATE);
const DIRECT = stackOf(TEMPLATE, { Destination: 'firehose' });
const HERE = 'eu-west-1:123456789012';

/** What a role or a policy allows, an action and a resource each. */
function allowed(stack: Stack, name: string): string[] {
  const { PolicyDocument, Policies = [] } = stack.resources[name]!.Properties as {
    PolicyDocument?: { Statement: Statement[] };
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
  };
  const statements = PolicyDocument?.Statement ?? Policies.flatMap((policy) => policy.PolicyDocument.Statement);
  expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true);
  const pairs = statements.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`)),
  );
  return pairs.sort();
}

function each(actions: readonly string[], ...resources: readonly string[]): string[] {
  return actions.flatMap((action) => resources.map((resource) => `${action} ${resource}`));
}

test('the adapter puts records, into the one stream', () => {
  expect(allowed(STACK, 'AdapterPolicy')).toEqual(['kinesis:PutRecords Stream.Arn']);
  expect(allowed(DIRECT, 'AdapterPolicy')).toEqual(['firehose:PutRecordBatch DeliveryStream.Arn']);
});

// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
const DELIVER = [
  ...each(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], 'Bucket.Arn'),
  ...each(['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], 'Bucket.Arn/*'),
  `logs:PutLogEvents arn:aws:logs:${HERE}:log-group:DeliveryLogGroup:log-stream:DeliveryLogStream`,
];

test('Firehose reads the stream, where there is one, writes objects and its own log', () => {
  const read = ['kinesis:DescribeStream', 'kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards'];
  expect(allowed(STACK, 'DeliveryRole')).toEqual([...DELIVER, ...each(read, 'Stream.Arn')].sort());
  expect(allowed(DIRECT, 'DeliveryRole')).toEqual(DELIVER.toSorted());
});

test('the schedule starts the compaction', () => {
  expect(allowed(STACK, 'ScheduleRole')).toEqual(['states:StartExecution Compaction']);
});

const CATALOG = ['catalog', 'database/Database', 'table/Database/*'].map((path) => `arn:aws:glue:${HERE}:${path}`);
const MACHINE = `arn:aws:states:${HERE}:stateMachine:prometheus-compaction`;
const EXECUTIONS = [':*', '/*'].map((rest) => `arn:aws:states:${HERE}:execution:prometheus-compaction${rest}`);

const COMPACT = [
  // https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
  ...each(
    ['athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:StartQueryExecution', 'athena:StopQueryExecution'],
    `arn:aws:athena:${HERE}:workgroup/CompactionWorkGroup`,
  ),
  `athena:GetDataCatalog arn:aws:athena:${HERE}:datacatalog/AwsDataCatalog`,
  // What Athena asks of Glue for tables, views and partitions: https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
  ...each(
    ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:GetPartition', 'glue:GetPartitions'],
    ...CATALOG,
  ),
  // What Trino asks for where partitions are registered and not projected.
  ...each(['glue:BatchGetPartition'], ...CATALOG),
  ...each(['glue:CreateTable', 'glue:UpdateTable'], ...CATALOG),
  ...each(['glue:CreatePartition', 'glue:BatchCreatePartition', 'glue:UpdatePartition'], ...CATALOG),
  `glue:GetDatabase arn:aws:glue:${HERE}:database/default`,
  ...each(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], 'Bucket.Arn'),
  's3:GetObject Bucket.Arn/*',
  ...each(
    ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:PutObject'],
    'Bucket.Arn/compacted/*',
    'Bucket.Arn/athena-results/compaction/*',
  ),
  ...each(['s3:PutObjectTagging'], 'Bucket.Arn/compacted/*', 'Bucket.Arn/20*'),
  // https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
  ...each(['states:ListExecutions', 'states:StartExecution'], MACHINE),
  ...each(['states:DescribeExecution', 'states:StopExecution'], ...EXECUTIONS),
];

test('compaction queries, writes its own folders, moves partitions, and deletes nothing', () => {
  expect(allowed(STACK, 'CompactionRole')).toEqual(COMPACT.toSorted());
  expect(COMPACT.filter((action) => /:(Delete|Batch(Delete|Update))/.test(action))).toEqual([]);
});

/** The action that IAM asks for, where it is not called as the operation is. */
const ACTIONS: Readonly<Record<string, string>> = {
  's3:ListObjectsV2': 's3:ListBucket',
  'sfn:ListExecutions': 'states:ListExecutions',
};

test('what the state machine asks for itself, it may', async () => {
  const lake = await lakeOf(arrivals(9, ['2026/11/18/12', '2026/11/19/12'], 10));
  await compact(lake, '2026-12-24T00:00:00.000Z');
  const asked = new Set(
    lake.actions.map((name) => name.replace(/:(.)/, (_, letter: string) => `:${letter.toUpperCase()}`)),
  );
  expect(asked.size).toBe(6);
  const may = new Set(allowed(STACK, 'CompactionRole').map((pair) => pair.split(' ', 1)[0]));
  for (const action of asked) expect(may).toContain(ACTIONS[action] ?? action);
});

test.each([
  ['DeliveryRole', 'firehose.amazonaws.com', 'sts:ExternalId'],
  ['CompactionRole', 'states.amazonaws.com', 'aws:SourceAccount'],
  ['ScheduleRole', 'scheduler.amazonaws.com', 'aws:SourceAccount'],
])('%s is for %s, on behalf of this account', (name, service, key) => {
  const { AssumeRolePolicyDocument } = STACK.resources[name]!.Properties as { AssumeRolePolicyDocument: Json };
  expect(AssumeRolePolicyDocument['Statement']).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { [key]: '123456789012' } },
    },
  ]);
});
