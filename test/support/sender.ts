import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { bitsOf, type DoubleBits } from '../../src/record.ts';
import { send, WRITE_HEADERS } from './http.ts';
import { sampleKey } from './samples.ts';
import { writeRequest, type PlainSeries } from './write_request.ts';

const TIME_MS = 1_800_000_000_000;
// Prometheus's queue_config: min_backoff, max_backoff.
const FIRST_BACKOFF_MS = 30;
const LAST_BACKOFF_MS = 5_000;

export interface SenderOptions {
  readonly port: number;
  /** Requests under way at once. */
  readonly connections: number;
  readonly samplesPerRequest: number;
  /** Sends a request again until it is answered 2xx, as Prometheus does; otherwise a connection ends with its first failure. */
  readonly retries: boolean;
}

/** A load generator: each request has samples that no other has. */
export interface Sender {
  /** Requests that were answered 2xx. */
  readonly acknowledgedCount: number;
  /** Samples of the requests that were answered 2xx. */
  acknowledged(): Map<string, DoubleBits>;
  /** Samples of all requests. */
  attempted(): Map<string, DoubleBits>;
  /** Begins no more requests; resolves when those under way are over. */
  stop(): Promise<void>;
}

export function startSender({ port, connections, samplesPerRequest, retries }: SenderOptions): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const acknowledged: number[] = [];
  let requests = 0;
  let isStopping = false;

  async function trySend(request: number): Promise<boolean> {
    const body = writeRequest(seriesOf(request, samplesPerRequest));
    const headers = { ...WRITE_HEADERS, 'Content-Length': body.length };
    try {
      const { status } = await send({ port, agent, method: 'POST', path: '/receive', headers, body });
      if (status !== 204 && status !== 503) throw new TypeError(`the adapter answers ${status}`);
      return status === 204;
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      const request = requests++;
      let isAcknowledged = await trySend(request);
      for (let waitMs = FIRST_BACKOFF_MS; !isAcknowledged && retries; waitMs = Math.min(waitMs * 2, LAST_BACKOFF_MS)) {
        await sleep(waitMs);
        isAcknowledged = await trySend(request);
      }
      if (!isAcknowledged) return;
      acknowledged.push(request);
    }
  }

  const runs = Promise.all(Array.from({ length: connections }, run));
  const samplesOf = (numbers: readonly number[]) =>
    new Map(numbers.flatMap((number) => keysOf(seriesOf(number, samplesPerRequest))));
  return {
    get acknowledgedCount() {
      return acknowledged.length;
    },
    acknowledged: () => samplesOf(acknowledged),
    attempted: () => samplesOf(Array.from({ length: requests }, (_, number) => number)),
    async stop() {
      isStopping = true;
      await runs;
      agent.destroy();
    },
  };
}

function seriesOf(request: number, count: number): PlainSeries[] {
  return Array.from({ length: count }, (_, index) => ({
    labels: { __name__: 'load', index: String(index) },
    samples: [[request + index / count, TIME_MS + request]],
  }));
}

function keysOf(series: readonly PlainSeries[]): [string, DoubleBits][] {
  return series.flatMap(({ labels, samples }) =>
    samples.map(([value, timeMs]): [string, DoubleBits] => [
      sampleKey(
        Object.entries(labels).map(([name, value]) => ({ name, value })),
        BigInt(timeMs),
      ),
      bitsOf(value),
    ]),
  );
}
