import { setMaxListeners } from 'node:events';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, WRITE_HEADERS, type Answer, type SendOptions } from '../../support/http.ts';
import { within } from '../../support/processes.ts';
import { NumberedSamples } from './numbered_samples.ts';

// Prometheus's queue_config: min_backoff, max_backoff, remote_timeout.
const FIRST_BACKOFF_MS = 30;
const LAST_BACKOFF_MS = 5_000;
const REMOTE_TIMEOUT_MS = 30_000;
/** Half of Prometheus's max_shards since 2.44. */
const SHARDS_PER_SENDER = 25;
const RECOVERY_MS = 60_000;

export interface LoadOptions {
  readonly port: number;
  /** Requests that want to be delivered at any time, each on a connection of its own, spread over as many senders as need them for their shards. */
  readonly shards: number;
  readonly samplesPerRequest: number;
  /** How long a shard waits after each request that was acknowledged; not at all unless told. */
  readonly pauseMs?: number;
  /** Posts a body, in the place of the one way that there is otherwise. What it rejects with counts as a failed connection. */
  readonly post?: (options: SendOptions) => Promise<Answer>;
}

/**
 * Senders that lose nothing by themselves: each shard sends one request after the other, each again, the same bytes, until it is answered 2xx, as Prometheus
 * does. Every other sender is a Prometheus 2, which takes no notice of Retry-After. No sample is in two requests.
 *
 *     const load = startLoad({ port, shards: 8, samplesPerRequest: 200 });
 *     const recovery = load.recovery('fault'); // at the fault's end
 *     … await recovery; await load.finish();  // every request that was begun is acknowledged
 *     load.audit(lines)                       // what the sink has of it
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
  /** Waits until so many samples more are acknowledged than are now. */
  more(samples: number): Promise<void>;
  /** Seconds from now, a fault's end or a kill, until the first acknowledgement; after a kill, of a request that was posted after it, perhaps again. */
  recovery(from: 'fault' | 'kill'): Promise<number>;
  /** Begins no more requests; resolves when all that were begun are acknowledged, rejects when one was answered what makes a sender drop it. */
  finish(): Promise<void>;
  /** Leaves everything as it is. */
  abort(): Promise<void>;
  /** What a sink has of it. To be called at the end. */
  audit(lines: Iterable<string>): Audit;
}

/** What a sink has of what was sent, line by line. */
export interface Audit {
  readonly sent: number;
  readonly acknowledged: number;
  /** Lines in the sink. */
  readonly delivered: number;
  /** Lines in the sink that are there already. */
  readonly duplicated: number;
  /** Samples that were sent, by senders that have given nothing up, and are not there: acknowledged or not. */
  readonly lost: number;
  /** The first few lines that nobody sent. */
  readonly foreign: readonly string[];
}

/** A wait for an acknowledgement. */
interface Watch {
  readonly isOver: (postedAtMs: number) => boolean;
  readonly resolve: () => void;
}

export function startLoad(options: LoadOptions): Load {
  const { port, shards, samplesPerRequest, pauseMs = 0, post = send } = options;
  const agents = Array.from({ length: Math.ceil(shards / SHARDS_PER_SENDER) }, () => new Agent({ keepAlive: true }));
  const samples = new NumberedSamples(samplesPerRequest);
  const answers = new Map<number | string, number>();
  const watches = new Set<Watch>();
  const giveUp = new AbortController();
  setMaxListeners(0, giveUp.signal);
  let requests = 0;
  let posted = 0;
  let acknowledged = 0;
  let isFinishing = false;

  /** @returns how long the adapter asks to wait; undefined when the request is through */
  async function postOnce(agent: Agent, body: Uint8Array): Promise<number | undefined> {
    posted += samplesPerRequest;
    const postedAtMs = performance.now();
    const headers = { ...WRITE_HEADERS, 'Content-Length': body.length };
    const signal = AbortSignal.any([giveUp.signal, AbortSignal.timeout(REMOTE_TIMEOUT_MS)]);
    let failure = '';
    const answer = await post({ port, agent, method: 'POST', path: '/receive', headers, body, signal }).catch(
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
    if (status !== 204) return Number(answer?.headers['retry-after'] ?? 0) * 1_000;
    acknowledged += samplesPerRequest;
    for (const watch of watches) if (watch.isOver(postedAtMs)) watch.resolve();
    return undefined;
  }

  async function runShard(shard: number): Promise<void> {
    const sender = Math.floor(shard / SHARDS_PER_SENDER);
    const agent = agents[sender]!;
    const wait = (ms: number) => sleep(ms, undefined, { signal: giveUp.signal });
    while (!isFinishing) {
      const body = samples.body(requests++);
      let backoffMs = FIRST_BACKOFF_MS;
      for (;;) {
        const retryAfterMs = await postOnce(agent, body);
        if (retryAfterMs === undefined) break;
        await wait(sender % 2 === 0 && retryAfterMs > 0 ? retryAfterMs : backoffMs);
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      }
      if (pauseMs > 0) await wait(pauseMs);
    }
  }

  async function watch(isOver: Watch['isOver'], what: string): Promise<void> {
    let entry: Watch | undefined;
    const seen = new Promise<void>((resolve) => {
      entry = { isOver, resolve };
      watches.add(entry);
    });
    try {
      // What ends the senders ends the wait, with its reason.
      await within(RECOVERY_MS, what, Promise.race([seen, running.then(() => undefined)]));
    } finally {
      watches.delete(entry!);
    }
  }

  const running = Promise.all(Array.from({ length: shards }, (_, shard) => runShard(shard)));
  // A failure is told by finish().
  running.catch(() => {
    giveUp.abort();
  });
  const destroy = () => {
    for (const agent of agents) agent.destroy();
  };
  return {
    senders: agents.length,
    answers,
    get posted() {
      return posted;
    },
    get acknowledged() {
      return acknowledged;
    },
    get sent() {
      return requests * samplesPerRequest;
    },
    more(count) {
      const wanted = acknowledged + count;
      return watch(() => acknowledged >= wanted, `${count} samples more to be acknowledged`);
    },
    async recovery(from) {
      const sinceMs = performance.now();
      await watch((postedAtMs) => from === 'fault' || postedAtMs >= sinceMs, 'an acknowledgement');
      return (performance.now() - sinceMs) / 1_000;
    },
    async finish() {
      isFinishing = true;
      await running;
      destroy();
    },
    async abort() {
      giveUp.abort();
      await running.catch(() => undefined);
      destroy();
    },
    audit: (lines) => audit(lines, { samples, sent: requests * samplesPerRequest, acknowledged }),
  };
}

interface AuditOptions {
  readonly samples: NumberedSamples;
  readonly sent: number;
  readonly acknowledged: number;
}

function audit(lines: Iterable<string>, { samples, sent, acknowledged }: AuditOptions): Audit {
  const seen = new Uint8Array(sent);
  const foreign: string[] = [];
  let delivered = 0;
  let unique = 0;
  for (const line of lines) {
    delivered++;
    const sample = Number(/"value":(\d+)/.exec(line)?.[1]);
    if (!(sample < sent) || line !== samples.line(sample)) foreign.push(line);
    else if (seen[sample] === 0) {
      seen[sample] = 1;
      unique++;
    }
  }
  const duplicated = delivered - foreign.length - unique;
  return { sent, acknowledged, delivered, duplicated, lost: sent - unique, foreign: foreign.slice(0, 5) };
}
