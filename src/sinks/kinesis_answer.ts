import { SinkError } from '../errors.ts';
import { recordFailureOf } from './aws_errors.ts';
import type { Rejected } from './sink.ts';

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_ResponseSyntax */
interface PutRecordsAnswer {
  readonly FailedRecordCount?: number | null;
  readonly Records?: readonly (PutRecordsAnswerEntry | null)[] | null;
}

interface PutRecordsAnswerEntry {
  readonly SequenceNumber?: string | null;
  readonly ErrorCode?: string | null;
  readonly ErrorMessage?: string | null;
}

/**
 * Which records of a PutRecords call were not accepted. The entries stand in the order of the request; one is accepted when it has a
 * sequence number and no error code.
 *
 * @param records how many records the request had
 * @throws SinkError (transient) when the answer does not say of every record what became of it
 */
export function readPutRecordsAnswer(answer: Uint8Array, records: number): Rejected[] {
  const { FailedRecordCount, Records } = parseAnswer(answer);
  const entries = Records ?? [];
  if (entries.length !== records) throw malformed(`${entries.length} entries for ${records} records`);

  const rejected: Rejected[] = [];
  for (let index = 0; index < entries.length; index++) {
    const { SequenceNumber, ErrorCode, ErrorMessage } = entries[index] ?? {};
    if (SequenceNumber && !ErrorCode) continue;
    const code = ErrorCode ?? 'NoSequenceNumber';
    rejected.push({ index, failure: recordFailureOf(code), code, message: ErrorMessage ?? '' });
  }
  const failed = FailedRecordCount ?? 0;
  if (failed > rejected.length) throw malformed(`${failed} failed records, but ${rejected.length} entries say so`);
  return rejected;
}

function parseAnswer(answer: Uint8Array): PutRecordsAnswer {
  try {
    return (JSON.parse(new TextDecoder().decode(answer)) ?? {}) as PutRecordsAnswer;
  } catch (error) {
    throw malformed('not JSON', error);
  }
}

/** What can't be read may have been accepted all the same: the lines are sent again. */
function malformed(what: string, cause?: unknown): SinkError {
  return new SinkError('transient', `the answer to PutRecords can't be read: ${what}`, {
    code: 'MalformedAnswer',
    cause,
  });
}
