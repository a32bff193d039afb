/** How long to wait before calls are made again. PURE. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly capMs: number;
}

/** The sink asked for less: a shard's limit is counted by the second. */
export const THROTTLED: BackoffPolicy = { baseMs: 500, capMs: 2_000 };
/** The call may succeed at once. */
export const TRANSIENT: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/**
 * Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt failures in a row, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs({ baseMs, capMs }: BackoffPolicy, attempt: number, random: number): number {
  return random * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
