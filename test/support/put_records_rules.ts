import {
  checkSizes,
  must,
  mustHaveOnly,
  readBlob,
  readRecords,
  readText,
  Violation,
  type AwsInput,
  type JsonObject,
  type StreamRules,
} from './aws_rules.ts';

const MAX_KEY_CHARS = 256;

export interface PutRecordsEntry {
  readonly data: Buffer;
  readonly partitionKey: string;
}

/**
 * Reads what PutRecords is given: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
 *
 * @throws Violation
 */
export function readPutRecords(input: JsonObject, rules: StreamRules): AwsInput<PutRecordsEntry> {
  mustHaveOnly(input, ['StreamName', 'StreamARN', 'Records']);
  const stream = checkStream(input, rules.stream);
  const entries = readRecords(input['Records'], readEntry);
  checkSizes(entries.map(entryBytes), rules, 'InvalidArgumentException');
  return { stream, entries };
}

function checkStream({ StreamName: name, StreamARN: arn }: JsonObject, stream: string): string {
  const given = name ?? arn;
  if (typeof given !== 'string' || (name !== undefined && arn !== undefined)) {
    throw new Violation('InvalidArgumentException', 'one of StreamName and StreamARN');
  }
  const known =
    name === undefined ? given.startsWith('arn:aws:kinesis:') && given.endsWith(`:stream/${stream}`) : name === stream;
  must(known, 'ResourceNotFoundException', `Stream ${given} under account 123456789012 not found.`);
  return given;
}

function readEntry(record: JsonObject, what: string): PutRecordsEntry {
  mustHaveOnly(record, ['Data', 'PartitionKey']);
  const data = readBlob(record['Data'], `the data of ${what}`);
  const partitionKey = readText(record['PartitionKey'], `the key of ${what}`);
  const keyChars = Array.from(partitionKey).length;
  must(
    keyChars >= 1 && keyChars <= MAX_KEY_CHARS,
    'ValidationException',
    `${what} has a key of ${keyChars} characters`,
  );
  return { data, partitionKey };
}

/** What counts against every limit: data and key, before base64. */
export function entryBytes({ data, partitionKey }: PutRecordsEntry): number {
  return data.length + Buffer.byteLength(partitionKey);
}
