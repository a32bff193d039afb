import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lines } from '../../../src/record.ts';
import { LineQueue, type Room, type Waiting } from '../../../src/write/batch.ts';
import { linesOf } from '../../support/lines.ts';
import { linesOfBatch } from '../../support/scripted_sink.ts';

const ROOM: Room = { lines: 3, bytes: 100, overheadBytesPerLine: 8 };

function waiting(lines: Lines, queuedAtMs = 0): Waiting {
  return { lines, queuedAtMs, ranges: [] };
}

function queueOf(...requests: Waiting[]): LineQueue<Waiting> {
  const queue = new LineQueue<Waiting>();
  for (const request of requests) queue.add(request);
  return queue;
}

describe('batches', () => {
  test('close on count, oldest request first', () => {
    const queue = queueOf(waiting(linesOf(['a', 'b'])), waiting(linesOf(['c', 'd'])));
    expect(queue.fills(ROOM)).toBe(true);
    expect(linesOfBatch(queue.take(ROOM))).toEqual(['a', 'b', 'c']);
    expect(queue.fills(ROOM)).toBe(false);
    expect(linesOfBatch(queue.take(ROOM))).toEqual(['d']);
    expect(queue.count).toBe(0);
    expect(queue.take(ROOM)).toEqual([]);
  });

  test('close on bytes, the overhead of each record counted', () => {
    const queue = queueOf(waiting(linesOf(['x'.repeat(41), 'y'.repeat(41), 'z'])));
    expect(queue.fills(ROOM)).toBe(true);
    // 42 + 8 and 42 + 8 bytes are exactly the limit.
    expect(linesOfBatch(queue.take(ROOM))).toHaveLength(2);
    expect(queue.fills(ROOM)).toBe(false);
  });

  test('hold at least one line, however long', () => {
    const queue = queueOf(waiting(linesOf(['x'.repeat(200), 'y'])));
    expect(linesOfBatch(queue.take(ROOM))).toHaveLength(1);
    expect(queue.bytes).toBe(2);
  });

  test('take what was put back first, in the order of arrival', () => {
    const first = waiting(linesOf(['a', 'b', 'c']));
    const second = waiting(linesOf(['d', 'e']));
    const queue = queueOf(first, second);
    queue.take(ROOM);
    expect(linesOfBatch(queue.take(ROOM))).toEqual(['d', 'e']);
    queue.putBack(second, { from: 0, to: 1 });
    queue.putBack(first, { from: 2, to: 3 });
    queue.putBack(first, { from: 0, to: 1 });
    expect(linesOfBatch(queue.take(ROOM))).toEqual(['a', 'c', 'd']);
  });

  test('forget a request that is removed', () => {
    const first = waiting(linesOf(['a', 'b', 'c', 'd']), 5);
    const second = waiting(linesOf(['e']), 7);
    const queue = queueOf(first, second);
    queue.take(ROOM);
    expect(queue.oldestQueuedAtMs).toBe(5);
    queue.remove(first);
    expect(queue.oldestQueuedAtMs).toBe(7);
    expect(linesOfBatch(queue.take(ROOM))).toEqual(['e']);
    expect(queue.oldestQueuedAtMs).toBeUndefined();
  });

  test('hold every line exactly once and keep the limits, whatever is put back', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 80 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(texts, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.boolean()),
        (requests, coin) => {
          const expected = requests.flatMap((lines, request) => lines.map((_, index) => `${request}/${index}`));
          const queue = new LineQueue<Waiting>();
          requests.forEach((lines, request) => {
            queue.add(waiting(linesOf(lines.map((_, index) => `${request}/${index}`)), request));
          });
          const taken: string[] = [];
          for (let batch = queue.take(ROOM); batch.length > 0; batch = queue.take(ROOM)) {
            const lines = linesOfBatch(batch);
            expect(lines.length).toBeLessThanOrEqual(ROOM.lines);
            for (const { request, from, to } of batch) {
              for (let index = from; index < to; index++) {
                const line = lines.shift()!;
                if (coin.next().value === true) queue.putBack(request, { from: index, to: index + 1 });
                else taken.push(line);
              }
            }
          }
          expect(taken.toSorted()).toEqual(expected.toSorted());
          expect(queue.count).toBe(0);
        },
      ),
    );
  });
});
