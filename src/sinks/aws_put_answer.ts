import { SinkError } from '../errors.ts';
import type { EntryPieces, PutKernel } from '../kernel/put_kernel.ts';
import { recordFailureOf } from '../aws_errors.ts';
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
  /** How such an entry is written. One that is written otherwise is read all the same. */
  readonly accepted: EntryPieces;
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_ResponseSyntax */
export const PUT_RECORDS_ANSWER: PutAnswerForm = {
  operation: 'PutRecords',
  failedCount: 'FailedRecordCount',
  entries: 'Records',
  receipt: 'SequenceNumber',
  accepted: { receipt: '{"SequenceNumber":"', other: '","ShardId":"' },
};

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html#API_PutRecordBatch_ResponseSyntax */
export const PUT_RECORD_BATCH_ANSWER: PutAnswerForm = {
  operation: 'PutRecordBatch',
  failedCount: 'FailedPutCount',
  entries: 'RequestResponses',
  receipt: 'RecordId',
  accepted: { receipt: '{"RecordId":"', other: '' },
};

/** What an answer is to. */
export interface PutAnswerOptions {
  /** How many records the request had. */
  readonly records: number;
  readonly form: PutAnswerForm;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Which records of a call were not accepted: one is accepted when its entry has a receipt and no error code.
 *
 * @throws SinkError (transient) when the answer does not say of every record what became of it
 */
export function readPutAnswer(kernel: PutKernel, answer: Uint8Array, options: PutAnswerOptions): Rejected[] {
  return isAllAccepted(kernel, answer, options) ? [] : readEntries(answer, options);
}

/** Whether an answer is the usual one, found without a string per entry: that takes a quarter of the time of reading it. */
function isAllAccepted(kernel: PutKernel, answer: Uint8Array, { records, form }: PutAnswerOptions): boolean {
  const from = answer.indexOf(OPEN_LIST) + 1;
  const to = answer.lastIndexOf(CLOSE_LIST);
  if (from === 0 || to < from) return false;
  try {
    if (kernel.countEntries(answer.subarray(from, to), form.accepted) !== records) return false;
    // What is around the entries, with none of them: its only list is theirs, as there is no bracket besides those two, or one in a text.
    const text = new TextDecoder();
    const around = text.decode(answer.subarray(0, from)) + text.decode(answer.subarray(to));
    const parsed = JSON.parse(around) as JsonObject;
    return Array.isArray(parsed[form.entries]) && Number(parsed[form.failedCount] ?? 0) <= 0;
  } catch {
    // No JSON, or a kernel that got no memory. The records may have been accepted all the same, and entry by entry the answer can still say so.
    return false;
  }
}

const OPEN_LIST = '['.charCodeAt(0);
const CLOSE_LIST = ']'.charCodeAt(0);

/** Reads an answer entry by entry. */
export function readEntries(answer: Uint8Array, { records, form }: PutAnswerOptions): Rejected[] {
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
