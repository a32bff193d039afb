import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SinkError } from '../../src/errors.ts';
import type { Batch, Sink, SinkLimits } from '../../src/sinks/sink.ts';
import { batchOf, linesOf } from '../support/lines.ts';

export interface SinkHarness {
  readonly sink: Sink;
  /** Every line that the destination holds, without its newline, in no promised order. */
  readLines(): Promise<string[]>;
  /** Closes the sink, then the destination and all that was started for it. Called once. */
  close(): Promise<void>;
}

/** What every sink must do, whatever stands behind it. `start` gives a new sink on an empty destination each time. */
export function describeSinkContract(name: string, start: () => Promise<SinkHarness>): void {
  describe(`the sink contract: ${name}`, () => {
    let harness: SinkHarness;
    let closed: boolean;

    beforeEach(async () => {
      harness = await start();
      closed = false;
    });
    afterEach(async () => {
      if (!closed) await harness.close();
    });

    const send = (batch: Batch) => harness.sink.send(batch, new AbortController().signal);
    const close = async () => {
      closed = true;
      await harness.close();
    };

    test.each(goodBatches())('accepts $title and holds it byte for byte', async ({ batch, texts }) => {
      expect(await send(batch)).toEqual([]);
      expect(sorted(await harness.readLines())).toEqual(sorted(texts));
    });

    test('accepts a batch of nothing', async () => {
      expect(await send([])).toEqual([]);
      expect(await send([{ lines: linesOf([]), from: 0, to: 0 }])).toEqual([]);
      expect(await send([{ lines: linesOf(['a', 'b']), from: 1, to: 1 }])).toEqual([]);
      expect(await harness.readLines()).toEqual([]);
    });

    test.each(['records', 'bytes', 'bytes less one', 'line'] as const)(
      'accepts as much as its limits say: %s',
      async (what) => {
        const texts = fullBatch(harness.sink.limits, what);
        expect(await send(batchOf(texts))).toEqual([]);
        expectSameLines(await harness.readLines(), texts);
      },
    );

    test('answers only when the lines can be read back', async () => {
      for (let round = 0; round < 5; round++) {
        const texts = numbered(`round ${round}`, 20);
        expect(await send(batchOf(texts))).toEqual([]);
        expect(await harness.readLines()).toEqual(expect.arrayContaining(texts));
      }
    });

    test('takes as many calls at once as its limits say', async () => {
      const { maxCallsInFlight } = harness.sink.limits;
      const sent: string[] = [];
      for (let wave = 0; wave < 5; wave++) {
        const calls = Array.from({ length: Math.min(maxCallsInFlight, 64) }, (_, call) =>
          numbered(`wave ${wave} call ${call}`, 50),
        );
        const answers = await Promise.all(calls.map((texts) => send(batchOf(texts))));
        expect(answers.flat()).toEqual([]);
        sent.push(...calls.flat());
      }
      expectSameLines(await harness.readLines(), sent);
    });

    test('leaves the bytes of the batch as they were', async () => {
      const batch: Batch = [
        { lines: linesOf(numbered('first', 30)), from: 3, to: 30 },
        { lines: linesOf(numbered('second', 30)), from: 0, to: 7 },
      ];
      const before = structuredClone(batch);
      await send(batch);
      expect(batch).toEqual(before);
    });

    test('refuses a call that is aborted already, and takes the next one', async () => {
      await expect(harness.sink.send(batchOf(['{"aborted":1}']), AbortSignal.abort())).rejects.toBeInstanceOf(Error);
      const texts = numbered('after the aborted call', 10);
      expect(await send(batchOf(texts))).toEqual([]);
      expect(await harness.readLines()).toEqual(expect.arrayContaining(texts));
    });

    test('survives calls that are aborted under way', async () => {
      for (let round = 0; round < 10; round++) {
        const aborter = new AbortController();
        const call = harness.sink.send(batchOf(numbered(`aborted ${round}`, 100)), aborter.signal);
        // Each round lets the call come a little further; whichever way it ends, it ends.
        for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
        aborter.abort();
        await call.catch((error: unknown) => {
          expect(error).toBeInstanceOf(Error);
        });
      }
      const texts = numbered('after the aborted calls', 10);
      expect(await send(batchOf(texts))).toEqual([]);
      expect(await harness.readLines()).toEqual(expect.arrayContaining(texts));
    });

    test('refuses a call after its end', async () => {
      await send(batchOf(['{"before":1}']));
      await close();
      await expect(send(batchOf(['{"after":1}']))).rejects.toBeInstanceOf(SinkError);
    });

    test('leaves nothing open behind', async () => {
      await send(batchOf(['{"first":1}']));
      await close();
      const before = openHandles();
      for (let round = 0; round < 3; round++) {
        const another = await start();
        await another.sink.send(batchOf(['{"another":1}']), new AbortController().signal);
        await another.close();
      }
      // A socket that was destroyed goes with the next turns of the event loop; vi.waitFor would add timers of its own.
      const deadline = performance.now() + 5_000;
      while (moreThan(before).length > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(moreThan(before)).toEqual([]);
    });
  });
}

interface GoodBatch {
  readonly title: string;
  readonly batch: Batch;
  readonly texts: readonly string[];
}

function goodBatches(): GoodBatch[] {
  const first = numbered('first request', 12);
  const second = numbered('second request', 5);
  const third = numbered('third request', 9);
  const lines = { first: linesOf(first), second: linesOf(second), third: linesOf(third) };
  const whole = (title: string, texts: readonly string[]): GoodBatch => ({ title, batch: batchOf(texts), texts });
  return [
    whole('one line', ['{"name":"up","time":1513264725773,"value":1,"labels":{"__name__":"up","job":"node"}}']),
    whole('500 lines', numbered('many', 500)),
    whole('lines that are the same', ['{"twice":1}', '{"twice":1}']),
    whole('special UTF-8', SPECIAL_TEXTS),
    {
      title: 'spans of several requests',
      batch: [
        { lines: lines.first, from: 0, to: 12 },
        { lines: lines.second, from: 0, to: 5 },
        { lines: lines.third, from: 0, to: 9 },
      ],
      texts: [...first, ...second, ...third],
    },
    {
      title: 'the end of one request, the middle and the start of others',
      batch: [
        { lines: lines.first, from: 7, to: 12 },
        { lines: lines.second, from: 1, to: 4 },
        { lines: lines.third, from: 0, to: 2 },
      ],
      texts: [...first.slice(7), ...second.slice(1, 4), ...third.slice(0, 2)],
    },
    {
      title: 'two spans of one request, and an empty one between',
      batch: [
        { lines: lines.first, from: 10, to: 12 },
        { lines: lines.first, from: 5, to: 5 },
        { lines: lines.first, from: 0, to: 1 },
      ],
      texts: [...first.slice(10), ...first.slice(0, 1)],
    },
  ];
}

const SPECIAL_TEXTS = [
  '{"a":"é ß ñ 日本語 한국어"}',
  '{"b":"😀 👩‍👩‍👧 \u{10ffff}"}',
  '{"c":"\u2028 \u2029 \u0085 \ufeff \ufffd"}',
  '{"d":"\\n \\r \\t \\u0000 \\\\ \\""}',
  '{"e":"\u007f \r \t \u0080"}',
];

function numbered(title: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify({ name: title, time: index, value: index / 7 }));
}

/** Lines that reach the named limit exactly and stay within the others. */
function fullBatch(limits: SinkLimits, what: 'records' | 'bytes' | 'bytes less one' | 'line'): string[] {
  const { maxRecordsPerCall, maxBytesPerCall, maxRecordBytes, overheadBytesPerRecord } = limits;
  if (what === 'line') return [padded(0, maxRecordBytes - 1)];
  // Where the count is no real limit, more lines than any batch has.
  if (what === 'records') return numbered('full', Math.min(maxRecordsPerCall, 20_000));
  let left = what === 'bytes' ? maxBytesPerCall : maxBytesPerCall - 1;
  const count = Math.ceil(left / (maxRecordBytes + overheadBytesPerRecord));
  return Array.from({ length: count }, (_, index) => {
    const size = Math.floor(left / (count - index));
    left -= size;
    return padded(index, size - overheadBytesPerRecord - 1);
  });
}

/** A line of `size` bytes without its newline. */
function padded(index: number, size: number): string {
  const head = `{"index":${index},"pad":"`;
  return `${head}${'0123456789abcdef'.repeat(Math.ceil(size / 16)).slice(0, size - head.length - 2)}"}`;
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort();
}

/** As toEqual, without its difference of megabytes. */
function expectSameLines(actual: readonly string[], expected: readonly string[]): void {
  expect(actual.length).toBe(expected.length);
  expect(sorted(actual).join('\n') === sorted(expected).join('\n')).toBe(true);
}

/** How many there are of each kind of what keeps the process alive, and on Linux of open files, sockets and pipes. */
function openHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  if (process.platform === 'linux') counts.set('file descriptor', readdirSync('/proc/self/fd').length);
  for (const kind of process.getActiveResourcesInfo()) {
    // Requests end by themselves; vitest has some of its own.
    if (!/Req|WriteWrap|ShutdownWrap|Immediate/.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function moreThan(before: ReadonlyMap<string, number>): string[] {
  return [...openHandles()].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}
