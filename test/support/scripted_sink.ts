import { spanBytes, type Batch, type Rejected, type Sink, type SinkLimits } from '../../src/sinks/sink.ts';
import { textsOfRecord } from './lines.ts';

/** A call that waits for the test to say how it ends. */
export interface PendingCall {
  readonly lines: readonly string[];
  readonly signal: AbortSignal;
  accept(): Promise<void>;
  reject(rejected: readonly Rejected[]): Promise<void>;
  fail(error: Error): Promise<void>;
}

const LIMITS: SinkLimits = {
  maxRecordsPerCall: 500,
  maxBytesPerCall: 5 * 1024 * 1024,
  overheadBytesPerRecord: 8,
  maxRecordBytes: 1_000_000,
  billingUnitBytes: 25 * 1024,
  maxCallsInFlight: 1,
};

/** A sink whose every call ends when, and how, the test says. */
export class ScriptedSink implements Sink {
  readonly limits: SinkLimits;
  /** Calls under way, oldest first. */
  readonly pending: PendingCall[] = [];
  readonly accepted: string[] = [];
  callCount = 0;
  isClosed = false;
  #onCall: (() => void)[] = [];

  constructor(limits: Partial<SinkLimits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]> {
    this.callCount++;
    const lines = linesOfBatch(batch);
    if (lines.length === 0) throw new Error('a batch is empty');
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        this.pending.splice(this.pending.indexOf(call), 1);
        signal.removeEventListener('abort', onAbort);
        action();
        // What follows from a call's end has happened when this resolves.
        return new Promise<void>((done) => {
          setImmediate(done);
        });
      };
      const call: PendingCall = {
        lines,
        signal,
        accept: () =>
          settle(() => {
            this.accepted.push(...lines);
            resolve([]);
          }),
        reject: (rejected) =>
          settle(() => {
            const refused = new Set(rejected.map(({ index }) => index));
            this.accepted.push(...lines.filter((_, index) => !refused.has(index)));
            resolve(rejected);
          }),
        fail: (error) =>
          settle(() => {
            reject(error);
          }),
      };
      const onAbort = () => void call.fail(new Error('aborted'));
      signal.addEventListener('abort', onAbort);
      this.pending.push(call);
      for (const wake of this.#onCall.splice(0)) wake();
    });
  }

  /** The oldest call under way, waiting for one to be made. */
  async call(): Promise<PendingCall> {
    while (this.pending.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onCall.push(resolve);
      });
    }
    return this.pending[0]!;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** The lines of a batch, packed or not. */
export function linesOfBatch(batch: Batch): string[] {
  return batch.flatMap((span) => textsOfRecord(spanBytes(span)));
}
