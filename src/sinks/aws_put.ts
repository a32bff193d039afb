import { BufferPool } from '../buffer_pool.ts';
import { SinkError } from '../errors.ts';
import { PutKernel } from '../kernel/put_kernel.ts';
import { classifyAwsError, sinkErrorOf, type AwsTarget } from '../aws_errors.ts';
import type { AwsOperation } from './aws_operation.ts';
import { readPutAnswer, type PutAnswerForm } from './aws_put_answer.ts';
import { writePutBody, type PutBodyForm } from './aws_put_body.ts';
import { countRecords, type Batch, type Rejected, type Sink, type SinkLimits } from './sink.ts';

/** What tells the services apart that a sink puts records on. */
export interface PutService {
  /** Such as `Kinesis`. */
  readonly name: string;
  readonly limits: SinkLimits;
  readonly target: AwsTarget;
  readonly body: PutBodyForm;
  readonly answer: PutAnswerForm;
}

/** A sink that puts each line on a stream of AWS as a record of its own. Nothing is sent before the first batch. */
export class PutSink implements Sink {
  readonly limits: SinkLimits;
  readonly #operation: AwsOperation;
  readonly #service: PutService;
  readonly #kernel = new PutKernel();
  /** Of bodies. */
  readonly #pool = new BufferPool();
  /** Calls in a row that failed by what the SDK mends by itself: expired credentials, a wrong clock. */
  #unmended = 0;
  #closed = false;

  constructor(operation: AwsOperation, service: PutService) {
    this.limits = service.limits;
    this.#operation = operation;
    this.#service = service;
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]> {
    const { name, body: bodyForm, answer: form } = this.#service;
    if (this.#closed) throw new SinkError('transient', `the ${name} sink is closed`, { code: 'Closed' });
    const records = countRecords(batch);
    if (records === 0) return [];
    const body = writePutBody(this.#kernel, batch, { ...bodyForm, take: (bytes) => this.#pool.take(bytes) });
    const answer = await this.#put(body, signal);
    const rejected = readPutAnswer(this.#kernel, answer, { records, form });
    // It was read, or there would be no answer to each record. After any other end of the call it may still be on its way out.
    this.#pool.give(body);
    return rejected;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#operation.close();
    return Promise.resolve();
  }

  async #put(body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    try {
      signal.throwIfAborted();
      const answer = await untilAborted(signal, (own) => this.#operation.exchange(body, own));
      this.#unmended = 0;
      return answer;
    } catch (error) {
      if (signal.aborted)
        throw new SinkError('transient', 'the call was aborted', { code: 'AbortError', cause: error });
      if (classifyAwsError(error).mend === 'stale') this.#unmended++;
      // All the calls under way fail together: only more failures than those tell that the SDK could not mend it.
      throw sinkErrorOf(error, this.#service.target, this.#unmended > this.limits.maxCallsInFlight);
    }
  }
}

/**
 * Settles with what `start` returns, or rejects as soon as the signal is aborted: the SDK takes no notice of it while it fetches credentials.
 *
 * @param start gets a signal of its own: calls may share `signal`, and the SDK adds so many listeners to each that Node warns of a leak
 */
function untilAborted<Value>(signal: AbortSignal, start: (own: AbortSignal) => Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const own = new AbortController();
    const onAbort = () => {
      own.abort(signal.reason);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void start(own.signal)
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
  });
}
