import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { SenderGone } from './body.ts';
import type { Flattened } from './flatten.ts';
import type { Outcome } from './ledger.ts';
import { answerPlainly, type PlainAnswer } from './odd_http.ts';

/** How often each kind of bad input is logged; the counters have the rest. */
const LOG_INTERVAL_MS = 10_000;
/** What the sender is told, by why lines go back to it. */
export const REFUSALS = {
  deadline: 'the sink did not take every line in time (--delivery-timeout)',
  stopping: 'the adapter is stopping',
  sink_down: 'the sink is down; see the log of the adapter',
  overloaded: 'the sink takes less than comes in: more could not be delivered in time',
} as const;

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
    this.#logRarely(request, error);
    this.#answer(request, response, { status: error.status, text: error.message });
  }

  /** Answers a request that failed by a bug of this program. */
  fail(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response, { status: 500, text: 'internal error' });
  }

  /** Answers a request whose lines are all archived. */
  accept(response: ServerResponse): void {
    if (this.#count(response, 204)) response.writeHead(204).end();
  }

  #answer(request: IncomingMessage, response: ServerResponse, answer: PlainAnswer): void {
    if (this.#count(response, answer.status)) answerPlainly(request, response, answer);
  }

  /** @returns whether there is somebody to be answered */
  #count({ destroyed }: ServerResponse, status: number): boolean {
    this.#options.metrics.requests.inc({ code: destroyed ? '499' : String(status) });
    return !destroyed;
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
  if (code !== 'unauthorized') return;
  response.setHeader('WWW-Authenticate', 'Basic');
  // Who has no password is not to hold one of the connections that there are.
  response.setHeader('Connection', 'close');
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
