import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ConfigError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { classifyAwsError } from './aws_errors.ts';

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** How a sink reaches its service. */
export interface AwsClientOptions {
  /** Undefined leaves the region to the SDK: environment, profile, instance metadata. */
  readonly region: string | undefined;
  /** Undefined leaves the endpoint to the SDK. */
  readonly endpointUrl: string | undefined;
  readonly log: Log;
  /** Longest wait for the head of an answer, and for each next part of it. */
  readonly requestTimeoutMs?: number;
}

/**
 * The settings that every client of the SDK gets.
 *
 * @param maxSockets calls that may be under way at once
 */
export function clientSettings(
  { region, endpointUrl, log, requestTimeoutMs = REQUEST_TIMEOUT_MS }: AwsClientOptions,
  maxSockets: number,
) {
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
  const agent = { keepAlive: true, maxSockets };
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // One retry loop, and it is `write/`'s: it shares one budget among calls and records. Adaptive mode would hold calls back on its own.
    maxAttempts: 1,
    retryMode: 'standard',
    logger,
    // The default of Kinesis's client speaks HTTP/2, which emulators without TLS do not, in a new session per request.
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
  };
}

/** As much of a service's client as is used here. */
interface AwsClient {
  readonly config: {
    region(): Promise<string>;
    credentials(options: { readonly forceRefresh: boolean }): Promise<unknown>;
  };
  destroy(): void;
}

/** As much of a command as is used here. */
interface AwsCommand {
  readonly middlewareStack: { addRelativeTo(middleware: Middleware, place: Place): void };
}

/** A step of the SDK's way of a call. */
type Middleware = <Args extends { request?: unknown }, Result extends { response: unknown }>(
  next: (args: Args) => Promise<Result>,
) => (args: Args) => Promise<Result>;

interface Place {
  readonly relation: 'after';
  readonly toMiddleware: string;
  readonly name: string;
}

type Prepare = <Command extends AwsCommand>(command: Command) => Command;

/** Sends a new command, prepared. Of its input only what the SDK finds the endpoint by counts: the body is replaced. */
type SendCommand = (prepare: Prepare, options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;

/** One operation of a service, called with ready bodies. */
export interface AwsOperation {
  readonly region: string;
  /**
   * Sends a body as it is and returns the bytes of a good answer.
   *
   * @throws what the SDK throws
   */
  exchange(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  close(): void;
}

/**
 * An operation of a service, past the SDK's serializers, which make and check an object per record: about half the CPU time of a call of 500
 * lines. Endpoint, credentials, signature and errors stay the SDK's.
 *
 * @param what is in the client's region, in the words of the message
 * @throws ConfigError when no region is to be found
 */
export async function openOperation(client: AwsClient, send: SendCommand, what: string): Promise<AwsOperation> {
  const region = await regionOf(client, what);
  return {
    region,
    exchange: async (body, signal) => {
      try {
        return await exchange(body, (prepare) => send(prepare, { abortSignal: signal }));
      } catch (error) {
        // The SDK looks credentials up again when their own time is over; of what AWS says it takes no notice.
        const expired = classifyAwsError(error).code.startsWith('ExpiredToken');
        if (expired) await client.config.credentials({ forceRefresh: true }).catch(ignore);
        throw error;
      }
    },
    close: () => {
      client.destroy();
    },
  };
}

async function regionOf(client: AwsClient, what: string): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    client.destroy();
    throw new ConfigError(
      `no AWS region for the ${what}: ${messageOf(error)}; give --region (AWS_REGION), such as us-east-1`,
    );
  }
}

async function exchange(body: Uint8Array, send: (prepare: Prepare) => Promise<unknown>): Promise<Uint8Array> {
  let answer: Uint8Array = NOTHING;
  const take = (bytes: Uint8Array) => {
    answer = bytes;
  };
  await send((command) => {
    const { middlewareStack: steps } = command;
    steps.addRelativeTo(replaceBody(body), after('serializerMiddleware', 'replaceBody'));
    steps.addRelativeTo(takeAnswer(take), after('deserializerMiddleware', 'takeAnswer'));
    return command;
  });
  return answer;
}

function after(toMiddleware: string, name: string): Place {
  return { relation: 'after', toMiddleware, name };
}

const NOTHING = new Uint8Array();

/** A middleware that puts a ready body in the place of what the SDK serialized. */
function replaceBody(body: Uint8Array): Middleware {
  return (next) => (args) => {
    (args.request as { body: unknown }).body = body;
    return next(args);
  };
}

/** A middleware that reads a good answer, and leaves the SDK nothing of it to deserialize. */
function takeAnswer(take: (bytes: Uint8Array) => void): Middleware {
  return (next) => async (args) => {
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

function ignore(): void {
  // Nothing to do.
}
