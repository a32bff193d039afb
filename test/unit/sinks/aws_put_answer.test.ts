import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { PutKernel } from '../../../src/kernel/put_kernel.ts';
import {
  PUT_RECORD_BATCH_ANSWER,
  PUT_RECORDS_ANSWER,
  readEntries,
  readPutAnswer,
} from '../../../src/sinks/aws_put_answer.ts';

const kernel = new PutKernel();
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
    readPutAnswer(kernel, Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), { records, form });
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

  /** What a way of reading says: the records, or the words of the error. */
  const verdictOf = (readAnswer: () => unknown): unknown => {
    try {
      return readAnswer();
    } catch (error) {
      return (error as Error).message;
    }
  };
  const expectSame = (answer: Uint8Array, records: number) => {
    const options = { records, form };
    expect(verdictOf(() => readPutAnswer(kernel, answer, options))).toEqual(
      verdictOf(() => readEntries(answer, options)),
    );
  };
  const watchParse = () => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => {
      parse.mockRestore();
    });
    return parse;
  };

  test.each([1, 2, 500])('that %i records were accepted is told without reading an entry', (records) => {
    const parse = watchParse();
    const entries = Array.from({ length: records }, () => accepted);
    expect(read(answerOf(0, entries), records)).toEqual([]);
    expect(parse.mock.lastCall?.[0].length).toBeLessThan(100);
    expect(() => read(answerOf(0, entries), records + 1)).toThrow(`${records} entries for ${records + 1} records`);
  });

  test('an answer of more than 1 MiB is read entry by entry', () => {
    const parse = watchParse();
    const entries = Array.from({ length: 25_000 }, () => accepted);
    expect(read(answerOf(0, entries), entries.length)).toEqual([]);
    expect(parse.mock.lastCall?.[0].length).toBeGreaterThan(1024 ** 2);
  });

  test('an answer is read entry by entry where the kernel gets no memory', () => {
    const count = vi.spyOn(kernel, 'countEntries').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    });
    onTestFinished(() => {
      count.mockRestore();
    });
    expect(read(answerOf(0, [accepted, accepted]), 2)).toEqual([]);
    expect(read(answerOf(1, [accepted, failed]), 2)).toEqual([failedAt(1)]);
    expect(count).toHaveBeenCalledTimes(2);
  });

  const text = fc.oneof(
    fc.constantFrom('', '"', '\\', ']', '[', '}', '"}', '{', ',', '\n', 'ü', '\u007f', 'a'.repeat(16), 'b'.repeat(15)),
    fc.stringMatching(/^[0-9a-z]{1,40}$/),
  );
  const oddEntry = fc.oneof(
    fc.record({ [form.receipt]: text, ShardId: text }, { requiredKeys: [] }),
    fc.record({ ShardId: text, [form.receipt]: text }),
    fc.record({ [form.receipt]: text, ErrorCode: fc.option(text), ErrorMessage: fc.option(text) }),
    fc.constantFrom(null, {}, [], [accepted], 5, 'ab', { [form.receipt]: 5 }, { [form.receipt]: null }, failed),
  );
  const someEntries = fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant(accepted) }, oddEntry), { maxLength: 5 });
  const count = fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    fc.constantFrom(1, -1, '0', '', null, undefined, {}),
  );
  const more = fc.dictionary(fc.constantFrom(form.entries, form.failedCount, 'EncryptionType', '[', ']'), text, {
    maxKeys: 2,
  });
  const anyAnswer = fc.tuple(count, someEntries, more, fc.boolean()).map(([failures, entries, others, isFirst]) => {
    const answer = answerOf(failures, entries);
    return { entries, json: JSON.stringify(isFirst ? { ...others, ...answer } : { ...answer, ...others }) };
  });

  test('says the same, read at once or entry by entry', () => {
    fc.assert(
      fc.property(anyAnswer, fc.integer({ min: -1, max: 1 }), ({ entries, json }, off) => {
        expectSame(Buffer.from(json), Math.max(1, entries.length + off));
      }),
      { numRuns: 3_000 },
    );
  });

  test('says the same when it is damaged', () => {
    const usual = { entries: [accepted, accepted, accepted], json: '' };
    const pieces = [
      '',
      '"',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      ' ',
      '\\',
      '\n',
      '\0',
      'ÿ',
      '],',
      '[]',
      '{}',
      'null',
      '"}',
      ',{}',
    ];
    const pieceOrEntry = fc.constantFrom(
      ...pieces,
      JSON.stringify(accepted),
      JSON.stringify(failed),
      '"ErrorCode":"a",',
    );
    const base = fc.oneof(fc.constant({ ...usual, json: JSON.stringify(answerOf(0, usual.entries)) }), anyAnswer);
    fc.assert(
      fc.property(base, fc.nat(), fc.nat(3), pieceOrEntry, ({ entries, json }, where, removed, piece) => {
        const at = where % (json.length + 1);
        expectSame(Buffer.from(json.slice(0, at) + piece + json.slice(at + removed), 'latin1'), entries.length || 1);
      }),
      { numRuns: 5_000 },
    );
  });

  test('says the same cut off at any byte', () => {
    const whole = Buffer.from(JSON.stringify(answerOf(0, [accepted, accepted, accepted])));
    for (let length = 0; length <= whole.length; length++)
      for (const records of [1, 2, 3]) expectSame(whole.subarray(0, length), records);
  });
});
