import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is thrown away of a request that is answered already, before its connection is cut. */
const MOST_BYTES = 64 * 1024 ** 2;
const MOST_MS = 10_000;

/**
 * Ends an answer to a request of which not all has come. The sender gets the whole answer at once; the connection is closed, or used again, only when
 * the rest of the request has been thrown away. Closed before, the kernel would reset it, and take the answer from a sender that has not read it yet
 * (RFC 9112, 9.6): without a status it would send the same again for ever.
 *
 * @param response its head not sent; without `Content-Length`, which is set
 */
export function endUnread(request: IncomingMessage, response: ServerResponse, text: string): void {
  response.setHeader('Content-Length', Buffer.byteLength(text));
  if (request.complete) {
    request.resume();
    response.end(text);
    return;
  }
  response.flushHeaders();
  if (text !== '') response.write(text);
  let bytes = 0;
  const cut = () => {
    request.destroy();
  };
  const timer = setTimeout(cut, MOST_MS).unref();
  request
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) cut();
    })
    .on('error', () => {
      // The sender went away in the middle of it: 'close' follows.
    })
    .once('end', () => response.end())
    .once('close', () => {
      clearTimeout(timer);
    });
}
