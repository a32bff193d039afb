import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ConfigError, SinkError } from '../errors.ts';
import type { Log } from '../log.ts';
import { classifyAwsError, sinkErrorOf, type AwsTarget } from './aws_errors.ts';
import { readPutRecordsAnswer } from './kinesis_answer.ts';
import { PARTITION_KEY_CHARS, writePutRecordsBody } from './kinesis_body.ts';
import { countRecords, type Batch, type Rejected, type Sink, type SinkLimits } from './sink.ts';

const MIB = 1024 ** 2;

const LIMITS: SinkLimits = {
  // "Each PutRecords request can support up to 500 records." Sizes count before base64, keys included:
  // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
  maxRecordsPerCall: 500,
  // AWS takes 10 MiB by now. The older limit is kinder to memory and to emulators.
  maxBytesPerCall: 5 * MIB,
  overheadBytesPerRecord: PARTITION_KEY_CHARS,
  // Kinesis takes 1 MiB a record unless the stream is set to more; Firehose, which reads the stream, 1,000 KiB:
  // https://docs.aws.amazon.com/firehose/latest/dev/limits.html
  maxRecordBytes: 1_000 * 1024 - PARTITION_KEY_CHARS,
  maxCallsInFlight: 8,
};

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

export interface KinesisSinkOptions {
  /** Name or ARN. */
  readonly stream: string;
  /** Undefined leaves the region to the SDK: environment, profile, instance metadata. */
  readonly region: string | undefined;
  /** Undefined leaves the endpoint to the SDK. */
  readonly endpointUrl: string | undefined;
  readonly log: Log;
  /** Longest wait for the head of an answer, and for each next part of it. */
  readonly requestTimeoutMs?: number;
}

/**
 * A sink that puts each line on a Kinesis data stream as a record of its own. Nothing is sent before the first batch.
 *
 * @throws ConfigError when no region is to be found
 */
export async function openKinesisSink(options: KinesisSinkOptions): Promise<Sink> {
  const client = createClient(options);
  try {
    return new KinesisSink(options.stream, await client.config.region(), client);
  } catch (error) {
    client.destroy();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`no AWS region for the stream: ${reason}; give --region (AWS_REGION), such as us-east-1`);
  }
}

function createClient({
  region,
  endpointUrl,
  log,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
}: KinesisSinkOptions): KinesisClient {
  // The SDK warns here of sockets and of credentials that contradict each other; its other words would be a line per call.
  const logger = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (...words: unknown[]) => {
      log.warn(`AWS SDK: ${words.join(' ')}`);
    },
    error: ignore,
  };
  const agent = { keepAlive: true, maxSockets: LIMITS.maxCallsInFlight };
  return new KinesisClient({
    ...(region === undefined ? {} : { region }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // One retry loop, and it is `write/`'s: it shares one budget among calls and records. Adaptive mode would hold calls back on its own.
    maxAttempts: 1,
    retryMode: 'standard',
    logger,
    // The SDK's default speaks HTTP/2, which emulators without TLS do not, in a new session per request.
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      // Else the handler warns and waits on.
      throwOnRequestTimeout: true,
      // The request's time-out ends with the head of the answer; this one is for a body that stops in the middle.
      socketTimeout: requestTimeoutMs,
      logger,
    }),
  });
}

class KinesisSink implements Sink {
  readonly limits = LIMITS;
  readonly #client: KinesisClient;
  readonly #stream: string;
  readonly #target: AwsTarget;
  /** Calls in a row that failed by what the SDK mends by itself: expired credentials, a wrong clock. */
  #unmended = 0;
  #closed = false;

  constructor(stream: string, region: string, client: KinesisClient) {
    this.#client = client;
    this.#stream = stream;
    const option = '--stream-name (STREAM_NAME)';
    this.#target = { name: `stream ${stream}`, region, option, action: 'kinesis:PutRecords' };
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]> {
    if (this.#closed) throw new SinkError('transient', 'the Kinesis sink is closed', { code: 'Closed' });
    const records = countRecords(batch);
    if (records === 0) return [];
    const answer = await this.#putRecords(writePutRecordsBody(this.#stream, batch), signal);
    return readPutRecordsAnswer(answer, records);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#client.destroy();
    return Promise.resolve();
  }

  async #putRecords(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      signal.throwIfAborted();
      const answer = await untilAborted(signal, (own) => this.#exchange(body, own));
      this.#unmended = 0;
      return answer;
    } catch (error) {
      if (signal.aborted)
        throw new SinkError('transient', 'the call was aborted', { code: 'AbortError', cause: error });
      if (classifyAwsError(error).mend === 'stale') this.#unmended++;
      // All the calls under way fail together: only more failures than those tell that the SDK could not mend it.
      throw sinkErrorOf(error, this.#target, this.#unmended > LIMITS.maxCallsInFlight);
    }
  }

  /**
   * Sends a body as it is and returns the answer's bytes, past the SDK's serializers, which make and check an object per record: about
   * half the CPU time of a call of 500 lines. Endpoint, credentials, signature and errors stay the SDK's.
   */
  async #exchange(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const stream = this.#stream.startsWith('arn:') ? { StreamARN: this.#stream } : { StreamName: this.#stream };
    const command = new PutRecordsCommand({ ...stream, Records: [] });
    command.middlewareStack.addRelativeTo(replaceBody(body), {
      relation: 'after',
      toMiddleware: 'serializerMiddleware',
      name: 'replaceBody',
    });
    let answer: Uint8Array = NOTHING;
    command.middlewareStack.addRelativeTo(
      takeAnswer((bytes) => {
        answer = bytes;
      }),
      { relation: 'after', toMiddleware: 'deserializerMiddleware', name: 'takeAnswer' },
    );
    try {
      await this.#client.send(command, { abortSignal: signal });
    } catch (error) {
      // The SDK looks credentials up again when their own time is over; of what AWS says it takes no notice.
      const expired = classifyAwsError(error).code.startsWith('ExpiredToken');
      if (expired) await this.#client.config.credentials({ forceRefresh: true }).catch(ignore);
      throw error;
    }
    return answer;
  }
}

const NOTHING = new Uint8Array();

/** A middleware that puts a ready body in the place of what the SDK serialized. */
function replaceBody(body: Uint8Array) {
  return <Args extends { request?: unknown }, Result>(next: (args: Args) => Promise<Result>) =>
    (args: Args) => {
      (args.request as { body: unknown }).body = body;
      return next(args);
    };
}

/** A middleware that reads a good answer, and leaves the SDK nothing of it to deserialize. */
function takeAnswer(take: (bytes: Uint8Array) => void) {
  return <Args, Result extends { response: unknown }>(next: (args: Args) => Promise<Result>) =>
    async (args: Args) => {
      const result = await next(args);
      const response = result.response as { readonly statusCode: number; body: AsyncIterable<Buffer> | Uint8Array };
      if (response.statusCode !== 200) return result;
      const chunks = [];
      for await (const chunk of response.body as AsyncIterable<Buffer>) chunks.push(chunk);
      take(Buffer.concat(chunks));
      response.body = NOTHING;
      return result;
    };
}

/**
 * Settles with what `start` returns, or rejects as soon as the signal is aborted: the SDK takes no notice of it while it fetches credentials.
 *
 * @param start gets a signal of its own: calls may share `signal`, and the SDK adds so many listeners to each that Node warns of a leak
 */
function untilAborted<Value>(signal: AbortSignal, start: (own: AbortSignal) => Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const own = new AbortController();
    const onAbort = () => {
      own.abort(signal.reason);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void start(own.signal)
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
  });
}

function ignore(): void {
  // Nothing to do.
}
