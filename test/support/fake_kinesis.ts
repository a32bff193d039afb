import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer } from './close_server.ts';
import { textsOf } from './lines.ts';
import {
  JSON_1_1,
  readPutRecordsCall,
  Violation,
  type PutRecordsCall,
  type PutRecordsRules,
} from './put_records_rules.ts';

const MIB = 1024 ** 2;

/** A record that the fake took. */
export interface FakeRecord {
  readonly data: Buffer;
  readonly partitionKey: string;
  readonly shard: number;
  /** Which call brought it, counted from 0. */
  readonly call: number;
}

export interface FakeCall {
  readonly index: number;
  readonly records: number;
  readonly accessKeyId: string;
  readonly stream: string;
}

/** What becomes of a call that is right. Without a script every call is accepted. */
export type Behaviour =
  | { readonly kind: 'accept' }
  /** Codes by record, undefined for one that is accepted. */
  | { readonly kind: 'codes'; readonly codes: readonly (string | undefined)[] }
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message?: string }
  /** An answer as it comes, nothing accepted. */
  | { readonly kind: 'raw'; readonly status: number; readonly body: string }
  /** The connection is reset without an answer. */
  | { readonly kind: 'reset'; readonly accepted: boolean }
  /** Accepted, but the answer ends in the middle: the connection is reset, or says no more. */
  | { readonly kind: 'half'; readonly then: 'reset' | 'silence' }
  /** Accepted, but only so many entries in the answer. */
  | { readonly kind: 'entries'; readonly count: number };

/** A promise holds the call back until it settles. */
export type Script = (call: FakeCall) => Behaviour | Promise<Behaviour>;

export interface FakeKinesisOptions extends Partial<PutRecordsRules> {
  readonly shards?: number;
  /** What a shard takes, one second's worth at once; AWS's are 1,000 records and 1 MiB. Without it shards take everything. */
  readonly shardLimits?: ShardLimits;
  /** False forgets the records, for long runs. */
  readonly keepRecords?: boolean;
}

export interface ShardLimits {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
}

export interface FakeKinesis {
  readonly url: string;
  /** Calls that kept the rules, in order of arrival. */
  readonly calls: readonly FakeCall[];
  readonly records: readonly FakeRecord[];
  /** What broke the rules; these calls were answered with an error of AWS's. */
  readonly violations: readonly string[];
  /** Connections opened so far. */
  readonly connections: number;
  /** The lines of all accepted records, without their newlines. */
  lines(): string[];
  /** One behaviour per coming call, then accept; or a function for all of them. */
  script(...script: [Script] | Behaviour[]): void;
  /** Resolves when so many calls have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Kinesis as PutRecords sees it, strict about what it takes: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
export async function startFakeKinesis(options: FakeKinesisOptions = {}): Promise<FakeKinesis> {
  const { shards = 4, keepRecords = true } = options;
  const rules = { stream: 'history', maxRecordBytes: MIB, maxCallBytes: 10 * MIB, ...options };
  const calls: FakeCall[] = [];
  const records: FakeRecord[] = [];
  const violations: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const buckets = Array.from({ length: shards }, () => new TokenBucket(options.shardLimits));
  let connections = 0;
  let script: Script = () => ({ kind: 'accept' });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const checked = tryReadCall(request, body, rules);
    if (checked instanceof Violation) {
      violations.push(`${checked.type}: ${checked.message}`);
      answerError(response, 400, checked);
      return;
    }
    const { entries, accessKeyId, stream } = checked;
    const call: FakeCall = { index: calls.length, records: entries.length, accessKeyId, stream };
    calls.push(call);
    for (const { count, resolve } of waiting) if (calls.length >= count) resolve();

    const behaviour = await script(call);
    const accept = (codes: readonly (string | undefined)[] = []) =>
      entries.map((entry, index) => {
        const shard = shardOf(entry.partitionKey, shards);
        const bytes = entry.data.length + entry.partitionKey.length;
        const code = codes[index] ?? (buckets[shard]!.tryTake(bytes) ? undefined : THROUGHPUT_EXCEEDED);
        if (code === undefined && keepRecords) records.push({ ...entry, shard, call: call.index });
        return code === undefined
          ? acceptedEntry(call.index, index, shard)
          : { ErrorCode: code, ErrorMessage: `${code}: shard ${shard}` };
      });

    switch (behaviour.kind) {
      case 'accept':
        answer(response, 200, answerBody(accept()));
        return;
      case 'codes':
        answer(response, 200, answerBody(accept(behaviour.codes)));
        return;
      case 'entries':
        answer(response, 200, answerBody(accept().slice(0, behaviour.count)));
        return;
      case 'error':
        answerError(response, behaviour.status, behaviour);
        return;
      case 'raw':
        answer(response, behaviour.status, behaviour.body);
        return;
      case 'reset':
        if (behaviour.accepted) accept();
        request.socket.resetAndDestroy();
        return;
      case 'half': {
        const text = answerBody(accept());
        response.writeHead(200, { 'content-type': JSON_1_1, 'content-length': text.length });
        response.write(text.slice(0, text.length / 2), () => {
          if (behaviour.then === 'reset') request.socket.resetAndDestroy();
        });
      }
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The client went away in the middle of its request.
      if (!request.socket.destroyed) violations.push(String(error));
      request.socket.destroy();
    });
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    records,
    violations,
    get connections() {
      return connections;
    },
    lines: () => textsOf(Buffer.concat(records.map(({ data }) => data))),
    script: (...next) => {
      const [first] = next;
      const queue = next.slice() as Behaviour[];
      script = typeof first === 'function' ? first : () => queue.shift() ?? { kind: 'accept' };
    },
    arrived: (count) =>
      new Promise((resolve) => {
        if (calls.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () => closeServer(server),
  };
}

/** The shard of a partition key where `shards` of them share the range of MD5 equally. */
export function shardOf(partitionKey: string, shards: number): number {
  const hash = createHash('md5').update(partitionKey).digest().readUInt32BE(0);
  return Math.floor((hash * shards) / 2 ** 32);
}

const THROUGHPUT_EXCEEDED = 'ProvisionedThroughputExceededException';

function tryReadCall(request: IncomingMessage, body: Buffer, rules: PutRecordsRules): PutRecordsCall | Violation {
  try {
    return readPutRecordsCall(request, body, rules);
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

function acceptedEntry(call: number, index: number, shard: number): object {
  // 56 digits, as Kinesis's are.
  const SequenceNumber = `49${String(call).padStart(48, '0')}${String(index).padStart(6, '0')}`;
  return { SequenceNumber, ShardId: `shardId-${String(shard).padStart(12, '0')}` };
}

function answerBody(entries: readonly object[]): string {
  const failed = entries.filter((entry) => 'ErrorCode' in entry).length;
  return JSON.stringify({ FailedRecordCount: failed, Records: entries });
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': JSON_1_1, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function answerError(
  response: ServerResponse,
  status: number,
  { type, message }: { readonly type: string; readonly message?: string },
): void {
  response.setHeader('x-amzn-errortype', type);
  answer(response, status, JSON.stringify({ __type: type, message }));
}

/** A shard's capacity: it refills steadily, up to one second's worth. */
class TokenBucket {
  readonly #limits: ShardLimits | undefined;
  #records: number;
  #bytes: number;
  #filledAt = performance.now();

  constructor(limits: ShardLimits | undefined) {
    this.#limits = limits;
    this.#records = limits?.recordsPerSecond ?? 0;
    this.#bytes = limits?.bytesPerSecond ?? 0;
  }

  tryTake(bytes: number): boolean {
    if (!this.#limits) return true;
    const { recordsPerSecond, bytesPerSecond } = this.#limits;
    const now = performance.now();
    const seconds = (now - this.#filledAt) / 1_000;
    this.#filledAt = now;
    this.#records = Math.min(recordsPerSecond, this.#records + seconds * recordsPerSecond);
    this.#bytes = Math.min(bytesPerSecond, this.#bytes + seconds * bytesPerSecond);
    if (this.#records < 1 || this.#bytes < bytes) return false;
    this.#records -= 1;
    this.#bytes -= bytes;
    return true;
  }
}
