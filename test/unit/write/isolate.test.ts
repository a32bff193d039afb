import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SinkError } from '../../../src/errors.ts';
import { countRecords, spanBytes, type Span } from '../../../src/sinks/sink.ts';
import { isolate } from '../../../src/write/isolate.ts';
import { batchOf, textsOf } from '../../support/lines.ts';

const refusal = new SinkError('refused', 'no', { code: 'ValidationException' });
const texts = (spans: readonly Span[]) => spans.flatMap((span) => textsOf(spanBytes(span)));

/** A sink that refuses every call with a bad line in it. */
function sinkThatRefuses(isBad: (text: string) => boolean) {
  const calls: string[][] = [];
  return {
    calls,
    send: (spans: readonly Span[]) => {
      calls.push(texts(spans));
      return texts(spans).some(isBad) ? Promise.reject(refusal) : Promise.resolve([]);
    },
    fits: (spans: readonly Span[]) => countRecords(spans) <= 500,
  };
}

describe('a call that was refused as a whole', () => {
  test('is sent in ever smaller parts until only what is bad is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(1_199), { minLength: 1, maxLength: 6 }), async (bad) => {
        const all = Array.from({ length: 1_200 }, (_, index) => String(index));
        const sink = sinkThatRefuses((text) => bad.includes(Number(text)));
        const { accepted, refused, rest, error } = await isolate(
          [...batchOf(all.slice(0, 700)), ...batchOf(all.slice(700))],
          sink,
        );
        expect(error).toBeUndefined();
        expect(rest).toEqual([]);
        expect(texts(refused).map(Number).toSorted()).toEqual(bad.toSorted());
        expect(texts(accepted)).toEqual(all.filter((text) => !bad.includes(Number(text))));
        for (const call of sink.calls) expect(call.length).toBeLessThanOrEqual(500);
      }),
      { numRuns: 30 },
    );
  });

  test('is given up soon when nothing is ever accepted', async () => {
    const all = Array.from({ length: 500 }, (_, index) => String(index));
    const sink = sinkThatRefuses(() => true);
    const { accepted, refused, rest, error } = await isolate(batchOf(all), sink);
    expect([accepted, error]).toEqual([[], undefined]);
    expect(texts([...refused, ...rest])).toHaveLength(500);
    expect(sink.calls.length).toBeLessThanOrEqual(25);
  });

  test('keeps what is left when the sink fails otherwise meanwhile', async () => {
    const reset = new SinkError('transient', 'reset', { code: 'ECONNRESET' });
    let calls = 0;
    const { accepted, refused, rest, error } = await isolate(batchOf(['a', 'b', 'c', 'd']), {
      fits: () => true,
      send: () => Promise.reject(++calls < 2 ? refusal : reset),
    });
    expect(error).toBe(reset);
    expect([accepted, refused]).toEqual([[], []]);
    expect(texts(rest).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('leaves records that were only throttled for later', async () => {
    const throttled = {
      index: 1,
      failure: 'throttled',
      code: 'ProvisionedThroughputExceededException',
      message: '',
    } as const;
    const { accepted, refused, rest } = await isolate(batchOf(['a', 'b', 'c']), {
      fits: () => true,
      send: () => Promise.resolve([throttled]),
    });
    expect([texts(accepted), texts(refused), texts(rest)]).toEqual([['a', 'c'], [], ['b']]);
  });
});
