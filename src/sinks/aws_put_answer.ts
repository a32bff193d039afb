import { SinkError } from '../errors.ts';
import { recordFailureOf } from './aws_errors.ts';
import type { Rejected } from './sink.ts';

/** What an operation calls the fields of its answer. The fields of a refusal, ErrorCode and ErrorMessage, are the same for both. */
export interface PutAnswerForm {
  readonly operation: string;
  /** Counts the records that were not accepted. */
  readonly failedCount: string;
  /** Lists an entry for each record, in the order of the request. */
  readonly entries: string;
  /** What the entry of an accepted record has. */
  readonly receipt: string;
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_ResponseSyntax */
export const PUT_RECORDS_ANSWER: PutAnswerForm = {
  operation: 'PutRecords',
  failedCount: 'FailedRecordCount',
  entries: 'Records',
  receipt: 'SequenceNumber',
};

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_ResponseSyntax */
export const PUT_RECORD_BATCH_ANSWER: PutAnswerForm = {
  operation: 'PutRecordBatch',
  failedCount: 'FailedPutCount',
  entries: 'RequestResponses',
  receipt: 'RecordId',
};

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Which records of a call were not accepted: one is accepted when its entry has a receipt and no error code.
 *
 * @param records how many records the request had
 * @throws SinkError (transient) when the answer does not say of every record what became of it
 */
export function readPutAnswer(answer: Uint8Array, records: number, form: PutAnswerForm): Rejected[] {
  const parsed = parseAnswer(answer, form);
  const entries = parsed[form.entries];
  if (!Array.isArray(entries)) throw malformed(form, `no list ${form.entries}`);
  if (entries.length !== records) throw malformed(form, `${entries.length} entries for ${records} records`);

  const rejected: Rejected[] = [];
  for (let index = 0; index < entries.length; index++) {
    const entry = (entries[index] ?? {}) as JsonObject;
    const { ErrorCode, ErrorMessage } = entry;
    if (entry[form.receipt] && !ErrorCode) continue;
    const code = textOf(ErrorCode, `No${form.receipt}`);
    rejected.push({ index, failure: recordFailureOf(code), code, message: textOf(ErrorMessage, '') });
  }
  const failed = Number(parsed[form.failedCount] ?? 0);
  // NaN, of a count that is none, is not at most anything.
  if (!(failed <= rejected.length))
    throw malformed(form, `${failed} failed records, ${rejected.length} entries say so`);
  return rejected;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function parseAnswer(answer: Uint8Array, form: PutAnswerForm): JsonObject {
  try {
    return (JSON.parse(new TextDecoder().decode(answer)) ?? {}) as JsonObject;
  } catch (error) {
    throw malformed(form, 'not JSON', error);
  }
}

/** What can't be read may have been accepted all the same: the lines are sent again. */
function malformed({ operation }: PutAnswerForm, what: string, cause?: unknown): SinkError {
  return new SinkError('transient', `the answer to ${operation} can't be read: ${what}`, {
    code: 'MalformedAnswer',
    cause,
  });
}
