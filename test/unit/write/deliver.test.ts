import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SinkError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { createMetrics } from '../../../src/metrics.ts';
import type { SinkLimits } from '../../../src/sinks/sink.ts';
import { BufferPool } from '../../../src/buffer_pool.ts';
import { Delivery } from '../../../src/write/deliver.ts';
import type { Outcome } from '../../../src/write/ledger.ts';
import type { Packing } from '../../../src/write/pack.ts';
import { linesOf } from '../../support/lines.ts';
import { ScriptedSink, type PendingCall } from '../../support/scripted_sink.ts';

const DELIVERED: Partial<Outcome> = { ending: 'delivered', refused: 0 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function start({
  limits = {},
  random = 0.5,
  packing = 'none',
}: { limits?: Partial<SinkLimits>; random?: number; packing?: Packing } = {}) {
  const sink = new ScriptedSink(limits);
  const metrics = createMetrics();
  const logged: string[] = [];
  const log = createLog({ level: 'info', format: 'logfmt', write: (line) => logged.push(line) });
  const reading = { now: false };
  const delivery = new Delivery({
    sink,
    log,
    metrics,
    flushIntervalMs: 100,
    deliveryTimeoutMs: 25_000,
    packing,
    pool: new BufferPool(),
    recordBytes: 25 * 1024,
    countReading: () => (reading.now ? 1 : 0),
    now: () => Date.now(),
    random: () => random,
  });
  const deliver = (...texts: string[]) => {
    const sender = new AbortController();
    const request = { outcome: undefined as Outcome | undefined, isReferenced: true, gone: () => sender.abort() };
    const onUnreferenced = vi.fn(() => {
      request.isReferenced = false;
    });
    const done = delivery
      .deliver(linesOf(texts), { arrivedAtMs: Date.now(), signal: sender.signal, onUnreferenced })
      .then((outcome) => {
        request.outcome = outcome;
      });
    return Object.assign(request, { done, onUnreferenced });
  };
  const counts = async () => {
    const all = await metrics.registry.getMetricsAsJSON();
    const sum = (name: string) =>
      all
        .find((metric) => metric.name === `prometheus_kinesis_adapter_${name}`)
        ?.values.reduce((total, { value }) => total + value, 0);
    return {
      delivered: sum('lines_delivered_total'),
      late: sum('lines_delivered_late_total'),
      returned: sum('lines_returned_total'),
      rejected: sum('lines_rejected_total'),
      retried: sum('lines_retried_total'),
    };
  };
  return { sink, delivery, deliver, reading, counts, logged };
}

const refusal = (index: number, failure: 'throttled' | 'transient' | 'refused') => ({
  index,
  failure,
  code: failure,
  message: failure,
});

describe('acknowledgement', () => {
  test('comes only when the last line is accepted', async () => {
    const { sink, deliver, counts } = start({ limits: { maxRecordsPerCall: 2, maxCallsInFlight: 2 } });
    const request = deliver('a', 'b', 'c', 'd');
    expect(sink.pending.map(({ lines }) => lines)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await sink.pending[1]!.accept();
    expect(request.outcome).toBeUndefined();
    await sink.pending[0]!.accept();
    expect(request.outcome).toMatchObject(DELIVERED);
    expect(request.onUnreferenced).toHaveBeenCalledOnce();
    expect(await counts()).toMatchObject({ delivered: 4, returned: 0, retried: 0 });
  });

  test('of a request without lines comes at once', async () => {
    const { deliver, sink } = start();
    const request = deliver();
    await request.done;
    expect(request.outcome).toMatchObject(DELIVERED);
    expect(request.onUnreferenced).toHaveBeenCalledOnce();
    expect(sink.callCount).toBe(0);
  });

  test('is per request, although batches are shared', async () => {
    const { sink, deliver } = start({ limits: { maxRecordsPerCall: 3 } });
    const first = deliver('a');
    const second = deliver('b', 'c');
    const third = deliver('d', 'e');
    await sink.pending[0]!.accept();
    expect([first.outcome, second.outcome]).toEqual([expect.objectContaining(DELIVERED), undefined]);
    expect(sink.pending[0]!.lines).toEqual(['b', 'c', 'd']);
    await sink.pending[0]!.accept();
    expect([second.outcome, third.outcome]).toEqual([expect.objectContaining(DELIVERED), undefined]);
    await sink.pending[0]!.accept();
    expect(third.outcome).toMatchObject(DELIVERED);
  });
});

describe('a batch closes', () => {
  test('at once when no other request is being read', () => {
    const { sink, deliver } = start();
    deliver('a');
    expect(sink.pending).toHaveLength(1);
  });

  test('at the flush interval while another request is being read', () => {
    const { sink, deliver, reading } = start();
    reading.now = true;
    deliver('a');
    vi.advanceTimersByTime(99);
    expect(sink.pending).toHaveLength(0);
    deliver('b');
    vi.advanceTimersByTime(1);
    expect(sink.pending[0]!.lines).toEqual(['a', 'b']);
  });

  test('when the last request has been read', () => {
    const { sink, deliver, reading, delivery } = start();
    reading.now = true;
    deliver('a');
    reading.now = false;
    delivery.pump();
    expect(sink.pending).toHaveLength(1);
  });

  test('when it is full', () => {
    const { sink, deliver, reading } = start({ limits: { maxRecordsPerCall: 2 } });
    reading.now = true;
    deliver('a');
    deliver('b', 'c');
    expect(sink.pending.map(({ lines }) => lines)).toEqual([['a', 'b']]);
  });
});

describe('records that were not taken', () => {
  test('are sent again alone and first, after a delay', async () => {
    const { sink, deliver, counts } = start({ limits: { maxRecordsPerCall: 3 } });
    const first = deliver('a', 'b', 'c');
    const second = deliver('d', 'e');
    await sink.pending[0]!.reject([refusal(0, 'throttled'), refusal(2, 'transient')]);
    expect(sink.pending).toHaveLength(0);
    // Half of the throttle's base of 500 ms, by the random number; a third of that for the third of the call that was throttled.
    vi.advanceTimersByTime(83);
    expect(sink.pending).toHaveLength(0);
    vi.advanceTimersByTime(1);
    expect(sink.pending[0]!.lines).toEqual(['a', 'c', 'd']);
    await sink.pending[0]!.accept();
    await sink.pending[0]!.accept();
    expect([first.outcome, second.outcome]).toMatchObject([DELIVERED, DELIVERED]);
    expect(sink.accepted).toEqual(['b', 'a', 'c', 'd', 'e']);
    expect(await counts()).toMatchObject({ delivered: 5, retried: 2 });
  });

  test('for good are rejected, and their neighbours delivered', async () => {
    const { sink, deliver, counts } = start();
    const request = deliver('a', 'b', 'c');
    await sink.pending[0]!.reject([refusal(1, 'refused')]);
    expect(request.outcome).toMatchObject({ ending: 'delivered', refused: 1 });
    expect(sink.accepted).toEqual(['a', 'c']);
    expect(await counts()).toMatchObject({ delivered: 2, rejected: 1 });
  });

  test('wait longer with each failure in a row, up to the cap', async () => {
    const { sink, deliver } = start({ random: 0.999_999 });
    deliver('a');
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      await sink.pending[0]!.fail(new SinkError('throttled', 'slow down', { code: 'ThrottlingException' }));
      const failedAt = Date.now();
      while (sink.pending.length === 0) vi.advanceTimersByTime(1);
      waits.push(Date.now() - failedAt);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 2_000]);
  });
});

describe('throttling that lasts', () => {
  const throttled = new SinkError('throttled', 'slow down', { code: 'ThrottlingException' });

  /** Throttles one call after the other for so long, each with a pause before the next. */
  async function throttle({ sink, deliver }: ReturnType<typeof start>, forMs: number, pauseMs: number): Promise<void> {
    const endAt = Date.now() + forMs;
    while (Date.now() < endAt) {
      const request = deliver('a');
      await (await sink.call()).fail(throttled);
      request.gone();
      await request.done;
      vi.advanceTimersByTime(pauseMs);
    }
  }
  const warnings = (logged: readonly string[]) => logged.filter((line) => line.includes('--packing gzip'));

  test('for a minute is one warning that names the packing', async () => {
    const service = start();
    await throttle(service, 59_000, 5_000);
    expect(warnings(service.logged)).toHaveLength(0);
    await throttle(service, 200_000, 5_000);
    expect(warnings(service.logged)).toHaveLength(1);
  });

  test('is not made up of bursts', async () => {
    const service = start();
    await throttle(service, 200_000, 11_000);
    expect(warnings(service.logged)).toHaveLength(0);
  });

  test('says nothing to those who pack already', async () => {
    const service = start({ packing: 'lines' });
    for (let call = 0; call < 20; call++) {
      const request = service.deliver('a');
      vi.advanceTimersByTime(100);
      await (await service.sink.call()).fail(throttled);
      request.gone();
      vi.advanceTimersByTime(5_000);
    }
    expect(warnings(service.logged)).toHaveLength(0);
  });
});

describe('a call that the sink refuses as a whole', () => {
  const invalid = new SinkError('refused', 'invalid', { code: 'ValidationException' });

  test('is sent in parts, and only the line to blame is rejected', async () => {
    const { sink, deliver, counts } = start();
    const good = deliver('a', 'b');
    const next = deliver('c', 'bad');
    await sink.pending[0]!.accept();
    await sink.pending[0]!.fail(invalid);
    expect(sink.pending[0]!.lines).toEqual(['c']);
    await sink.pending[0]!.accept();
    await sink.pending[0]!.fail(invalid);
    expect([good.outcome, next.outcome]).toMatchObject([DELIVERED, { ending: 'delivered', refused: 1 }]);
    expect(await counts()).toMatchObject({ delivered: 3, rejected: 1, returned: 0 });
  });

  test('is a sink that needs mending when every part is refused too', async () => {
    const { sink, deliver, delivery, logged } = start();
    const request = deliver('a', 'b');
    for (let call = 0; call < 3; call++) await sink.pending[0]!.fail(invalid);
    expect(request.outcome).toMatchObject({ ending: 'sink_down', refused: 0 });
    expect(delivery.isSinkUp).toBe(false);
    expect(logged.at(-1)).toContain('ValidationException');
  });
});

describe('packed records', () => {
  test('go when they are full, or at the flush interval, or when stopping', async () => {
    const { sink, deliver, delivery } = start({ packing: 'lines', limits: { maxCallsInFlight: 4 } });
    deliver('x'.repeat(1_000));
    vi.advanceTimersByTime(99);
    expect(sink.callCount).toBe(0);
    vi.advanceTimersByTime(1);
    await (await sink.call()).accept();
    expect(sink.callCount).toBe(1);
    deliver(...Array.from({ length: 60 }, () => 'y'.repeat(999)));
    while (sink.callCount < 2) await new Promise(setImmediate);
    // Two records are full; the rest waits.
    expect(sink.pending.at(-1)!.lines).toHaveLength(50);
    delivery.drain();
    while (sink.callCount < 3) await new Promise(setImmediate);
    expect(sink.pending.at(-1)!.lines).toHaveLength(10);
  });

  /** Of 1,000 bytes each, one more than a record holds. */
  const RECORD = Array.from({ length: 26 }, () => 'z'.repeat(999));

  async function callOf(sink: ScriptedSink, count: number): Promise<PendingCall> {
    while (sink.callCount < count) await new Promise(setImmediate);
    return sink.pending.at(-1)!;
  }

  /** Packing takes a few turns of the event loop before it is seen as a call. */
  async function expectNoCallAfter(sink: ScriptedSink, count: number): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(sink.callCount).toBe(count);
  }

  test('wait for two more of them for each call that is under way, or for the flush interval', async () => {
    const { sink, deliver } = start({ packing: 'lines', limits: { maxCallsInFlight: 4 } });
    const deliverRecords = (count: number) => deliver(...Array.from({ length: count }, () => RECORD).flat());
    deliverRecords(1);
    const calls = [await callOf(sink, 1)];
    deliverRecords(2);
    await expectNoCallAfter(sink, 1);
    deliverRecords(1);
    calls.push(await callOf(sink, 2));
    expect(calls[1]!.lines.length).toBeGreaterThanOrEqual(3 * 25);
    deliverRecords(4);
    vi.advanceTimersByTime(99);
    await expectNoCallAfter(sink, 2);
    vi.advanceTimersByTime(1);
    calls.push(await callOf(sink, 3));
    // What goes at the flush interval is all that waits, not only the records that are full.
    expect(calls.flatMap(({ lines }) => lines)).toHaveLength(8 * RECORD.length);
  });

  test('that wait go when a call ends', async () => {
    const { sink, deliver } = start({ packing: 'lines', limits: { maxCallsInFlight: 4 } });
    deliver(...RECORD);
    const first = await callOf(sink, 1);
    deliver(...RECORD);
    await expectNoCallAfter(sink, 1);
    await first.accept();
    await callOf(sink, 2);
  });

  test('are packed anew when they were not taken', async () => {
    const { sink, deliver, counts } = start({ packing: 'gzip' });
    const request = deliver('a', 'b', 'c');
    vi.advanceTimersByTime(100);
    await (await sink.call()).reject([refusal(0, 'transient')]);
    vi.advanceTimersByTime(1_000);
    await (await sink.call()).accept();
    expect(request.outcome).toMatchObject(DELIVERED);
    expect(await counts()).toMatchObject({ delivered: 3, retried: 3 });
  });
});

describe('a request ends without being delivered', () => {
  test('at its deadline: its lines leave the queue, and a late acceptance is counted apart', async () => {
    const { sink, deliver, counts } = start({ limits: { maxRecordsPerCall: 2 } });
    const request = deliver('a', 'b', 'c');
    vi.advanceTimersByTime(24_999);
    await Promise.resolve();
    expect(request.outcome).toBeUndefined();
    vi.advanceTimersByTime(1);
    await request.done;
    expect(request.outcome).toMatchObject({ ending: 'deadline', refused: 0 });
    // The call under way still refers to the request's bytes.
    expect(request.isReferenced).toBe(true);
    const next = deliver('d');
    await sink.pending[0]!.accept();
    expect(request.isReferenced).toBe(false);
    expect(request.onUnreferenced).toHaveBeenCalledOnce();
    expect(sink.pending[0]!.lines).toEqual(['d']);
    await sink.pending[0]!.accept();
    expect(next.outcome).toMatchObject(DELIVERED);
    expect(await counts()).toMatchObject({ delivered: 1, late: 2, returned: 3 });
  });

  test('when its sender goes away', async () => {
    const { sink, deliver, counts, delivery } = start({ limits: { maxRecordsPerCall: 1 } });
    const request = deliver('a', 'b');
    request.gone();
    await request.done;
    expect(request.outcome).toMatchObject({ ending: 'aborted', refused: 0 });
    expect(delivery.linesInFlight).toBe(0);
    await sink.pending[0]!.reject([refusal(0, 'transient')]);
    vi.advanceTimersByTime(60_000);
    expect(sink.pending).toHaveLength(0);
    expect(await counts()).toMatchObject({ delivered: 0, late: 0, returned: 2 });
  });

  test('when stopping: its calls are aborted', async () => {
    const { sink, deliver, delivery, counts } = start();
    const request = deliver('a', 'b');
    await delivery.stop();
    expect(request.outcome).toMatchObject({ ending: 'stopping', refused: 0 });
    expect(sink.pending).toHaveLength(0);
    expect(request.isReferenced).toBe(false);
    expect(await counts()).toMatchObject({ returned: 2 });
    const late = deliver('c');
    await late.done;
    expect(late.outcome).toMatchObject({ ending: 'stopping', refused: 0 });
  });
});

describe('a call that is never answered', () => {
  test('keeps nobody out while there is room for others', async () => {
    const { sink, delivery, deliver } = start({ limits: { maxCallsInFlight: 2 } });
    deliver('never answered');
    for (let seconds = 0; seconds < 12; seconds++) {
      vi.advanceTimersByTime(1_000);
      expect(delivery.refusal()).toBeUndefined();
      const request = deliver('answered');
      await sink.pending[1]!.accept();
      expect(request.outcome).toMatchObject(DELIVERED);
    }
  });

  test('keeps others out when there is no room left', () => {
    const { delivery, deliver } = start({ limits: { maxCallsInFlight: 2 } });
    deliver('a');
    deliver('b');
    vi.advanceTimersByTime(900);
    expect(delivery.refusal()).toBeUndefined();
    vi.advanceTimersByTime(200);
    expect(delivery.refusal()).toBe('overloaded');
  });
});

describe('a sink that needs mending', () => {
  const missing = new SinkError('down', 'no such stream', { code: 'ResourceNotFoundException', mend: 'create it' });

  test('answers what is under delivery, then admits one request every 5 s until one gets through', async () => {
    const { sink, deliver, delivery, logged } = start();
    const first = deliver('a');
    await sink.pending[0]!.fail(missing);
    expect(first.outcome).toMatchObject({ ending: 'sink_down', refused: 0 });
    expect(delivery.isSinkUp).toBe(false);
    expect(delivery.refusal()).toBe('sink_down');
    vi.advanceTimersByTime(5_000);
    expect(delivery.refusal()).toBeUndefined();
    deliver('b');
    // What came in together with the probe is not sent, and does not end it.
    expect(delivery.refusal()).toBe('sink_down');
    const besides = deliver('besides');
    await besides.done;
    expect(besides.outcome).toMatchObject({ ending: 'sink_down', refused: 0 });
    await sink.pending[0]!.fail(missing);
    expect(logged.filter((line) => line.includes('level=error'))).toHaveLength(1);
    expect(logged[0]).toContain('mend="create it"');
    vi.advanceTimersByTime(5_000);
    expect(delivery.refusal()).toBeUndefined();
    const probe = deliver('c');
    await sink.pending[0]!.accept();
    expect(probe.outcome).toMatchObject(DELIVERED);
    expect([delivery.isSinkUp, delivery.refusal(), delivery.refusal()]).toEqual([true, undefined, undefined]);
    expect(logged.at(-1)).toContain('accepts records again');
  });

  test('is told from one that fails in passing, which is retried until the deadline', async () => {
    const { sink, deliver, delivery, logged } = start();
    const request = deliver('a');
    for (let attempt = 0; attempt < 5; attempt++) {
      await sink.pending[0]!.fail(new SinkError('transient', 'reset', { code: 'ECONNRESET' }));
      expect(delivery.isSinkUp).toBe(false);
      expect(delivery.refusal()).not.toBe('sink_down');
      vi.advanceTimersByTime(2_000);
    }
    await sink.pending[0]!.accept();
    expect(request.outcome).toMatchObject(DELIVERED);
    expect(logged.filter((line) => line.includes('level=warn'))).toHaveLength(1);
  });

  test('is logged again when something else needs mending', async () => {
    const { sink, deliver, logged } = start();
    const forbidden = new SinkError('down', 'not allowed', { code: 'AccessDeniedException', mend: 'allow it' });
    for (const failure of [missing, missing, forbidden]) {
      const request = deliver('x');
      await sink.pending[0]!.fail(failure);
      await request.done;
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(logged.map((line) => /mend="(.*)"/.exec(line)?.[1])).toEqual(['create it', 'allow it']);
  });
});

test('lines in flight and the oldest age are those of requests under delivery', async () => {
  const { sink, deliver, delivery } = start({ limits: { maxRecordsPerCall: 2 } });
  deliver('a', 'b', 'c');
  vi.advanceTimersByTime(1_500);
  deliver('d');
  expect([delivery.linesInFlight, delivery.oldestSeconds]).toEqual([4, 1.5]);
  await sink.pending[0]!.accept();
  expect(delivery.linesInFlight).toBe(2);
  await sink.pending[0]!.accept();
  expect([delivery.linesInFlight, delivery.oldestSeconds]).toEqual([0, 0]);
});
