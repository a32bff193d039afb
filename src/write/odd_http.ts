import { STATUS_CODES, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { endUnread } from './unread.ts';

/** Requests of one connection that are under way at once. Senders wait for each answer; a read of 64 KiB can hold thousands of requests. */
const MOST_PIPELINED = 100;
/** How long a connection that is of no more use stays open, so that its answer can be read. */
const LINGER_MS = 1_000;
const CONTENT_TYPE = 'text/plain; charset=utf-8';

/** What comes of an error of Node's parser; all others are 400. */
const ERRORS: Readonly<Record<string, readonly [status: number, text: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the header fields are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
};

/**
 * Has a server answer its requests by `answer`, and what Node would answer late, without a word, or not at all: `Expect`, CONNECT, what is no HTTP or
 * comes too slowly. Requests that expect 100 (Continue) are judged by their headers before their body is asked for.
 */
export function answerRequests(server: Server, answer: RequestListener): void {
  const connections = new WeakMap<Duplex, Connection>();
  const ended = new WeakSet<Duplex>();
  const tryNote = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { socket } = request;
    const { underWay = 0, latest } = connections.get(socket) ?? {};
    const connection = { underWay: underWay + 1, latest: { request, response, before: latest?.response } };
    connections.set(socket, connection);
    if (underWay >= MOST_PIPELINED) socket.destroy();
    if (socket.destroyed) return false;
    response.once('close', () => connections.get(socket)!.underWay--);
    return true;
  };
  server.on('request', (request, response) => {
    if (tryNote(request, response)) answer(request, response);
  });
  server.on('checkContinue', (request, response) => {
    if (!tryNote(request, response)) return;
    // A sender that was not told to go on may send its body or not, so that nothing behind this request can be understood.
    response.setHeader('Connection', 'close');
    // What reads the body, or throws it away, lets it flow; what was answered by then is not asked for.
    request.once('resume', () => {
      if (response.headersSent) return;
      response.removeHeader('Connection');
      response.writeContinue();
    });
    answer(request, response);
  });
  server.on('checkExpectation', (request, response) => {
    if (!tryNote(request, response)) return;
    answerPlainly(request, response, { status: 417, text: 'send no Expect but 100-continue' });
  });
  server.on('connect', (_request, socket) => {
    if (mayAnswer(connections.get(socket)?.latest)) end(socket, answerOf(405, 'send POST', 'Allow: POST\r\n'));
    else socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { readonly reason?: string }, socket) => {
    if (ended.has(socket)) return;
    ended.add(socket);
    if (!mayAnswer(connections.get(socket)?.latest) || !socket.writable) {
      socket.destroy();
      return;
    }
    // Senders drop what is answered 408, and a body may be late for no fault of its sender's.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUnderWay(connections.get(socket)?.latest)) {
      end(socket, answerOf(503, 'the body did not arrive in time', 'Retry-After: 1\r\n'));
      return;
    }
    const [status, text] = ERRORS[error.code ?? ''] ?? [
      400,
      `this is not HTTP/1.1: ${error.reason ?? 'it ended early'}`,
    ];
    end(socket, answerOf(status, text));
  });
}

interface Connection {
  underWay: number;
  readonly latest: Exchange;
}

/** The request that came last on a connection. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The answer to the one before it. */
  readonly before: ServerResponse | undefined;
}

/**
 * Whether an error can be answered, so that it is not taken for the answer to a request that is still under way: not while one that came whole waits,
 * nor behind the start of an answer.
 */
function mayAnswer(latest: Exchange | undefined): boolean {
  if (latest === undefined) return true;
  const { request, response, before } = latest;
  if (request.complete) return response.writableFinished;
  return !response.headersSent && (before?.writableFinished ?? true);
}

function isUnderWay(latest: Exchange | undefined): boolean {
  return latest !== undefined && !latest.request.complete;
}

export interface PlainAnswer {
  readonly status: number;
  /** One line, without its end. */
  readonly text: string;
}

/** Answers a request, with its body unread, by one line. */
export function answerPlainly(request: IncomingMessage, response: ServerResponse, { status, text }: PlainAnswer): void {
  response.statusCode = status;
  response.setHeader('Content-Type', CONTENT_TYPE);
  endUnread(request, response, `${text}\n`);
}

function answerOf(status: number, text: string, headers = ''): string {
  const line = `${text}\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}Content-Type: ${CONTENT_TYPE}\r\n` +
    `Content-Length: ${Buffer.byteLength(line)}\r\nConnection: close\r\n\r\n${line}`
  );
}

function end(socket: Duplex, answer: string): void {
  socket.on('error', () => {
    // The sender went away: 'close' follows.
  });
  socket.end(answer);
  const timer = setTimeout(() => {
    socket.destroy();
  }, LINGER_MS).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
