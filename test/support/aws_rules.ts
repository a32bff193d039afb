import type { IncomingMessage } from 'node:http';
import { readSignature } from './sigv4.ts';

export const JSON_1_1 = 'application/x-amz-json-1.1';

/** "supports up to 500 records", both PutRecords and PutRecordBatch. */
const MAX_RECORDS = 500;

/** A call that AWS answers with an error. */
export class Violation extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export function must(condition: boolean, type: string, message: string): asserts condition {
  if (!condition) throw new Violation(type, message);
}

/** An operation that puts records, and how strictly its calls are read. */
export interface AwsRules<Entry> extends SignedFor {
  /** The header x-amz-target. */
  readonly target: string;
  /** @throws Violation */
  readInput(input: JsonObject): AwsInput<Entry>;
}

/** What the only stream that there is takes. Sizes count before base64. */
export interface StreamRules {
  readonly stream: string;
  readonly maxRecordBytes: number;
  readonly maxCallBytes: number;
}

export interface AwsInput<Entry> {
  /** Name or ARN, as the call gave it. */
  readonly stream: string;
  readonly entries: readonly Entry[];
}

export interface AwsCall<Entry> extends AwsInput<Entry> {
  readonly accessKeyId: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Who may sign a call. */
export interface SignedFor {
  /** The service by the name that its calls are signed for. */
  readonly service: string;
  /** Where given, signatures are verified. */
  readonly secretAccessKey?: string;
}

/** A call of the JSON 1.1 protocol. */
export interface JsonCall {
  /** The header x-amz-target. */
  readonly target: string;
  readonly accessKeyId: string;
  readonly input: JsonObject;
}

/**
 * Reads a call as strictly as anything might: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 *
 * @throws Violation
 */
export function readJsonCall(request: IncomingMessage, body: Buffer, signed: SignedFor): JsonCall {
  const { method, url, headers } = request;
  const target = String(headers['x-amz-target']);
  must(method === 'POST' && url === '/', 'UnknownOperationException', `${method} ${url}`);
  must(headers['content-type'] === JSON_1_1, 'UnknownOperationException', String(headers['content-type']));
  must(headers['content-length'] === String(body.length), 'SerializationException', 'content-length');
  const accessKeyId = checkSignature(request, body, signed);
  return { target, accessKeyId, input: parseObject(body) };
}

/**
 * Reads a call of an operation that puts records.
 *
 * @throws Violation
 */
export function readAwsCall<Entry>(request: IncomingMessage, body: Buffer, rules: AwsRules<Entry>): AwsCall<Entry> {
  const { target, accessKeyId, input } = readJsonCall(request, body, rules);
  must(target === rules.target, 'UnknownOperationException', target);
  return { accessKeyId, ...rules.readInput(input) };
}

function checkSignature(request: IncomingMessage, body: Buffer, { service, secretAccessKey }: SignedFor): string {
  const signature = readSignature(request, body);
  if (!signature) throw new Violation('MissingAuthenticationTokenException', String(request.headers.authorization));
  must(signature.service === service, 'InvalidSignatureException', `signed for ${signature.service}`);
  for (const header of ['host', 'x-amz-date', 'x-amz-target', 'content-type', 'content-length']) {
    must(signature.signedHeaders.includes(header), 'InvalidSignatureException', `${header} is not signed`);
  }
  if (secretAccessKey !== undefined) {
    const good = signature.signature === signature.expected(secretAccessKey);
    must(good, 'InvalidSignatureException', 'The request signature we calculated does not match');
  }
  return signature.accessKeyId;
}

function parseObject(body: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Violation('SerializationException', String(error));
  }
  return asObject(value, 'the body');
}

export function asObject(value: unknown, what: string): JsonObject {
  must(typeof value === 'object' && value !== null, 'SerializationException', `${what} is no object`);
  return value as JsonObject;
}

export function mustHaveOnly(object: JsonObject, names: readonly string[]): void {
  const other = Object.keys(object).find((name) => !names.includes(name));
  must(other === undefined, 'SerializationException', `unknown field ${other}`);
}

/** A list of records, as many as a call may have. */
export function readRecords<Entry>(records: unknown, read: (record: JsonObject, what: string) => Entry): Entry[] {
  if (!Array.isArray(records)) throw new Violation('SerializationException', 'Records is not a list');
  must(records.length >= 1 && records.length <= MAX_RECORDS, 'ValidationException', `${records.length} records`);
  return (records as unknown[]).map((record, index) => {
    const what = `record ${index}`;
    return read(asObject(record, what), what);
  });
}

/** @param tooLong what AWS answers where one record alone is too long */
export function checkSizes(
  sizes: readonly number[],
  { maxRecordBytes, maxCallBytes }: StreamRules,
  tooLong: string,
): void {
  sizes.forEach((bytes, index) => {
    must(bytes <= maxRecordBytes, tooLong, `record ${index} has ${bytes} bytes`);
  });
  const callBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  must(callBytes <= maxCallBytes, 'InvalidArgumentException', `Records size exceeds ${maxCallBytes}: ${callBytes}`);
}

export function readText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Violation('SerializationException', `${what} is no string`);
  return value;
}

/** The bytes of a field in strict base64. */
export function readBlob(value: unknown, what: string): Buffer {
  const text = readText(value, what);
  const data = Buffer.from(text, 'base64');
  must(data.toString('base64') === text, 'SerializationException', `${what} is not base64`);
  return data;
}
