import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ConfigError, messageOf } from './errors.ts';

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** How a service of AWS is reached. */
export interface AwsClientOptions {
  /** Undefined leaves the region to the SDK: environment, profile, instance metadata. */
  readonly region: string | undefined;
  /** Undefined leaves the endpoint to the SDK. */
  readonly endpointUrl: string | undefined;
  readonly log: { warn(text: string): void };
  /** Longest wait for the head of an answer, and for each next part of it. */
  readonly requestTimeoutMs?: number;
}

export interface AwsCalls {
  /** Calls that may be under way at once. */
  readonly maxSockets: number;
  /** How often the SDK makes a call that fails in a way that may pass; 1 leaves that to the caller. */
  readonly maxAttempts: number;
}

/** The settings that every client of the SDK gets. */
export function clientSettings(
  { region, endpointUrl, log, requestTimeoutMs = REQUEST_TIMEOUT_MS }: AwsClientOptions,
  { maxSockets, maxAttempts }: AwsCalls,
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
    maxAttempts,
    // Adaptive mode would hold calls back on its own.
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

/**
 * The region that a client works in. A client without one is destroyed.
 *
 * @param what is in the region, in the words of the message
 * @throws ConfigError when none is to be found
 */
export async function regionOf(
  client: { readonly config: { region(): Promise<string> }; destroy(): void },
  what: string,
): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    client.destroy();
    throw new ConfigError(
      `no AWS region for ${what}: ${messageOf(error)}; give --region (AWS_REGION), such as us-east-1`,
    );
  }
}

function ignore(): void {
  // Nothing to do.
}
