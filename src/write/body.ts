import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import type { Pass } from './gate.ts';

/** The sender went away: there is nobody to answer. */
export class SenderGone extends Error {
  constructor() {
    super('the sender went away');
    this.name = 'SenderGone';
  }
}

/** Bytes that the headers announce; 0 when they don't. */
export function declaredLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/**
 * Reads a request's body, with every byte held on `pass` as it comes.
 *
 * @throws RequestError body_too_large, overloaded
 * @throws SenderGone
 */
export function readBody(request: IncomingMessage, maxBytes: number, pass: Pass): Promise<Uint8Array> {
  const declared = declaredLength(request);
  if (declared > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (settle: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const fail = (error: Error) => {
      finish(() => {
        reject(error);
      });
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) fail(tooLarge(maxBytes));
      else if (size > declared && !pass.tryHold(size))
        fail(new RequestError('overloaded', 'too many bytes in flight (--max-in-flight-bytes)'));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      finish(() => {
        resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      });
    };
    const onClose = () => {
      fail(new SenderGone());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('body_too_large', `the body is larger than ${maxBytes} bytes (--max-body-bytes)`);
}
