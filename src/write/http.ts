import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import express from 'express';
import type { Registry } from 'prom-client';
import type { RequestError } from '../errors.ts';
import { setRefusal } from './answer.ts';
import type { Receiver } from './receive.ts';

/** Clients such as Go's keep idle connections for up to 5 min; ending them earlier would race with their next request. */
const KEEP_ALIVE_MS = 330_000;
/** Longest that a request may take to arrive: a sender that is slower has given up by its own remote_timeout. */
const REQUEST_MS = 30_000;
const CHECK_EVERY_MS = 1_000;

const WRITE_PATHS = ['/receive', '/api/v1/write'];

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
  /** Asked before anything else, on every path; without one all may come in. */
  readonly door?: Doorkeeper | undefined;
}

/** The paths that are served: writes, health (https://prometheus.io/docs/prometheus/latest/management_api/) and metrics. */
export function createHttpServer({ receiver, registry, isReady, door }: HttpOptions): Server {
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
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  app.use((_request, response) => {
    response.status(404).type('text').send('not found: send remote write to POST /receive\n');
  });
  const timeouts = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    headersTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
  };
  const enter = (request: IncomingMessage, response: ServerResponse) => {
    // Express gives every request and its answer other prototypes, after which V8 looks each of their properties up anew: a quarter of the CPU time of
    // small requests. So it only gets what is not written as senders write it.
    if (WRITE_PATHS.includes(request.url ?? '')) receiver.handle(request, response).catch(() => request.destroy());
    else app(request, response);
  };
  if (!door) return createServer(timeouts, enter);

  const enterOrNot = (request: IncomingMessage, response: ServerResponse, refusal: RequestError | undefined) => {
    // Who waited for a check may have gone meanwhile; a body that is gone would be waited for without end.
    if (request.destroyed) return;
    if (!refusal) enter(request, response);
    else if (WRITE_PATHS.includes(request.url ?? '')) receiver.turnAway(request, response, refusal);
    else turnAway(request, response, refusal);
  };
  return createServer(timeouts, (request, response) => {
    const refusal = door.check(request, response);
    if (!(refusal instanceof Promise)) enterOrNot(request, response, refusal);
    else refusal.then((late) => enterOrNot(request, response, late)).catch(() => request.destroy());
  });
}

function turnAway(request: IncomingMessage, response: ServerResponse, refusal: RequestError): void {
  setRefusal(response, refusal);
  request.resume();
  response.writeHead(refusal.status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${refusal.message}\n`);
}
