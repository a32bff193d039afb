import { setMaxListeners } from 'node:events';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, WRITE_HEADERS } from './http.ts';
import { writeRequest } from './write_request.ts';

const TIME_MS = 1_800_000_000_000;
// Prometheus's queue_config: min_backoff, max_backoff, remote_timeout.
const FIRST_BACKOFF_MS = 30;
const LAST_BACKOFF_MS = 5_000;
const REMOTE_TIMEOUT_MS = 30_000;
/** Half of Prometheus's max_shards since 2.44. */
const SHARDS_PER_SENDER = 25;

export interface LoadOptions {
  readonly port: number;
  /** Requests that want to be delivered at any time, spread over as many senders as need them for their shards. */
  readonly shards: number;
  readonly samplesPerRequest: number;
}

/**
 * Senders with more to send than can be delivered: each shard sends one request after the other, each again until it is answered, as Prometheus does. Every
 * other sender is a Prometheus 2, which takes no notice of Retry-After.
 */
export interface Load {
  readonly senders: number;
  /** Samples posted, each time that they are. */
  readonly posted: number;
  /** Answers by status, or by what went wrong where there was none. */
  readonly answers: ReadonlyMap<number | string, number>;
  /** Samples of the requests that were answered 2xx. */
  readonly acknowledged: number;
  /** Samples of all requests. */
  readonly sent: number;
  isAcknowledged(sample: number): boolean;
  /** The line of a sample in the archive, without its newline. */
  lineOf(sample: number): string;
  /** Begins no more requests; resolves when all that were begun are acknowledged. */
  finish(): Promise<void>;
  /** Leaves everything as it is. */
  abort(): Promise<void>;
}

export function startLoad({ port, shards, samplesPerRequest }: LoadOptions): Load {
  const agents = Array.from({ length: Math.ceil(shards / SHARDS_PER_SENDER) }, () => new Agent({ keepAlive: true }));
  const acknowledged = new Set<number>();
  const answers = new Map<number | string, number>();
  const giveUp = new AbortController();
  setMaxListeners(0, giveUp.signal);
  let requests = 0;
  let posted = 0;
  let isFinishing = false;

  /** @returns how long the adapter asks to wait; undefined when the request is through */
  async function post(agent: Agent, body: Uint8Array): Promise<number | undefined> {
    posted += samplesPerRequest;
    const headers = { ...WRITE_HEADERS, 'Content-Length': body.length };
    const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(REMOTE_TIMEOUT_MS)]);
    let failure = '';
    const answer = await send({ port, agent, method: 'POST', path: '/receive', headers, body, signal }).catch(
      (error: unknown) => {
        const { cause, code, message } = error as NodeJS.ErrnoException;
        failure = cause instanceof Error ? cause.name : (code ?? message);
      },
    );
    const status = answer?.status ?? 0;
    const key = answer ? status : failure;
    answers.set(key, (answers.get(key) ?? 0) + 1);
    // A sender drops what is answered 4xx, and nothing here deserves that.
    if (status >= 400 && status < 500) throw new Error(`the adapter answers ${status}: ${answer!.text}`);
    return status === 204 ? undefined : Number(answer?.headers['retry-after'] ?? 0) * 1_000;
  }

  async function runShard(shard: number): Promise<void> {
    const sender = Math.floor(shard / SHARDS_PER_SENDER);
    const agent = agents[sender]!;
    while (!isFinishing && !giveUp.signal.aborted) {
      const request = requests++;
      const body = bodyOf(request, samplesPerRequest);
      let backoffMs = FIRST_BACKOFF_MS;
      for (;;) {
        const retryAfterMs = await post(agent, body);
        if (retryAfterMs === undefined) break;
        const waitMs = sender % 2 === 0 && retryAfterMs > 0 ? retryAfterMs : backoffMs;
        await sleep(waitMs, undefined, { signal: giveUp.signal });
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      }
      acknowledged.add(request);
    }
  }

  const running = Promise.all(Array.from({ length: shards }, (_, shard) => runShard(shard)));
  // A failure is told by finish().
  running.catch(() => {
    giveUp.abort();
  });
  return {
    senders: agents.length,
    answers,
    get posted() {
      return posted;
    },
    get acknowledged() {
      return acknowledged.size * samplesPerRequest;
    },
    get sent() {
      return requests * samplesPerRequest;
    },
    lineOf: (sample) => lineOf(sample, samplesPerRequest),
    isAcknowledged: (sample) => acknowledged.has(Math.floor(sample / samplesPerRequest)),
    async finish() {
      isFinishing = true;
      await running;
      for (const agent of agents) agent.destroy();
    },
    async abort() {
      giveUp.abort();
      await running.catch(() => undefined);
      for (const agent of agents) agent.destroy();
    },
  };
}

/** A request of samples that no other request has: a sample's value is its number. */
function bodyOf(request: number, count: number): Uint8Array {
  return writeRequest(
    Array.from({ length: count }, (_, index) => ({
      labels: labelsOf(index),
      samples: [[request * count + index, TIME_MS + request]],
    })),
  );
}

function labelsOf(index: number) {
  return {
    __name__: `torture_family_${index % 100}_total`,
    device: `device-${Math.floor(index / 100)}`,
    instance: '10.0.0.1:9100',
    job: 'torture',
  };
}

function lineOf(sample: number, samplesPerRequest: number): string {
  const labels = labelsOf(sample % samplesPerRequest);
  const time = TIME_MS + Math.floor(sample / samplesPerRequest);
  return JSON.stringify({ name: labels.__name__, time, value: sample, labels });
}
