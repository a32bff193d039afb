import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import express from 'express';
import type { Registry } from 'prom-client';
import type { RequestError } from '../errors.ts';
import { setRefusal } from './answer.ts';
import { answerPlainly, answerRequests } from './odd_http.ts';
import type { Receiver } from './receive.ts';

/** Clients such as Go's keep idle connections for up to 5 min; ending them earlier would race with their next request. */
const KEEP_ALIVE_MS = 330_000;
/** An idle one takes 6 KiB, and one with half a head 24, as measured with 4,000 of each. A Prometheus has 50, and up to 2.43 200. */
export const MOST_CONNECTIONS = 5_000;
const LIMITS = {
  /** Longest that a request may take to arrive: a sender that is slower has given up by its own remote_timeout. */
  requestMs: 30_000,
  maxConnections: MOST_CONNECTIONS,
};
const CHECK_EVERY_MS = 1_000;

const WRITE_PATHS = ['/receive', '/api/v1/write'];
const READ_PATHS = ['/-/healthy', '/-/ready', '/metrics'];

/** Who may come in. */
export interface Doorkeeper {
  /** @returns why a request may not come in; undefined where it may */
  check(
    request: IncomingMessage,
    response: ServerResponse,
  ): RequestError | undefined | Promise<RequestError | undefined>;
}

export interface HttpOptions {
  readonly receiver: Receiver;
  readonly registry: Registry;
  readonly isReady: () => boolean;
  readonly limits?: Partial<typeof LIMITS>;
  /** Asked before anything else, on every path; without one all may come in. */
  readonly door?: Doorkeeper | undefined;
}

/** The paths that are served: writes, health (https://prometheus.io/docs/prometheus/latest/management_api/) and metrics. */
export function createHttpServer({ receiver, registry, isReady, limits, door }: HttpOptions): Server {
  const { requestMs, maxConnections } = { ...LIMITS, ...limits };
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.all(WRITE_PATHS, receiver.handle);
  app.get('/-/healthy', (_request, response) => {
    response.type('text').send('healthy\n');
  });
  app.get('/-/ready', (_request, response) => {
    response
      .status(isReady() ? 200 : 503)
      .type('text')
      .send(isReady() ? 'ready\n' : 'stopping\n');
  });
  // One page for all who ask at once: it takes a millisecond to make, and thousands can ask in one turn.
  let page: Promise<string> | undefined;
  app.get('/metrics', async (_request, response) => {
    page ??= registry.metrics().finally(() => (page = undefined));
    response.type(registry.contentType).send(await page);
  });
  app.all(READ_PATHS, (request, response) => {
    response.setHeader('Allow', 'GET, HEAD');
    answerPlainly(request, response, { status: 405, text: 'send GET' });
  });
  app.use((request, response) => {
    answerPlainly(request, response, { status: 404, text: 'not found: send remote write to POST /receive' });
  });
  const enter: RequestListener = (request, response) => {
    // RFC 9112, 3.2. Node would answer it without a word.
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      answerPlainly(request, response, { status: 400, text: 'a request of HTTP/1.1 has a header Host' });
      return;
    }
    // Express gives every request and its answer other prototypes, after which V8 looks each of their properties up anew: a quarter of the CPU time of
    // small requests. So it only gets what is not written as senders write it.
    if (WRITE_PATHS.includes(request.url ?? '')) receiver.handle(request, response).catch(() => request.destroy());
    else app(request, response);
  };
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: requestMs,
    headersTimeout: requestMs,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    requireHostHeader: false,
  };
  const server = createServer(options);
  server.maxConnections = maxConnections;
  answerRequests(server, door ? askAt(door, receiver, enter) : enter);
  return server;
}

/** Lets those in who may come in. */
function askAt(door: Doorkeeper, receiver: Receiver, enter: RequestListener): RequestListener {
  const enterOrNot = (request: IncomingMessage, response: ServerResponse, refusal: RequestError | undefined) => {
    // Who waited for a check may have gone meanwhile; a body that is gone would be waited for without end.
    if (request.destroyed) return;
    if (!refusal) enter(request, response);
    else if (WRITE_PATHS.includes(request.url ?? '')) receiver.turnAway(request, response, refusal);
    else turnAway(request, response, refusal);
  };
  return (request, response) => {
    const refusal = door.check(request, response);
    if (!(refusal instanceof Promise)) enterOrNot(request, response, refusal);
    else refusal.then((late) => enterOrNot(request, response, late)).catch(() => request.destroy());
  };
}

function turnAway(request: IncomingMessage, response: ServerResponse, refusal: RequestError): void {
  setRefusal(response, refusal);
  answerPlainly(request, response, { status: refusal.status, text: refusal.message });
}
