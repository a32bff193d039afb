import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { noRoom, type Pass } from './gate.ts';

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

export interface ReadBodyOptions {
  readonly maxBytes: number;
  /** Every byte of memory that the body takes is held on it, as it comes. */
  readonly pass: Pass;
  /** Aborted when there is no more time to wait for the rest; its reason is thrown. */
  readonly signal: AbortSignal;
}

/**
 * Reads a request's body.
 *
 * @throws RequestError body_too_large, overloaded
 * @throws SenderGone
 */
export function readBody(request: IncomingMessage, { maxBytes, pass, signal }: ReadBodyOptions): Promise<Uint8Array> {
  if (declaredLength(request) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    let body: Uint8Array = NOTHING;
    let size = 0;
    const finish = (settle: () => void) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (error: Error) => finish(() => reject(error));
    const onData = (chunk: Buffer) => {
      if (size + chunk.length > maxBytes) {
        fail(tooLarge(maxBytes));
        return;
      }
      // Most bodies are one chunk. Of the others each chunk is copied: a buffer for every byte that a sender makes a chunk of would be memory unseen.
      const needed = size + chunk.length;
      if (size === 0) body = chunk;
      else {
        if (needed > body.length) body = grow(body.subarray(0, size), needed);
        body.set(chunk, size);
      }
      size = needed;
      if (!pass.tryHold(body.length)) fail(noRoom());
    };
    const onEnd = () => finish(() => resolve(body.subarray(0, size)));
    const onClose = () => fail(new SenderGone());
    const onAbort = () => fail(signal.reason as Error);
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

const NOTHING = new Uint8Array();

/** A copy with room for as much again. */
function grow(bytes: Uint8Array, needed: number): Uint8Array {
  const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * bytes.length));
  grown.set(bytes);
  return grown;
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('body_too_large', `the body is larger than ${maxBytes} bytes (--max-body-bytes)`);
}
