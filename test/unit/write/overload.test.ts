import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { createMetrics } from '../../../src/metrics.ts';
import type { Batch, Rejected, Sink, SinkLimits } from '../../../src/sinks/sink.ts';
import { BufferPool } from '../../../src/buffer_pool.ts';
import { Delivery } from '../../../src/write/deliver.ts';
import { Gate } from '../../../src/write/gate.ts';
import { linesOf } from '../../support/lines.ts';
import { seeded } from '../../support/seeded.ts';

/*
 * A simulation in virtual time of the delivery as it is, before a sink of a given capacity, with senders that behave as Prometheus does: each
 * sends its next request once the last is acknowledged, and the same again after a 503.
 */
const SENDERS = 50;
const SAMPLES_PER_REQUEST = 2_000;
const SIMULATED_MS = 90_000;
const SINK_LATENCY_MS = 20;
const SHARDS = 8;
const DELIVERY_TIMEOUT_MS = 25_000;

const LIMITS: SinkLimits = {
  maxRecordsPerCall: 500,
  maxBytesPerCall: 5 * 1024 ** 2,
  overheadBytesPerRecord: 8,
  maxRecordBytes: 1_000_000,
  billingUnitBytes: undefined,
  maxCallsInFlight: 16,
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Sinks {
  readonly perSecond: number;
  /** The share of the records that fail without being throttled. */
  readonly failing: number;
}

/** Eight shards that take so many records a second together, each what it saved up for at most a second, and throttle the rest of a call. */
class LimitedSink implements Sink {
  readonly limits = LIMITS;
  accepted = 0;
  readonly #options: Sinks;
  readonly #random: () => number;
  readonly #tokens: number[];
  #filledAtMs = Date.now();

  constructor(options: Sinks, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#tokens = new Array<number>(SHARDS).fill(options.perSecond / SHARDS);
  }

  async send(batch: Batch): Promise<readonly Rejected[]> {
    await sleep(SINK_LATENCY_MS * (0.5 + this.#random()));
    const now = Date.now();
    const perShard = this.#options.perSecond / SHARDS;
    for (let shard = 0; shard < SHARDS; shard++) {
      const saved = this.#tokens[shard]! + ((now - this.#filledAtMs) * perShard) / 1000;
      this.#tokens[shard] = Math.min(perShard, saved);
    }
    this.#filledAtMs = now;
    const rejected: Rejected[] = [];
    let index = 0;
    for (const { lines, from, to } of batch) {
      for (let line = from; line < to; line++, index++) {
        const shard = Math.floor((lines.hashes[line]! * SHARDS) / 2 ** 32);
        if (this.#random() < this.#options.failing) {
          rejected.push({ index, failure: 'transient', code: 'InternalFailure', message: '' });
        } else if (this.#tokens[shard]! < 1) {
          rejected.push({ index, failure: 'throttled', code: 'ProvisionedThroughputExceededException', message: '' });
        } else {
          this.#tokens[shard]! -= 1;
          this.accepted++;
        }
      }
    }
    return rejected;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function simulate(options: Sinks) {
  const capacity = options.perSecond;
  const random = seeded(capacity);
  const sink = new LimitedSink(options, random);
  const gate = new Gate(128 * 1024 ** 2);
  const log = createLog({ level: 'error', format: 'logfmt', write: () => undefined });
  const delivery = new Delivery({
    sink,
    packing: 'none',
    pool: new BufferPool(),
    recordBytes: 25_600,
    log,
    metrics: createMetrics(),
    flushIntervalMs: 200,
    deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
    countReading: () => gate.reading,
    now: () => Date.now(),
    random,
  });
  const lines = linesOf(Array.from({ length: SAMPLES_PER_REQUEST }, (_, index) => `{"sample":${index}}`));
  const result = { acknowledged: 0, refused: 0, timedOut: 0, longestMs: 0, heldBytes: 0 };
  const endAtMs = Date.now() + SIMULATED_MS;

  const sender = async () => {
    await sleep(random() * 1_000);
    while (Date.now() < endAtMs) {
      const arrivedAtMs = Date.now();
      const pass = gate.tryEnter(lines.bytes.length);
      if (!pass || delivery.refusal() !== undefined) {
        pass?.release();
        result.refused++;
        await sleep(2_000 * (1 + random() / 10));
        continue;
      }
      pass.endReading();
      result.heldBytes = Math.max(result.heldBytes, gate.heldBytes);
      const { signal } = new AbortController();
      const { ending } = await delivery.deliver(lines, { arrivedAtMs, signal, onUnreferenced: pass.release });
      if (Date.now() >= endAtMs) return;
      result.longestMs = Math.max(result.longestMs, Date.now() - arrivedAtMs);
      if (ending === 'delivered') result.acknowledged += SAMPLES_PER_REQUEST;
      else {
        result.timedOut++;
        await sleep(1_000 * (1 + random() / 10));
      }
    }
  };
  const senders = Promise.all(Array.from({ length: SENDERS }, sender));
  await vi.advanceTimersByTimeAsync(SIMULATED_MS);
  const accepted = sink.accepted;
  const stopped = delivery.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all([senders, stopped]);
  return { ...result, accepted, capacity: (capacity * SIMULATED_MS) / 1000 };
}

describe('50 senders of 2,000 samples before a sink that takes less than they send', () => {
  test.each([
    { perSecond: 1_000, failing: 0 },
    { perSecond: 10_000, failing: 0 },
    { perSecond: 50_000, failing: 0 },
    { perSecond: 1_000, failing: 0.2 },
    { perSecond: 10_000, failing: 0.2 },
    { perSecond: 50_000, failing: 0.2 },
  ])('that takes $perSecond records a second and fails $failing of them', async (options) => {
    const { acknowledged, accepted, capacity: most, timedOut, refused, longestMs } = await simulate(options);
    const shares = { acknowledged: acknowledged / accepted, busy: accepted / most };
    console.log(JSON.stringify({ ...options, ...shares, timedOut, refused, longestMs }));
    expect(acknowledged / accepted).toBeGreaterThanOrEqual(0.8);
    // And the sink is kept busy.
    expect(accepted / most).toBeGreaterThanOrEqual(0.8);
  });
});
