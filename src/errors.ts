/**
 * The closed list of what a write request can be answered with besides 2xx. Each code is made where the trouble is seen, and says whether the
 * same bytes can succeed later: senders drop what was answered 4xx and send again what was answered 5xx (remote write 1.0, "Retries &
 * Backoff"), so a 4xx stands only where a retry is in vain. Never 429: Prometheus drops on it by default.
 */
export const REQUEST_ERRORS = {
  unauthorized: { status: 401 },
  method_not_allowed: { status: 405 },
  unsupported_media_type: { status: 415 },
  body_too_large: { status: 413 },
  lines_too_large: { status: 413 },
  invalid_snappy: { status: 400 },
  invalid_protobuf: { status: 400 },
  invalid_series: { status: 400 },
  refused_by_sink: { status: 400 },
  overloaded: { status: 503, retryAfterSeconds: 2 },
  deadline: { status: 503, retryAfterSeconds: 1 },
  sink_down: { status: 503, retryAfterSeconds: 5 },
  stopping: { status: 503, retryAfterSeconds: 1 },
} as const satisfies Record<string, { status: number; retryAfterSeconds?: number }>;

export type RequestErrorCode = keyof typeof REQUEST_ERRORS;

/** A write request that is answered with something other than 2xx. The message is what the sender's log shows: one line. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }

  get status(): number {
    return REQUEST_ERRORS[this.code].status;
  }

  /** Whole seconds for the header Retry-After; undefined where a retry is in vain. */
  get retryAfterSeconds(): number | undefined {
    const error = REQUEST_ERRORS[this.code];
    return 'retryAfterSeconds' in error ? error.retryAfterSeconds : undefined;
  }
}

/**
 * What a failure of the sink means for the lines it carried:
 * - `throttled`: the sink takes them later; slow down.
 * - `transient`: the same call may succeed soon; it may even have succeeded.
 * - `down`: every call fails until somebody mends something (a missing stream, no permission, a full disk).
 * - `refused`: these bytes can never be accepted.
 */
export type SinkFailure = 'throttled' | 'transient' | 'down' | 'refused';

export interface SinkErrorOptions {
  /** The vendor's own code, such as `ResourceNotFoundException` or `ENOSPC`. */
  readonly code: string;
  /** What the person on call does about it; for `down` only. */
  readonly mend?: string;
  readonly cause?: unknown;
}

/** A sink call that failed as a whole. */
export class SinkError extends Error {
  readonly failure: SinkFailure;
  readonly code: string;
  readonly mend: string | undefined;

  constructor(failure: SinkFailure, message: string, { code, mend, cause }: SinkErrorOptions) {
    super(message, { cause });
    this.name = 'SinkError';
    this.failure = failure;
    this.code = code;
    this.mend = mend;
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of an error of Node.js, such as `ENOSPC`. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}

/** A setting that stops the start. The message names the option, the bound and the mend. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/** A command that failed for a reason its user can act on: printed without a stack trace, exit code 1. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}
