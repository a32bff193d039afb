import {
  checkSizes,
  must,
  mustHaveOnly,
  readBlob,
  readRecords,
  readText,
  type AwsInput,
  type JsonObject,
  type StreamRules,
} from './aws_rules.ts';

export interface PutRecordBatchEntry {
  readonly data: Buffer;
}

/**
 * Reads what PutRecordBatch is given: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
 *
 * @throws Violation, for sizes with what https://github.com/osquery/osquery/issues/3568 saw
 */
export function readPutRecordBatch(input: JsonObject, rules: StreamRules): AwsInput<PutRecordBatchEntry> {
  mustHaveOnly(input, ['DeliveryStreamName', 'Records']);
  const stream = checkStream(input['DeliveryStreamName'], rules.stream);
  const entries = readRecords(input['Records'], (record, what) => {
    mustHaveOnly(record, ['Data']);
    return { data: readBlob(record['Data'], `the data of ${what}`) };
  });
  const sizes = entries.map(({ data }) => data.length);
  checkSizes(sizes, rules, 'ValidationException');
  return { stream, entries };
}

function checkStream(value: unknown, stream: string): string {
  const given = readText(value, 'DeliveryStreamName');
  must(/^[a-zA-Z0-9_.-]{1,64}$/.test(given), 'ValidationException', `${given} is no name`);
  must(given === stream, 'ResourceNotFoundException', `Firehose ${given} not found under account 123456789012.`);
  return given;
}
