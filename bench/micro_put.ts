/** Records become the body of a PutRecords call, the SDK sends it, and the answer is read. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { KinesisClient, PutRecords$, PutRecordsCommand, type PutRecordsOutput } from '@aws-sdk/client-kinesis';
import { PutKernel } from '../src/kernel/put_kernel.ts';
import { openOperation } from '../src/sinks/aws_operation.ts';
import { PutSink } from '../src/sinks/aws_put.ts';
import { PUT_RECORDS_ANSWER, readPutAnswer } from '../src/sinks/aws_put_answer.ts';
import { writePutBody } from '../src/sinks/aws_put_body.ts';
import type { Batch, SinkLimits } from '../src/sinks/sink.ts';
import type { Packing } from '../src/write/pack.ts';
import type { Stage } from './micro_measure.ts';

const STREAM = { StreamName: 'history' };
const BODY = { stream: STREAM, partitionKeys: true };
const REGION = 'eu-central-1';

/** The records of a call. */
export interface PutJob {
  readonly samples: number;
  readonly batch: Batch;
  /** What the SDK takes. */
  readonly records: readonly { readonly Data: Buffer; readonly PartitionKey: string }[];
  /** The records' bytes, one behind the other. */
  readonly bytes: Buffer;
  readonly answer: Buffer;
}

export function makePutJob(batch: Batch, samples: number): PutJob {
  const records = batch.flatMap(({ lines: { bytes, ends, hashes }, from, to }) =>
    Array.from({ length: to - from }, (_, index) => {
      const line = from + index;
      return {
        Data: Buffer.from(bytes.subarray(line === 0 ? 0 : ends[line - 1]!, ends[line])),
        PartitionKey: hashes[line]!.toString(16).padStart(8, '0'),
      };
    }),
  );
  const bytes = Buffer.concat(records.map(({ Data }) => Data));
  return { samples, batch, records, bytes, answer: answerOf(records.length) };
}

/** An answer like those of Kinesis, with sequence numbers of 56 digits. */
function answerOf(records: number): Buffer {
  const Records = Array.from({ length: records }, (_, index) => ({
    SequenceNumber: `49${String(index).padStart(54, '0')}`,
    ShardId: `shardId-${String(index % 4).padStart(12, '0')}`,
  }));
  return Buffer.from(JSON.stringify({ FailedRecordCount: 0, Records }));
}

/** Stands in the place of the SDK's HTTP: it takes each body as bytes, as a socket does, and answers at once. */
class CannedService {
  #body: Uint8Array = Buffer.alloc(0);
  #answer: Uint8Array = Buffer.alloc(0);

  readonly handler = {
    handle: ({ body }: { readonly body: string | Uint8Array }) => {
      this.#body = typeof body === 'string' ? Buffer.from(body) : body;
      return Promise.resolve({ response: responseOf(this.#answer) });
    },
  };

  /** Answers one call, and returns its body. */
  async exchange(answer: Uint8Array, call: () => Promise<unknown>): Promise<Uint8Array> {
    this.#answer = answer;
    await call();
    return this.#body;
  }
}

function responseOf(answer: Uint8Array) {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'content-length': String(answer.length) };
  return { statusCode: 200, headers, body: Readable.from([answer]) };
}

/** The stages of a call whose records are packed so. */
export async function openPutStages(limits: SinkLimits, packing: Packing): Promise<Stage<PutJob>[]> {
  const service = new CannedService();
  const client = new KinesisClient({
    region: REGION,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    maxAttempts: 1,
    requestHandler: service.handler,
  });
  const send = await openSink(client, limits);
  // Of its own: a sink writes the next body where the last one was.
  const sendFirst = await openSink(client, limits);
  const sendPlainly = (records: PutJob['records']) =>
    client.send(new PutRecordsCommand({ ...STREAM, Records: [...records] }));
  const stages = [bodyStage(packing), callStage(packing, { service, send, sendFirst, sendPlainly })];
  // Packed records are so few that what is said of each costs nothing.
  return packing === 'none' ? [...stages, answerStage(client)] : stages;
}

function bodyStage(packing: Packing): Stage<PutJob> {
  const kernel = new PutKernel();
  return {
    name: 'body',
    title: `the body of PutRecords, packing ${packing}`,
    check: ([ours, plain], { records }) => assertBodies([ours, plain], records),
    candidates: [
      { title: 'writePutBody', run: ({ batch }) => writePutBody(kernel, batch, BODY) },
      { title: 'JSON.stringify of objects, Buffer.from', run: ({ records }) => stringifyBody(records) },
      { title: 'floor: base64 of the records’ bytes', run: ({ bytes }) => base64Of(bytes) },
    ],
  };
}

interface Senders {
  readonly service: CannedService;
  readonly send: (batch: Batch) => Promise<unknown>;
  readonly sendFirst: (batch: Batch) => Promise<unknown>;
  readonly sendPlainly: (records: PutJob['records']) => Promise<unknown>;
}

function callStage(packing: Packing, { service, send, sendFirst, sendPlainly }: Senders): Stage<PutJob> {
  const shortAnswer = answerOf(1);
  return {
    name: 'call',
    title: `a whole call but for the socket, packing ${packing}`,
    check: ([ours, plain], { records }) => assertBodies([ours, plain], records),
    candidates: [
      { title: 'PutSink.send', run: ({ batch, answer }) => service.exchange(answer, () => send(batch)) },
      {
        title: 'KinesisClient.send with objects',
        run: ({ records, answer }) => service.exchange(answer, () => sendPlainly(records)),
      },
      {
        title: 'PutSink.send, of the records only the first',
        run: ({ batch }) => service.exchange(shortAnswer, () => sendFirst([{ ...batch[0]!, to: batch[0]!.from + 1 }])),
      },
      { title: 'floor: base64 of the records’ bytes, SHA-256', run: ({ bytes }) => sha256(base64Of(bytes)) },
    ],
  };
}

function answerStage(client: KinesisClient): Stage<PutJob> {
  const kernel = new PutKernel();
  return {
    name: 'answer',
    title: 'the answer to PutRecords, packing none',
    check: ([ours, plain], { records }) => {
      assert.deepEqual(ours, []);
      assert.equal((plain as PutRecordsOutput).Records?.length, records.length);
    },
    candidates: [
      {
        title: 'readPutAnswer',
        run: ({ answer, records }) =>
          readPutAnswer(kernel, answer, { records: records.length, form: PUT_RECORDS_ANSWER }),
      },
      { title: 'the SDK’s deserializer', run: ({ answer }) => deserialize(client, answer) },
      { title: 'floor: a copy of the answer', run: ({ answer }) => new Uint8Array(answer) },
    ],
  };
}

/** A sink as sinks/kinesis.ts makes it, but for the client's handler. */
async function openSink(client: KinesisClient, limits: SinkLimits): Promise<(batch: Batch) => Promise<unknown>> {
  const operation = await openOperation(
    client,
    (prepare, options) => client.send(prepare(new PutRecordsCommand({ ...STREAM, Records: [] })), options),
    'stream',
  );
  const sink = new PutSink(operation, {
    name: 'Kinesis',
    limits,
    target: { name: 'stream history', region: REGION, option: '', action: '', keyMend: '' },
    body: BODY,
    answer: PUT_RECORDS_ANSWER,
  });
  const { signal } = new AbortController();
  return (batch) => sink.send(batch, signal);
}

/** The plain way: an object for each record. */
function stringifyBody(records: PutJob['records']): Buffer {
  const Records = records.map(({ Data, PartitionKey }) => ({ Data: Data.toString('base64'), PartitionKey }));
  return Buffer.from(JSON.stringify({ ...STREAM, Records }));
}

function base64Of(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The part of the SDK's client that reads answers. Its types do not tell. */
interface SdkProtocol {
  deserializeResponse(schema: object, context: object, response: object): Promise<unknown>;
}

function deserialize({ config }: KinesisClient, answer: Uint8Array): Promise<unknown> {
  const [, namespace, name, traits, input, output] = PutRecords$;
  const schema = { namespace, name, traits, input, output };
  const protocol = config.protocol as unknown as SdkProtocol;
  return protocol.deserializeResponse(schema, config, { ...responseOf(answer), body: answer });
}

function assertBodies(bodies: readonly unknown[], records: PutJob['records']): void {
  const expected = {
    ...STREAM,
    Records: records.map(({ Data, PartitionKey }) => ({ Data: Data.toString('base64'), PartitionKey })),
  };
  for (const body of bodies) assert.deepEqual(JSON.parse(new TextDecoder().decode(body as Uint8Array)), expected);
}
