import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Log } from '../log.ts';

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** How a sink reaches its service. */
export interface AwsClientOptions {
  /** Undefined leaves the region to the SDK: environment, profile, instance metadata. */
  readonly region: string | undefined;
  /** Undefined leaves the endpoint to the SDK. */
  readonly endpointUrl: string | undefined;
  readonly log: Log;
  /** Longest wait for the head of an answer, and for each next part of it. */
  readonly requestTimeoutMs?: number;
}

/**
 * The settings that every client of the SDK gets.
 *
 * @param maxSockets calls that may be under way at once
 */
export function clientSettings(
  { region, endpointUrl, log, requestTimeoutMs = REQUEST_TIMEOUT_MS }: AwsClientOptions,
  maxSockets: number,
) {
  // The SDK warns here of sockets and of credentials that contradict each other; its other words would be a line per call.
  const logger = {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: (...words: unknown[]) => {
      log.warn(`AWS SDK: ${words.join(' ')}`);
    },
    error: ignore,
  };
  const agent = { keepAlive: true, maxSockets };
  return {
    ...(region === undefined ? {} : { region }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    // One retry loop, and it is `write/`'s: it shares one budget among calls and records. Adaptive mode would hold calls back on its own.
    maxAttempts: 1,
    retryMode: 'standard',
    logger,
    // The default of Kinesis's client speaks HTTP/2, which emulators without TLS do not, in a new session per request.
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      // Else the handler warns and waits on.
      throwOnRequestTimeout: true,
      // The request's time-out ends with the head of the answer; this one is for a body that stops in the middle.
      socketTimeout: requestTimeoutMs,
      logger,
    }),
  };
}

function ignore(): void {
  // Nothing to do.
}
