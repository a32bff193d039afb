import { expect, test } from 'vitest';
import type { AwsOperation } from '../../../src/sinks/aws_operation.ts';
import { PutSink } from '../../../src/sinks/aws_put.ts';
import { PUT_RECORDS_ANSWER } from '../../../src/sinks/aws_put_answer.ts';
import { batchOf } from '../../support/lines.ts';

/** Enough of a body for its buffer to be used again. */
const LINE_BYTES = 100_000;
const batch = (letter: string) => batchOf([letter.repeat(LINE_BYTES)]);

const answerOf = (entry: object) => Buffer.from(JSON.stringify({ FailedRecordCount: 0, Records: [entry] }));
const ACCEPTED = answerOf({ SequenceNumber: '1', ShardId: 'shardId-000000000000' });
const FAILED = answerOf({ ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' });

/** A call of the operation, which ends as the test says, or never. */
interface Exchange {
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

function start() {
  const exchanges: Exchange[] = [];
  const operation: AwsOperation = {
    region: 'us-east-1',
    exchange: (body, signal) =>
      new Promise((resolve, reject) => {
        exchanges.push({ body, signal, resolve, reject });
      }),
    close: () => undefined,
  };
  const sink = new PutSink(operation, {
    name: 'Kinesis',
    limits: {
      maxRecordsPerCall: 500,
      maxBytesPerCall: 5 * 1024 ** 2,
      overheadBytesPerRecord: 8,
      maxRecordBytes: 1_000_000,
      billingUnitBytes: 25 * 1024,
      maxCallsInFlight: 2,
    },
    target: {
      name: 'stream s',
      region: 'us-east-1',
      option: '--stream-name (STREAM_NAME)',
      action: 'kinesis:PutRecords',
      keyMend: 'allow it',
    },
    answer: PUT_RECORDS_ANSWER,
    body: { stream: { StreamName: 's' }, partitionKeys: true },
  });
  const aborting = new AbortController();
  const send = async (letter: string) => {
    const outcome = sink.send(batch(letter), aborting.signal);
    // Every test looks at it; that it may reject before is no fault.
    outcome.catch(() => undefined);
    await expect.poll(() => exchanges.at(-1)?.signal.aborted).toBe(false);
    return { outcome, exchange: exchanges.at(-1)! };
  };
  return { sink, exchanges, send, abort: () => aborting.abort(new Error('stopping')) };
}

/** Sends some more bodies of the same size, each while those before are still under way. */
async function bodiesOf(sink: PutSink, exchanges: readonly Exchange[]): Promise<Uint8Array[]> {
  const before = exchanges.length;
  const outcomes = ['b', 'c', 'd'].map((letter) => sink.send(batch(letter), new AbortController().signal));
  const made = exchanges.slice(before);
  for (const { resolve } of made) resolve(ACCEPTED);
  await Promise.all(outcomes);
  return made.map(({ body }) => body);
}

test.each([
  { title: 'accepted', answer: ACCEPTED, rejected: [] },
  { title: 'partly refused', answer: FAILED, rejected: [expect.objectContaining({ index: 0 })] },
])('the buffer of a body is used again by the next call once it is answered: $title', async (answered) => {
  const { sink, exchanges, send } = start();
  const { outcome, exchange } = await send('a');
  exchange.resolve(answered.answer);
  expect(await outcome).toEqual(answered.rejected);
  const buffers = (await bodiesOf(sink, exchanges)).map(({ buffer }) => buffer);
  // Not toBe, which takes minutes to say how two buffers differ.
  expect(buffers.indexOf(exchange.body.buffer)).toBe(0);
  expect(new Set(buffers).size, 'one call at a time').toBe(buffers.length);
});

const named = (name: string) => Object.assign(new Error('it broke'), { name });

test.each<{ title: string; end: (exchange: Exchange, abort: () => void) => void }>([
  { title: 'aborted, and the SDK takes no notice', end: (_, abort) => abort() },
  {
    title: 'aborted, and the SDK ends it',
    end: ({ reject }, abort) => {
      abort();
      reject(named('AbortError'));
    },
  },
  {
    title: 'aborted, and answered all the same',
    end: ({ resolve }, abort) => {
      abort();
      resolve(ACCEPTED);
    },
  },
  { title: 'not answered in time', end: ({ reject }) => reject(named('TimeoutError')) },
  { title: 'reset', end: ({ reject }) => reject(Object.assign(named('Error'), { code: 'ECONNRESET' })) },
  { title: 'throttled as a whole', end: ({ reject }) => reject(named('LimitExceededException')) },
  { title: 'answered by what says nothing of its records', end: ({ resolve }) => resolve(Buffer.from('{}')) },
])('a body that may still be on its way out stays as it is, in a buffer of its own: $title', async ({ end }) => {
  const { sink, exchanges, send, abort } = start();
  const { outcome, exchange } = await send('a');
  const sent = Buffer.from(exchange.body);
  end(exchange, abort);
  await expect(outcome).rejects.toThrow();
  // What is left of the call has come to its end.
  await new Promise(setImmediate);
  const buffers = (await bodiesOf(sink, exchanges)).map(({ buffer }) => buffer);
  expect(buffers.indexOf(exchange.body.buffer)).toBe(-1);
  expect(Buffer.compare(exchange.body, sent)).toBe(0);
});
