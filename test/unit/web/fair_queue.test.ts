import { expect, test } from 'vitest';
import { FairQueue } from '../../../src/web/fair_queue.ts';

const drain = (queue: FairQueue<string>) => Array.from({ length: queue.size }, () => queue.shift());

test('turns go round', () => {
  const queue = new FairQueue<string>(10);
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) expect(queue.push(item.charAt(0), item)).toBeUndefined();
  expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  expect(queue.shift()).toBeUndefined();
});

test('who has most waiting makes room, its own newest first', () => {
  const queue = new FairQueue<string>(3);
  for (const item of ['a1', 'a2', 'a3']) queue.push('a', item);
  expect(queue.push('a', 'a4')).toBe('a4');
  expect(queue.push('b', 'b1')).toBe('a3');
  expect(queue.push('c', 'c1')).toBe('a2');
  expect(queue.size).toBe(3);
  expect(drain(queue)).toEqual(['a1', 'b1', 'c1']);
});

test('of several who have as much waiting, the one whose turn is last makes room: what has waited longest keeps its turn', () => {
  const queue = new FairQueue<string>(2);
  queue.push('a', 'a1');
  queue.push('b', 'b1');
  expect(queue.push('c', 'c1')).toBe('c1');
  expect(queue.shift()).toBe('a1');
  expect(queue.push('d', 'd1')).toBeUndefined();
  expect(drain(queue)).toEqual(['b1', 'd1']);
});
