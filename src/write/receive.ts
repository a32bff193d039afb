import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config.ts';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { KINDS, type Lines } from '../record.ts';
import type { Version } from '../wire/series.ts';
import { Answers, REFUSALS, rejectionOf } from './answer.ts';
import { declaredLength, readBody, SenderGone } from './body.ts';
import type { BufferPool } from '../buffer_pool.ts';
import type { Delivery } from './deliver.ts';
import type { Flattened } from './flatten.ts';
import { noRoom, type Gate, type Pass } from './gate.ts';
import { Lanes } from './lanes.ts';
import { negotiate } from './negotiate.ts';
import { MetadataSet } from './metadata_set.ts';
import { countWritten, NOTHING_WRITTEN, setWritten } from './written.ts';

export interface ReceiverOptions {
  readonly config: Pick<
    Config,
    'maxBodyBytes' | 'maxRequestLinesBytes' | 'maxFutureMs' | 'labelLimits' | 'deliveryTimeoutMs'
  >;
  readonly gate: Gate;
  readonly pool: BufferPool;
  readonly delivery: Delivery;
  readonly maxLineBytes: number;
  readonly metrics: Metrics;
  readonly log: Log;
}

interface ReadOptions {
  readonly version: Version;
  readonly pass: Pass;
  /** Milliseconds of performance.now(). */
  readonly arrivedAtMs: number;
}

interface FlattenBodyOptions extends Pick<ReadOptions, 'version' | 'pass'> {
  readonly checkWanted: () => void;
}

/** What lines take of what their request does, decompressed, at most where it is as senders write it. */
const LINES_SHARE = 2;
/** For metadata that was delivered lately: room for some 80,000 entries. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;

/** Takes write requests from their headers to their answer: the straight line of docs/architecture.md. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #lanes: Lanes;
  readonly #answers: Answers;
  /** Aborted when a connection ends: requests that wait behind others on it have no other sign of it. */
  readonly #gone = new WeakMap<Socket, AbortSignal>();
  readonly #abandoning = new AbortController();
  #answering = 0;
  #isStopping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#lanes = new Lanes({ seen: new MetadataSet(MAX_METADATA_BYTES), pool: options.pool });
    this.#answers = new Answers(options);
    setMaxListeners(0, this.#abandoning.signal);
  }

  /** Answers a request. Never rejects. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    this.#answering++;
    try {
      const rejection = await this.#receive(request, response);
      if (rejection) this.#answers.refuse(request, response, rejection);
      else this.#answers.accept(response);
    } catch (error) {
      if (error instanceof RequestError) this.#answers.refuse(request, response, error);
      else if (error instanceof SenderGone) this.#options.metrics.requests.inc({ code: '499' });
      else {
        this.#options.log.error({ error }, 'a write request failed; this is a bug');
        this.#answers.fail(request, response);
      }
    } finally {
      this.#answering--;
      if (this.#answering === 0) this.#onIdle?.();
    }
  };

  /** Answers a request that may not come in. */
  turnAway(request: IncomingMessage, response: ServerResponse, refusal: RequestError): void {
    this.#answers.refuse(request, response, refusal);
  }

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
  async #receive(request: IncomingMessage, response: ServerResponse): Promise<RequestError | undefined> {
    const arrivedAtMs = performance.now();
    if (request.method !== 'POST') throw new RequestError('method_not_allowed', 'send POST');
    const version = negotiate(request.headers);
    if (version === 2) setWritten(response, NOTHING_WRITTEN);
    const pass = this.#enter(request);
    const flattened = await this.#read(request, { version, pass, arrivedAtMs });
    const { lines, counts, metadata } = flattened;
    const letGo = this.#sharedBetweenTwo(lines);
    const onUnreferenced = () => {
      pass.release();
      letGo();
    };
    const signal = this.#goneSignal(request.socket);
    const outcome = await this.#options.delivery.deliver(lines, { arrivedAtMs, signal, onUnreferenced });
    const isWhole = outcome.ending === 'delivered' && outcome.refused === 0;
    if (isWhole && metadata) await this.#lanes.noteWritten(metadata, Date.now());
    if (version === 2) setWritten(response, isWhole ? counts : countWritten(lines, outcome.accepted));
    letGo();
    return rejectionOf(outcome, flattened);
  }

  /** Lines that the delivery and the answer both read: the second of the two that lets go gives their buffer back. */
  #sharedBetweenTwo({ bytes }: Lines): () => void {
    let holders = 2;
    return () => {
      holders--;
      if (holders < 0) throw new Error('lines were let go of more often than they were held');
      if (holders === 0) this.#options.pool.give(bytes);
    };
  }

  /** Reads and flattens a request. What goes wrong gives the pass back. */
  async #read(request: IncomingMessage, { version, pass, arrivedAtMs }: ReadOptions): Promise<Flattened> {
    const { config, metrics, delivery } = this.#options;
    try {
      const { signal } = this.#abandoning;
      const body = await readBody(request, { maxBytes: config.maxBodyBytes, pass, signal });
      metrics.bytesReceived.inc(body.length);
      const checkWanted = () => this.#checkWanted(request.socket, arrivedAtMs);
      const flattened = await this.#flatten(body, { version, pass, checkWanted });
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

  async #flatten(body: Uint8Array, { version, pass, checkWanted }: FlattenBodyOptions): Promise<Flattened> {
    const { config, maxLineBytes, delivery } = this.#options;
    const { maxBodyBytes, maxRequestLinesBytes, maxFutureMs, labelLimits } = config;
    const arrivedAtMs = Date.now();
    const maxTimeMs = maxFutureMs === undefined ? undefined : arrivedAtMs + maxFutureMs;
    const limit = { bytes: maxRequestLinesBytes };
    const maxLinesBytes = () => (limit.bytes = Math.min(maxRequestLinesBytes, pass.roomBytes));
    const onSlow = (bytes: number) => {
      // Or others would take the room for its lines meanwhile, again and again.
      if (!pass.tryHold(body.length + Math.min(LINES_SHARE * bytes, maxRequestLinesBytes))) throw noRoom();
      // Nothing that waits for more lines waits for those of a request that takes long.
      pass.endReading();
      delivery.pump();
    };
    try {
      const limits = { maxTimeMs, labelLimits, maxBodyBytes, maxLinesBytes, maxLineBytes };
      const flattened = await this.#lanes.flatten(body, { version, arrivedAtMs, ...limits, onSlow, checkWanted });
      if (pass.tryHold(memoryOf(flattened))) return flattened;
    } catch (error) {
      const isRoomTheLimit = limit.bytes < maxRequestLinesBytes;
      if (!(error instanceof RequestError && error.code === 'lines_too_large' && isRoomTheLimit)) throw error;
    }
    throw noRoom();
  }

  /** @throws SenderGone; RequestError stopping, deadline */
  #checkWanted(socket: Socket, arrivedAtMs: number): void {
    if (socket.destroyed) throw new SenderGone();
    this.#abandoning.signal.throwIfAborted();
    const isLate = performance.now() > arrivedAtMs + this.#options.config.deliveryTimeoutMs;
    if (isLate) throw new RequestError('deadline', REFUSALS.deadline);
  }

  #count({ received, skipped, rejected, emptyLabels }: Flattened): void {
    const { metrics } = this.#options;
    for (const kind of KINDS) {
      if (received[kind] > 0) metrics.linesReceived.inc({ kind }, received[kind]);
      if (skipped[kind] > 0) metrics.linesSkipped.inc({ kind }, skipped[kind]);
    }
    for (const [reason, count] of rejected) metrics.linesRejected.inc({ reason }, count);
    if (emptyLabels > 0) metrics.emptyLabels.inc(emptyLabels);
  }
}

function memoryOf({ lines: { bytes, ends, hashes }, metadata }: Flattened): number {
  return bytes.buffer.byteLength + ends.byteLength + hashes.byteLength + (metadata?.memoryBytes ?? 0);
}
