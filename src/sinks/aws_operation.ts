import type { Readable } from 'node:stream';
import { regionOf } from '../aws_client.ts';
import { classifyAwsError } from '../aws_errors.ts';

/** Of each call. One retry loop, and it is `write/`'s: it shares one budget among calls and records. */
export const MAX_ATTEMPTS = 1;

/** As much of a service's client as is used here. */
interface AwsClient {
  readonly config: {
    region(): Promise<string>;
    credentials(options?: { readonly forceRefresh: boolean }): Promise<object>;
    signer(scheme?: never): Promise<object>;
    readonly requestHandler: { handle(request: AwsRequest, options: HandlerOptions): Promise<{ response: object }> };
  };
  destroy(): void;
}

interface HandlerOptions {
  readonly abortSignal: AbortSignal;
}

/** What the SDK's steps hand on: a request, whose body is of any form. */
interface AwsRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** As much of a command as is used here. */
interface AwsCommand {
  readonly middlewareStack: { addRelativeTo(middleware: Middleware, place: Place): void };
}

/** A step of the SDK's way of a call: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/middleware-stack.html */
type Middleware = <Args extends object, Result extends object>(next: Next<Args, Result>) => Next<Args, Result>;
type Next<Args, Result> = (args: Args) => Promise<Result>;

interface Place {
  readonly relation: 'after' | 'before';
  readonly toMiddleware: string;
  readonly name: string;
}

type Prepare = <Command extends AwsCommand>(command: Command) => Command;

/** Sends a new command, prepared. Of its input only what the SDK finds the endpoint by counts: the body is replaced. */
type SendCommand = (prepare: Prepare, options: HandlerOptions) => Promise<unknown>;

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
 * An operation of a service, past what of the SDK makes the same of each call anew. Endpoint, credentials, signature and errors stay the SDK's.
 *
 * @param what is in the client's region, in the words of the message
 * @throws ConfigError when no region is to be found
 */
export async function openOperation(client: AwsClient, send: SendCommand, what: string): Promise<AwsOperation> {
  const region = await regionOf(client, `the ${what}`);
  keepSigner(client.config);
  const way = new AwsWay(client, send);
  return {
    region,
    exchange: async (body, signal) => {
      try {
        return await way.exchange(body, signal);
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

/** The SDK makes a signer for each request, of a copy of its whole configuration. What differs from request to request it gives to the signer. */
function keepSigner(config: AwsClient['config']): void {
  const create = config.signer.bind(config);
  let kept: { readonly scheme: unknown; readonly signer: object } | undefined;
  config.signer = async (scheme) => {
    if (!kept || kept.scheme !== scheme) kept = { scheme, signer: await create(scheme) };
    return kept.signer;
  };
}

/** A call on the SDK's way. */
interface Call {
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** Filled by a good answer. */
  answer: Uint8Array;
}

/** What the steps from signing on are given. */
interface SignArgs {
  readonly request: AwsRequest;
  readonly call: Call;
}

/** A request of the SDK's with all but what each call has of its own, and the SDK's way on from there. */
interface Prepared {
  /** What it was prepared with: besides the configuration, which stays, the endpoint depends on the account of the credentials. */
  readonly credentials: object;
  readonly request: AwsRequest;
  readonly sign: (args: SignArgs) => Promise<unknown>;
}

/**
 * The first call with new credentials goes all of the SDK's way:
 *
 *     endpoint ── serialize ── headers ── retry ── sign ── HTTP ── deserialize
 *                         body                  keep       answer
 *
 * It is 0.3 ms of promises and copied configurations. Later calls go on from the request that was kept: signed, sent and, where they fail, deserialized alike.
 */
class AwsWay {
  readonly #client: AwsClient;
  readonly #send: SendCommand;
  #prepared: Prepared | undefined;

  constructor(client: AwsClient, send: SendCommand) {
    this.#client = client;
    this.#send = send;
  }

  async exchange(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const call = { body, signal, answer: NOTHING };
    const credentials = await this.#client.config.credentials();
    if (this.#prepared?.credentials === credentials) await sendPrepared(this.#prepared, call);
    else await this.#sendFirst(call, credentials);
    return call.answer;
  }

  async #sendFirst(call: Call, credentials: object): Promise<void> {
    const { requestHandler } = this.#client.config;
    // What is kept holds this command's steps and the options that it was sent with, its abort signal among them, until there are other credentials. They are
    // small, once they let go of the body, and the signal ends no later call: HTTP is given each call's own, and has let go of this one when its request closed.
    let first: Call | undefined = call;
    const keep = (request: AwsRequest, sign: Prepared['sign']) => {
      this.#prepared = { credentials, request: { ...request, body: undefined }, sign };
    };
    const prepare: Prepare = (command) => {
      const { middlewareStack: steps } = command;
      steps.addRelativeTo(
        giveBody(() => first),
        at('after', 'serializerMiddleware', 'giveBody'),
      );
      steps.addRelativeTo(keepPrepared(keep), at('before', 'httpSigningMiddleware', 'keepPrepared'));
      steps.addRelativeTo(exchangeOver(requestHandler), at('before', 'deserializerMiddleware', 'exchange'));
      steps.addRelativeTo(giveResponse, at('after', 'deserializerMiddleware', 'giveResponse'));
      return command;
    };
    try {
      await this.#send(prepare, { abortSignal: call.signal });
    } finally {
      first = undefined;
    }
  }
}

function at(relation: Place['relation'], toMiddleware: string, name: string): Place {
  return { relation, toMiddleware, name };
}

async function sendPrepared({ request, sign }: Prepared, call: Call): Promise<void> {
  const headers = {
    ...request.headers,
    'content-length': String(call.body.length),
    'amz-sdk-invocation-id': crypto.randomUUID(),
  };
  await sign({ request: { ...request, headers, body: call.body }, call });
}

/** Puts the call's body in the place of what the SDK serialized. */
function giveBody(take: () => Call | undefined): Middleware {
  return (next) => (args) => {
    const call = take();
    (args as { request?: { body: unknown } }).request!.body = call?.body;
    return next({ ...args, call });
  };
}

function keepPrepared(keep: (request: AwsRequest, sign: Prepared['sign']) => void): Middleware {
  return (next) => (args) => {
    keep((args as unknown as SignArgs).request, next as unknown as Prepared['sign']);
    return next(args);
  };
}

/** Takes a good answer as it is. Of another one the SDK makes the error. */
function exchangeOver(handler: AwsClient['config']['requestHandler']): Middleware {
  return (next) => async (args) => {
    const { request, call } = args as unknown as SignArgs;
    const { response } = await handler.handle(request, { abortSignal: call.signal });
    const { statusCode, body } = response as { readonly statusCode: number; readonly body: Readable };
    if (statusCode !== 200) return next({ ...args, response });
    call.answer = await readAll(body);
    return { response, output: { $metadata: {} } } as never;
  };
}

/** In the place of HTTP, for the SDK's deserializer: what came is among the arguments. */
const giveResponse: Middleware = () => (args) => Promise.resolve(args as never);

const NOTHING = new Uint8Array();

/** By events: an iterator makes promises for each part. */
function readAll(body: Readable): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('end', () => {
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    body.on('error', reject);
    body.on('close', () => {
      reject(new Error('the answer broke off'));
    });
  });
}

function ignore(): void {
  // Nothing to do.
}
