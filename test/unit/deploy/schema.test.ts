import { CelEngine, TemplateFile, type Engine } from '@aws/cloudformation-validate';
import validateStates from 'asl-validator';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDir } from '../../support/archive.ts';
import { readTemplate, stackOf, TEMPLATE_FILE, type Json } from '../../support/template.ts';

/** The template against the schemas of CloudFormation's resources, by AWS's own validator, and the state machine against its language. */

const TEXT = readFileSync(TEMPLATE_FILE, 'utf8');

test('it is small enough to be deployed without a bucket to put it into', () => {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
  expect(statSync(TEMPLATE_FILE).size).toBeLessThan(51_200);
});

test('it names no partition of AWS', () => {
  expect(TEXT).toContain('arn:${AWS::Partition}:');
  expect(TEXT).not.toMatch(/arn:aws[\w-]*:/);
});

describe('the resources', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = new CelEngine();
  }, 60_000);
  afterAll(() => {
    engine.free();
  });

  /** What there is against a template, advice aside. */
  function findings(text: string): string[] {
    const file = join(temporaryDir(), 'template.yaml');
    writeFileSync(file, text);
    const { status, diagnostics } = engine.validateStandard(new TemplateFile(file));
    expect(status).toBe('OK');
    const serious = diagnostics.filter(({ severity }) => ['FATAL', 'ERROR', 'WARN'].includes(severity));
    return serious.map(({ ruleId, entity, message }) => `${ruleId} ${entity?.logicalId ?? ''}: ${message}`);
  }

  test.each([{}, { Destination: 'firehose' }, { StreamMode: 'PROVISIONED' }])(
    'are as their schemas say: %o',
    (given) => {
      const file = new TemplateFile(TEMPLATE_FILE);
      const { diagnostics } = engine.validateStandard(file, { parameterOverrides: given });
      expect(diagnostics.filter(({ severity }) => severity !== 'INFO')).toEqual([]);
    },
  );

  test.each([
    ['a misspelt property', 'BlockPublicAcls:', 'BlockPublicAcl:', 'F3002 Bucket'],
    [
      'a property of another type',
      'RetentionPeriodHours: !Ref RetentionHours',
      'RetentionPeriodHours: [1]',
      'F3012 Stream',
    ],
    [
      'a property that is missing',
      /\n +RoleARN: !GetAtt DeliveryRole.Arn\n +# The hour/,
      '\n        # The hour',
      'F3003 DeliveryStream',
    ],
    ['a word that is none', 'UNCOMPRESSED, GZIP', 'UNCOMPRESSED, GZAP', 'W3030 DeliveryStream'],
    ['a number out of bounds', 'SizeInMBs: !Ref BufferMiB', 'SizeInMBs: 129', 'F3034 DeliveryStream'],
    ['an attribute that is none', '!GetAtt Bucket.Arn', '!GetAtt Bucket.Arm', 'E9004 DeliveryStream'],
    ['a reference to nothing', '!Ref WorkGroup\n', '!Ref Nothing\n', 'F1020 FirstQuery'],
    ['a condition that is none', 'Condition: HasStream', 'Condition: HasStreem', 'E8002 Stream'],
    [
      'a reference to what may not be there',
      '    Condition: HasStream\n    Properties:\n      AlarmDescription',
      '    Properties:\n      AlarmDescription',
      'W1001 StreamThrottled',
    ],
  ])('the validator knows %s', (_, part, other, finding) => {
    const changed = TEXT.replace(part, other);
    expect(changed).not.toBe(TEXT);
    expect(findings(changed)).toContainEqual(expect.stringContaining(finding));
  });
});

describe('the state machine', () => {
  const definition = stackOf(readTemplate()).resources['Compaction']!.Properties['Definition'] as Json;
  const problems = (text: string) => validateStates(JSON.parse(text)).errors.map(({ Message }) => Message);
  const machine = JSON.stringify(definition);

  test('is Amazon States Language', () => {
    expect(problems(machine)).toEqual([]);
  });

  test.each([
    ['a misspelt type', '"Type":"Choice"', '"Type":"Choise"'],
    ['a misspelt field', '"Items":"{% $sampleDays', '"Itemz":"{% $sampleDays'],
    ['a next state that is none', '"Next":"OtherRuns"', '"Next":"OtherRun"'],
    ['a first state that is none, in a map', '"StartAt":"WriteStep"', '"StartAt":"WriteStop"'],
    ['an expression that is none', '{% $hour %}', '{% $hour( %}'],
  ])('the validator knows %s', (_, part, other) => {
    expect(machine).toContain(part);
    expect(problems(machine.replace(part, other))).not.toEqual([]);
  });
});
