import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.ts';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { KINDS } from '../record.ts';
import { decodeSnappy } from '../wire/snappy.ts';
import { declaredLength, readBody, SenderGone } from './body.ts';
import type { Delivery } from './deliver.ts';
import { Flattener, type Flattened } from './flatten.ts';
import { noRoom, type Gate, type Pass } from './gate.ts';
import type { Outcome } from './ledger.ts';
import { negotiate } from './negotiate.ts';

export interface ReceiverOptions {
  readonly config: Pick<Config, 'maxBodyBytes' | 'maxRequestLinesBytes'>;
  readonly gate: Gate;
  readonly delivery: Delivery;
  readonly maxLineBytes: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** How often each kind of bad input is logged; the counters have the rest. */
const LOG_INTERVAL_MS = 10_000;
const SCRATCH_BYTES = 4 * 1024 * 1024;
/** What the sender is told, by why lines go back to it. */
const REFUSALS = {
  deadline: 'the sink did not take every line in time (--delivery-timeout)',
  stopping: 'the adapter is stopping',
  sink_down: 'the sink is down; see the log of the adapter',
  overloaded: 'the sink takes less than comes in: more could not be delivered in time',
} as const;
const CONTENT_TYPE = 'text/plain; charset=utf-8';

/** Takes write requests from their headers to their answer: the straight line of docs/architecture.md. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #flattener = new Flattener();
  /** Decompressed requests live only until they are flattened, in the same turn: they share this memory, unless they are large. */
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #loggedAtMs = new Map<string, number>();
  /** Aborted when a connection ends: requests that wait behind others on it have no other sign of it. */
  readonly #gone = new WeakMap<Socket, AbortSignal>();
  readonly #abandoning = new AbortController();
  #answering = 0;
  #isStopping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    setMaxListeners(0, this.#abandoning.signal);
  }

  /** Answers a request. Never rejects. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    this.#answering++;
    try {
      const rejection = await this.#receive(request);
      if (rejection) this.#refuse(request, response, rejection);
      else this.#finish(response, 204, '');
    } catch (error) {
      if (error instanceof RequestError) this.#refuse(request, response, error);
      else if (error instanceof SenderGone) this.#options.metrics.requests.inc({ code: '499' });
      else {
        this.#options.log.error({ error }, 'a write request failed; this is a bug');
        this.#finish(response, 500, 'internal error\n');
      }
    } finally {
      this.#answering--;
      if (this.#answering === 0) this.#onIdle?.();
    }
  };

  /** Refuses new requests from now on; resolves when every request that came before is answered. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    if (this.#answering > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  /** Answers 503 to the requests that are still being read. */
  abandonReading(): void {
    this.#abandoning.abort(new RequestError('stopping', REFUSALS.stopping));
  }

  #goneSignal(socket: Socket): AbortSignal {
    const known = this.#gone.get(socket);
    if (known) return known;
    const gone = new AbortController();
    // Pipelined requests each add a listener.
    setMaxListeners(0, gone.signal);
    if (socket.destroyed) gone.abort();
    socket.once('close', () => gone.abort());
    this.#gone.set(socket, gone.signal);
    return gone.signal;
  }

  /** @returns what of the request can never be archived, once all of the rest is */
  async #receive(request: IncomingMessage): Promise<RequestError | undefined> {
    const arrivedAtMs = performance.now();
    if (request.method !== 'POST') throw new RequestError('method_not_allowed', 'send POST');
    negotiate(request.headers);
    const pass = this.#enter(request);
    const flattened = await this.#read(request, pass);
    const options = { arrivedAtMs, signal: this.#goneSignal(request.socket), onUnreferenced: pass.release };
    return rejectionOf(await this.#options.delivery.deliver(flattened.lines, options), flattened);
  }

  /** Reads and flattens a request. What goes wrong gives the pass back. */
  async #read(request: IncomingMessage, pass: Pass): Promise<Flattened> {
    const { config, metrics, delivery } = this.#options;
    try {
      const { signal } = this.#abandoning;
      const body = await readBody(request, { maxBytes: config.maxBodyBytes, pass, signal });
      metrics.bytesReceived.inc(body.length);
      const flattened = this.#flatten(body, pass);
      this.#count(flattened);
      pass.endReading();
      return flattened;
    } catch (error) {
      pass.release();
      // A batch may have waited for this request's lines.
      delivery.pump();
      throw error;
    }
  }

  #enter(request: IncomingMessage): Pass {
    const { gate, delivery } = this.#options;
    if (this.#isStopping) throw new RequestError('stopping', REFUSALS.stopping);
    const pass = gate.tryEnter(declaredLength(request));
    if (!pass) throw noRoom();
    const refusal = delivery.refusal();
    if (refusal !== undefined) {
      pass.release();
      throw new RequestError(refusal, REFUSALS[refusal]);
    }
    return pass;
  }

  #flatten(body: Uint8Array, pass: Pass): Flattened {
    const { config, maxLineBytes } = this.#options;
    const message = decodeSnappy(body, config.maxBodyBytes, this.#scratch);
    const room = pass.roomBytes;
    const maxLinesBytes = Math.min(config.maxRequestLinesBytes, room);
    try {
      const flattened = this.#flattener.flatten(message, { maxLinesBytes, maxLineBytes });
      const { bytes, ends, hashes } = flattened.lines;
      if (pass.tryHold(bytes.byteLength + ends.byteLength + hashes.byteLength)) return flattened;
    } catch (error) {
      const isRoomTheLimit = maxLinesBytes < config.maxRequestLinesBytes;
      if (!(error instanceof RequestError && error.code === 'lines_too_large' && isRoomTheLimit)) throw error;
    }
    throw noRoom();
  }

  #count({ received, skipped, rejected }: Flattened): void {
    const { metrics } = this.#options;
    for (const kind of KINDS) {
      if (received[kind] > 0) metrics.linesReceived.inc({ kind }, received[kind]);
      if (skipped[kind] > 0) metrics.linesSkipped.inc({ kind }, skipped[kind]);
    }
    for (const [reason, count] of rejected) metrics.linesRejected.inc({ reason }, count);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: RequestError): void {
    const { retryAfterSeconds } = error;
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
    if (error.code === 'method_not_allowed') response.setHeader('Allow', 'POST');
    // A sender that is told to go elsewhere must not come back on this connection.
    if (error.code === 'stopping') response.setHeader('Connection', 'close');
    // Thrown away as it comes: were the connection closed under it, the sender would see no status, and send it again for ever.
    else request.resume();
    this.#logRarely(request, error);
    this.#finish(response, error.status, `${error.message}\n`);
  }

  #finish(response: ServerResponse, status: number, text: string): void {
    if (response.destroyed) {
      this.#options.metrics.requests.inc({ code: '499' });
      return;
    }
    this.#options.metrics.requests.inc({ code: String(status) });
    if (text !== '') response.setHeader('Content-Type', CONTENT_TYPE);
    if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(text));
    response.writeHead(status).end(text);
  }

  #logRarely(request: IncomingMessage, error: RequestError): void {
    const now = performance.now();
    const last = this.#loggedAtMs.get(error.code);
    if (last !== undefined && now < last + LOG_INTERVAL_MS) return;
    this.#loggedAtMs.set(error.code, now);
    const details = {
      status: error.status,
      code: error.code,
      from: request.socket.remoteAddress,
      error: error.message,
    };
    this.#options.log.warn(details, 'a write request was not accepted; others like it are logged at most every 10 s');
  }
}

/** 503 outranks 400: what the sink did not take is sent again, and only a request without such lines may be dropped. */
function rejectionOf({ ending, refused }: Outcome, { firstProblem, lines }: Flattened): RequestError | undefined {
  switch (ending) {
    case 'delivered':
      if (firstProblem !== undefined) {
        return new RequestError(
          'invalid_series',
          `${firstProblem}; the ${lines.ends.length} valid lines of the request are archived`,
        );
      }
      return refused === 0
        ? undefined
        : new RequestError('refused_by_sink', `the sink refused ${refused} lines for good`);
    case 'deadline':
    case 'sink_down':
    case 'stopping':
      return new RequestError(ending, REFUSALS[ending]);
    case 'aborted':
      throw new SenderGone();
  }
}
