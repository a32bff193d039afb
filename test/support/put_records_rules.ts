import type { IncomingMessage } from 'node:http';
import { readSignature } from './sigv4.ts';

export const JSON_1_1 = 'application/x-amz-json-1.1';

const MAX_RECORDS = 500;
const MAX_KEY_CHARS = 256;

export interface PutRecordsRules {
  /** The name of the only stream there is. */
  readonly stream: string;
  /** Of data and key, before base64. */
  readonly maxRecordBytes: number;
  readonly maxCallBytes: number;
  /** Where given, signatures are verified. */
  readonly secretAccessKey?: string;
}

export interface PutRecordsEntry {
  readonly data: Buffer;
  readonly partitionKey: string;
}

export interface PutRecordsCall {
  readonly accessKeyId: string;
  /** Name or ARN, as the call gave it. */
  readonly stream: string;
  readonly entries: readonly PutRecordsEntry[];
}

/** A call that Kinesis answers with an error. */
export class Violation extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * Reads a call of PutRecords as strictly as anything might: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
 *
 * @throws Violation
 */
export function readPutRecordsCall(request: IncomingMessage, body: Buffer, rules: PutRecordsRules): PutRecordsCall {
  const { headers } = request;
  must(
    request.method === 'POST' && request.url === '/',
    'UnknownOperationException',
    `${request.method} ${request.url}`,
  );
  must(
    headers['x-amz-target'] === 'Kinesis_20131202.PutRecords',
    'UnknownOperationException',
    String(headers['x-amz-target']),
  );
  must(headers['content-type'] === JSON_1_1, 'UnknownOperationException', String(headers['content-type']));
  must(headers['content-length'] === String(body.length), 'SerializationException', 'content-length');
  const accessKeyId = checkSignature(request, body, rules.secretAccessKey);
  const input = parseObject(body);
  const stream = checkStream(input, rules.stream);
  const entries = checkRecords(input['Records'], rules);
  return { accessKeyId, stream, entries };
}

function checkSignature(request: IncomingMessage, body: Buffer, secretAccessKey: string | undefined): string {
  const signature = readSignature(request, body);
  if (!signature) throw new Violation('MissingAuthenticationTokenException', String(request.headers.authorization));
  const { service, signedHeaders } = signature;
  must(service === 'kinesis', 'InvalidSignatureException', `signed for ${service}`);
  for (const header of ['host', 'x-amz-date', 'x-amz-target', 'content-type', 'content-length']) {
    must(signedHeaders.includes(header), 'InvalidSignatureException', `${header} is not signed`);
  }
  if (secretAccessKey !== undefined) {
    const good = signature.signature === signature.expected(secretAccessKey);
    must(good, 'InvalidSignatureException', 'The request signature we calculated does not match');
  }
  return signature.accessKeyId;
}

type JsonObject = Record<string, unknown>;

function parseObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Violation('SerializationException', String(error));
  }
  must(typeof value === 'object' && value !== null, 'SerializationException', 'not an object');
  return value as JsonObject;
}

function checkStream(input: JsonObject, stream: string): string {
  mustHaveOnly(input, ['StreamName', 'StreamARN', 'Records']);
  const { StreamName: name, StreamARN: arn } = input;
  const given = name ?? arn;
  if (typeof given !== 'string' || (name !== undefined && arn !== undefined)) {
    throw new Violation('InvalidArgumentException', 'one of StreamName and StreamARN');
  }
  const known =
    name === undefined ? given.startsWith('arn:aws:kinesis:') && given.endsWith(`:stream/${stream}`) : name === stream;
  must(known, 'ResourceNotFoundException', `Stream ${given} under account 123456789012 not found.`);
  return given;
}

function checkRecords(records: unknown, { maxRecordBytes, maxCallBytes }: PutRecordsRules): PutRecordsEntry[] {
  if (!Array.isArray(records)) throw new Violation('SerializationException', 'Records is not a list');
  must(records.length >= 1 && records.length <= MAX_RECORDS, 'ValidationException', `${records.length} records`);
  let callBytes = 0;
  const entries = (records as unknown[]).map((record, index) => {
    const entry = checkRecord(record, `record ${index}`);
    const bytes = entry.data.length + Buffer.byteLength(entry.partitionKey);
    must(bytes <= maxRecordBytes, 'InvalidArgumentException', `record ${index} has ${bytes} bytes`);
    callBytes += bytes;
    return entry;
  });
  must(callBytes <= maxCallBytes, 'InvalidArgumentException', `Records size exceeds ${maxCallBytes}: ${callBytes}`);
  return entries;
}

function checkRecord(record: unknown, what: string): PutRecordsEntry {
  must(typeof record === 'object' && record !== null, 'SerializationException', what);
  mustHaveOnly(record as JsonObject, ['Data', 'PartitionKey']);
  const { Data: text, PartitionKey: partitionKey } = record as JsonObject;
  if (typeof text !== 'string' || typeof partitionKey !== 'string') throw new Violation('SerializationException', what);
  const keyChars = Array.from(partitionKey).length;
  must(
    keyChars >= 1 && keyChars <= MAX_KEY_CHARS,
    'ValidationException',
    `${what} has a key of ${keyChars} characters`,
  );
  const data = Buffer.from(text, 'base64');
  must(data.toString('base64') === text, 'SerializationException', `${what} is not base64`);
  return { data, partitionKey };
}

function mustHaveOnly(object: JsonObject, names: readonly string[]): void {
  const other = Object.keys(object).find((name) => !names.includes(name));
  must(other === undefined, 'SerializationException', `unknown field ${other}`);
}

function must(condition: boolean, type: string, message: string): asserts condition {
  if (!condition) throw new Violation(type, message);
}
