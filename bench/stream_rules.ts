import type { IncomingHttpHeaders } from 'node:http';

export type ServiceName = 'kinesis' | 'firehose';

/** What tells the two services apart, as far as a bench needs it. */
export interface ServiceRules {
  readonly target: string;
  readonly maxRecordBytes: number;
  readonly maxCallBytes: number;
  readonly hasKeys: boolean;
  /** An answer that accepts so many records, as long as the real one. */
  readonly answer: (records: number) => string;
}

const MIB = 1024 ** 2;
const MAX_RECORDS = 500;
const SEQUENCE_NUMBER = '49543463076548007577105092703039560359975228518395012686'.padEnd(56, '0');
const RECORD_ID = 'A'.repeat(220);

/**
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html,
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
 */
export const SERVICES: Readonly<Record<ServiceName, ServiceRules>> = {
  kinesis: {
    target: 'Kinesis_20131202.PutRecords',
    maxRecordBytes: MIB,
    maxCallBytes: 10 * MIB,
    hasKeys: true,
    answer: (records) => {
      const entry = JSON.stringify({ SequenceNumber: SEQUENCE_NUMBER, ShardId: 'shardId-000000000000' });
      return `{"FailedRecordCount":0,"Records":[${Array<string>(records).fill(entry).join()}]}`;
    },
  },
  firehose: {
    target: 'Firehose_20150804.PutRecordBatch',
    maxRecordBytes: 1_000 * 1024,
    maxCallBytes: 4 * MIB,
    hasKeys: false,
    answer: (records) => {
      const entry = JSON.stringify({ RecordId: RECORD_ID });
      return `{"Encrypted":false,"FailedPutCount":0,"RequestResponses":[${Array<string>(records).fill(entry).join()}]}`;
    },
  },
};

export interface PutInput {
  readonly Records: readonly { readonly Data: string; readonly PartitionKey?: string }[];
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/(kinesis|firehose)\/aws4_request, SignedHeaders=[^,]*x-amz-target[^,]*, Signature=[0-9a-f]{64}$/;

/**
 * Reads a call and holds it against the limits. What takes long, the lines themselves, is looked at when the clock has stopped.
 *
 * @throws Error naming what is broken
 */
export function readCall(body: Buffer, headers: IncomingHttpHeaders, rules: ServiceRules): PutInput {
  must(headers['x-amz-target'] === rules.target, `target ${String(headers['x-amz-target'])}`);
  must(headers['content-type'] === 'application/x-amz-json-1.1', `content-type ${String(headers['content-type'])}`);
  must(headers['content-length'] === String(body.length), 'no content-length');
  must(AUTHORIZATION.test(headers.authorization ?? ''), 'no signature');
  const input = JSON.parse(body.toString('latin1')) as PutInput;
  const { Records: records } = input;
  must(records.length >= 1 && records.length <= MAX_RECORDS, `${records.length} records`);
  let callBytes = 0;
  for (const { Data: data, PartitionKey: key } of records) {
    const keyChars = key?.length ?? 0;
    must(rules.hasKeys ? keyChars >= 1 && keyChars <= 256 : key === undefined, `a key of ${keyChars} characters`);
    const bytes = base64Bytes(data) + keyChars;
    must(bytes <= rules.maxRecordBytes, `a record of ${bytes} bytes`);
    callBytes += bytes;
  }
  must(callBytes <= rules.maxCallBytes, `a call of ${callBytes} bytes`);
  return input;
}

function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
