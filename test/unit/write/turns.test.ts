import { expect, test } from 'vitest';
import { Turns } from '../../../src/write/turns.ts';

const TURN_MS = 10;

/** Turns by a clock that only the work moves. */
function createTurns() {
  let nowMs = 0;
  const turns = new Turns(() => nowMs);
  return { turns, spend: (ms: number) => void (nowMs += ms) };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('work is done at once while the turn has time left, and what comes then waits for the next, in its order', async () => {
  const { turns, spend } = createTurns();
  const done: string[] = [];
  const work = (name: string, ms: number) => turns.run(() => (spend(ms), done.push(name)));
  const all = [work('a', 4), work('b', 4), work('c', 4), work('d', TURN_MS), work('e', 1)];
  expect(done).toEqual(['a', 'b', 'c']);
  await nextTurn();
  expect(done).toEqual(['a', 'b', 'c', 'd']);
  // It waits behind what came before it, whatever time is left.
  all.push(work('f', 1));
  await nextTurn();
  expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a turn that nothing came in is not used up', async () => {
  const { turns, spend } = createTurns();
  await turns.run(() => spend(TURN_MS));
  await nextTurn();
  let isDone = false;
  const run = turns.run(() => (isDone = true));
  expect(isDone).toBe(true);
  await run;
});

test('rejects with what the work throws, and goes on', async () => {
  const { turns, spend } = createTurns();
  const fail = (): never => {
    spend(TURN_MS);
    throw new Error('spoilt');
  };
  const first = turns.run(fail);
  const second = turns.run(fail);
  const third = turns.run(() => 'well');
  await expect(first).rejects.toThrow('spoilt');
  await expect(second).rejects.toThrow('spoilt');
  expect(await third).toBe('well');
});
