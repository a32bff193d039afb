import type { Lines } from '../record.ts';
import type { SinkFailure } from '../errors.ts';

/** A run of lines of one request: `from` is the first, `to` is one past the last. */
export interface Span {
  readonly lines: Lines;
  readonly from: number;
  readonly to: number;
}

/** What one sink call carries: each line of each span is one record, in this order. */
export type Batch = readonly Span[];

/** What a batch may be. Lines longer than `maxRecordBytes` never reach the sink: they are rejected at the door. */
export interface SinkLimits {
  readonly maxRecordsPerCall: number;
  /** Payload bytes of a call, with what the sink itself adds to each record counted by `overheadBytesPerRecord`. */
  readonly maxBytesPerCall: number;
  readonly overheadBytesPerRecord: number;
  /** Bytes of one line, its newline included. */
  readonly maxRecordBytes: number;
  /** What each record is rounded up to on the bill; undefined where records cost nothing. */
  readonly billingUnitBytes: number | undefined;
  /** Calls that may be under way at once, at most. */
  readonly maxCallsInFlight: number;
}

/** A record that the sink did not take, by its position in the batch. Partial failure is data, not an exception. */
export interface Rejected {
  readonly index: number;
  readonly failure: Exclude<SinkFailure, 'down'>;
  /** The vendor's own code, such as `ProvisionedThroughputExceededException`. */
  readonly code: string;
  readonly message: string;
}

/** Where lines go. Owned by `write/`, which knows sinks by this interface only. */
export interface Sink {
  readonly limits: SinkLimits;

  /**
   * Delivers a batch once, without retrying. The lines' bytes are the caller's and stay unchanged until the promise settles.
   *
   * @param signal may be shared by calls: each adds a listener or two to it
   * @returns the records that were not accepted, ascending by index; `[]` means that every line is safe
   * @throws SinkError when the call failed as a whole
   */
  send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]>;

  /** Ends what the sink holds open. Called once, when no call is under way. */
  close(): Promise<void>;
}

/** Records in a batch. */
export function countRecords(batch: Batch): number {
  let count = 0;
  for (const span of batch) count += span.to - span.from;
  return count;
}

/** Bytes of a span's lines, which lie side by side in their request's buffer. */
export function spanBytes({ lines, from, to }: Span): Uint8Array {
  return lines.bytes.subarray(from === 0 ? 0 : lines.ends[from - 1]!, to === 0 ? 0 : lines.ends[to - 1]!);
}
