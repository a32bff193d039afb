import { describe, expect, test } from 'vitest';
import { readPutRecordsAnswer } from '../../../src/sinks/kinesis_answer.ts';

const accepted = {
  SequenceNumber: '49543463076548007577105092703039560359975228518395012686',
  ShardId: 'shardId-000000000000',
};
const throttled = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' };
const failed = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' };

const read = (answer: unknown, records: number) =>
  readPutRecordsAnswer(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), records);

describe('an answer to PutRecords', () => {
  test.each([
    { title: 'all accepted', answer: { FailedRecordCount: 0, Records: [accepted, accepted] }, rejected: [] },
    {
      title: 'all accepted, fields null',
      answer: { Records: [{ ...accepted, ErrorCode: null, ErrorMessage: null }] },
      rejected: [],
    },
    {
      title: 'some throttled, some failed',
      answer: { FailedRecordCount: 2, Records: [throttled, accepted, failed] },
      rejected: [
        { index: 0, failure: 'throttled', code: 'ProvisionedThroughputExceededException', message: 'Rate exceeded' },
        { index: 2, failure: 'transient', code: 'InternalFailure', message: 'Internal Service Failure' },
      ],
    },
    {
      title: 'an unknown code without a message',
      answer: { FailedRecordCount: 1, Records: [{ ErrorCode: 'Gremlins' }] },
      rejected: [{ index: 0, failure: 'transient', code: 'Gremlins', message: '' }],
    },
    {
      title: 'failed entries, though the count says none',
      answer: { FailedRecordCount: 0, Records: [failed] },
      rejected: [{ index: 0, failure: 'transient', code: 'InternalFailure', message: 'Internal Service Failure' }],
    },
    {
      title: 'an entry that says nothing',
      answer: { FailedRecordCount: 0, Records: [accepted, {}] },
      rejected: [{ index: 1, failure: 'transient', code: 'NoSequenceNumber', message: '' }],
    },
    {
      title: 'an entry that is none',
      answer: { Records: [null, accepted] },
      rejected: [{ index: 0, failure: 'transient', code: 'NoSequenceNumber', message: '' }],
    },
  ])('says what was not accepted: $title', ({ answer, rejected }) => {
    expect(read(answer, answer.Records.length)).toEqual(rejected);
  });

  test.each([
    { title: 'too few entries', answer: { FailedRecordCount: 0, Records: [accepted] } },
    { title: 'too many entries', answer: { FailedRecordCount: 0, Records: [accepted, accepted, accepted] } },
    { title: 'no entries', answer: { FailedRecordCount: 0 } },
    { title: 'more failed than marked', answer: { FailedRecordCount: 1, Records: [accepted, accepted] } },
    { title: 'nothing', answer: '' },
    { title: 'no object', answer: 'null' },
    { title: 'no list', answer: { Records: 2 } },
    { title: 'no JSON', answer: '<html>' },
    { title: 'JSON that ends too soon', answer: '{"FailedRecordCount":0,"Records":[{"Seq' },
  ])('fails the whole call: $title', ({ answer }) => {
    expect(() => read(answer, 2)).toThrow(
      expect.objectContaining({ name: 'SinkError', failure: 'transient', code: 'MalformedAnswer' }),
    );
  });
});
