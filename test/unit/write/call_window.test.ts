import { expect, test } from 'vitest';
import { CallWindow } from '../../../src/write/call_window.ts';

test('opens by one call for each window of calls that got through, up to its most', () => {
  const window = new CallWindow(8);
  expect(window.calls).toBe(4);
  for (let call = 0; call < 5; call++) window.noteSuccess();
  expect(window.calls).toBe(5);
  for (let call = 0; call < 100; call++) window.noteSuccess();
  expect(window.calls).toBe(8);
});

test('halves once for all the calls that were under way when the sink throttled, down to one', () => {
  const window = new CallWindow(8);
  window.noteThrottled(0, 100);
  window.noteThrottled(50, 110);
  expect(window.calls).toBe(2);
  window.noteThrottled(120, 200);
  window.noteThrottled(210, 300);
  expect(window.calls).toBe(1);
});

test('is never more than the sink takes', () => {
  expect(new CallWindow(2).calls).toBe(2);
});

test('makes calls smaller where one at a time is too much, and larger again as they get through', () => {
  const window = new CallWindow(2);
  expect(window.share).toBe(1);
  for (let ms = 0; ms < 30; ms += 10) window.noteThrottled(ms, ms + 5);
  expect([window.calls, window.share]).toEqual([1, 0.25]);
  for (let ms = 100; ms < 200; ms += 10) window.noteThrottled(ms, ms + 5);
  expect([window.calls, window.share]).toEqual([1, 1 / 16]);
  for (let call = 0; call < 4; call++) window.noteSuccess();
  expect([window.calls, window.share]).toEqual([1, 1]);
});
