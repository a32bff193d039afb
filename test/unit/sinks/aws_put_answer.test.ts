import { describe, expect, test } from 'vitest';
import { PUT_RECORD_BATCH_ANSWER, PUT_RECORDS_ANSWER, readPutAnswer } from '../../../src/sinks/aws_put_answer.ts';

const failed = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' };
const failedAt = (index: number) => ({
  index,
  failure: 'transient',
  code: 'InternalFailure',
  message: 'Internal Service Failure',
});

describe.each([
  {
    form: PUT_RECORDS_ANSWER,
    accepted: {
      SequenceNumber: '49543463076548007577105092703039560359975228518395012686',
      ShardId: 'shardId-000000000000',
    },
    throttled: { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' },
    answerOf: (count: unknown, entries: unknown) => ({ FailedRecordCount: count, Records: entries }),
  },
  {
    form: PUT_RECORD_BATCH_ANSWER,
    accepted: { RecordId: 'NDYwMjQ1ODAxOTQ3MjM2NDI0MjYyNDk0NjM2Nzg1MzI0NDgwMDA' },
    throttled: { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' },
    answerOf: (count: unknown, entries: unknown) => ({
      Encrypted: false,
      FailedPutCount: count,
      RequestResponses: entries,
    }),
  },
])('an answer to $form.operation', ({ form, accepted, throttled, answerOf }) => {
  const read = (answer: unknown, records: number) =>
    readPutAnswer(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), records, form);
  const noReceipt = `No${form.receipt}`;

  test.each([
    { title: 'all accepted', count: 0, entries: [accepted, accepted], rejected: [] },
    {
      title: 'all accepted, fields null',
      count: null,
      entries: [{ ...accepted, ErrorCode: null, ErrorMessage: null }],
      rejected: [],
    },
    {
      title: 'some throttled, some failed',
      count: 2,
      entries: [throttled, accepted, failed],
      rejected: [
        { index: 0, failure: 'throttled', code: throttled.ErrorCode, message: throttled.ErrorMessage },
        failedAt(2),
      ],
    },
    {
      title: 'an unknown code without a message',
      count: 1,
      entries: [{ ErrorCode: 'Gremlins' }],
      rejected: [{ index: 0, failure: 'transient', code: 'Gremlins', message: '' }],
    },
    {
      title: 'a code that is none',
      count: 1,
      entries: [{ ...accepted, ErrorCode: 5, ErrorMessage: 5 }],
      rejected: [{ index: 0, failure: 'transient', code: noReceipt, message: '' }],
    },
    { title: 'a code beside a receipt', count: 1, entries: [{ ...accepted, ...failed }], rejected: [failedAt(0)] },
    { title: 'failed entries, though the count says none', count: 0, entries: [failed], rejected: [failedAt(0)] },
    { title: 'failed entries, and no count', count: undefined, entries: [failed], rejected: [failedAt(0)] },
    {
      title: 'an entry that says nothing',
      count: 0,
      entries: [accepted, {}],
      rejected: [{ index: 1, failure: 'transient', code: noReceipt, message: '' }],
    },
    {
      title: 'an entry that is none',
      count: undefined,
      entries: [null, accepted],
      rejected: [{ index: 0, failure: 'transient', code: noReceipt, message: '' }],
    },
  ])('says what was not accepted: $title', ({ count, entries, rejected }) => {
    expect(read(answerOf(count, entries), entries.length)).toEqual(rejected);
  });

  test.each([
    { title: 'too few entries', answer: answerOf(0, [accepted]) },
    { title: 'too many entries', answer: answerOf(0, [accepted, accepted, accepted]) },
    { title: 'no entries', answer: answerOf(0, undefined) },
    { title: 'more failed than marked', answer: answerOf(1, [accepted, accepted]) },
    { title: 'a count that is none', answer: answerOf('some', [accepted, accepted]) },
    { title: 'the fields of another operation', answer: { FailedCount: 0, Entries: [accepted, accepted] } },
    { title: 'nothing', answer: '' },
    { title: 'no object', answer: 'null' },
    { title: 'no list', answer: answerOf(0, 2) },
    { title: 'a text for a list', answer: answerOf(0, 'ab') },
    { title: 'no JSON', answer: '<html>' },
    { title: 'JSON that ends too soon', answer: JSON.stringify(answerOf(0, [accepted, accepted])).slice(0, -20) },
  ])('fails the whole call: $title', ({ answer }) => {
    expect(() => read(answer, 2)).toThrow(
      expect.objectContaining({
        name: 'SinkError',
        failure: 'transient',
        code: 'MalformedAnswer',
        message: expect.stringContaining(`the answer to ${form.operation} can't be read: `) as string,
      }),
    );
  });
});
