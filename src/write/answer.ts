import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { SenderGone } from './body.ts';
import type { Flattened } from './flatten.ts';
import type { Outcome } from './ledger.ts';

/** How often each kind of bad input is logged; the counters have the rest. */
const LOG_INTERVAL_MS = 10_000;
/** What the sender is told, by why lines go back to it. */
export const REFUSALS = {
  deadline: 'the sink did not take every line in time (--delivery-timeout)',
  stopping: 'the adapter is stopping',
  sink_down: 'the sink is down; see the log of the adapter',
  overloaded: 'the sink takes less than comes in: more could not be delivered in time',
} as const;
const CONTENT_TYPE = 'text/plain; charset=utf-8';

/** Answers write requests, counts the answers, and logs bad ones. */
export class Answers {
  readonly #options: { readonly metrics: Metrics; readonly log: Log };
  readonly #loggedAtMs = new Map<string, number>();

  constructor(options: { readonly metrics: Metrics; readonly log: Log }) {
    this.#options = options;
  }

  /** Answers a request that is refused, or of which something can never be archived. */
  refuse(request: IncomingMessage, response: ServerResponse, error: RequestError): void {
    setRefusal(response, error);
    if (error.code === 'method_not_allowed') response.setHeader('Allow', 'POST');
    // A sender that is told to go elsewhere must not come back on this connection.
    if (error.code === 'stopping') response.setHeader('Connection', 'close');
    // Thrown away as it comes: were the connection closed under it, the sender would see no status, and send it again for ever.
    else request.resume();
    this.#logRarely(request, error);
    this.finish(response, error.status, `${error.message}\n`);
  }

  /** Ends an answer. */
  finish(response: ServerResponse, status: number, text: string): void {
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

/** The headers by which a client knows what to do next. */
export function setRefusal(response: ServerResponse, { code, retryAfterSeconds }: RequestError): void {
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', retryAfterSeconds);
  if (code === 'unauthorized') response.setHeader('WWW-Authenticate', 'Basic');
}

/** 503 outranks 400: what the sink did not take is sent again, and only a request without such lines may be dropped. */
export function rejectionOf(
  { ending, refused }: Outcome,
  { firstProblem, lines }: Flattened,
): RequestError | undefined {
  switch (ending) {
    case 'delivered':
      if (firstProblem !== undefined) {
        const { length } = lines.ends;
        const rest = length === 0 ? '' : `; the ${length} valid lines of the request are archived`;
        return new RequestError('invalid_series', firstProblem + rest);
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
