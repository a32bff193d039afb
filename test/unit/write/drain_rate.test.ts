import { expect, test } from 'vitest';
import { DrainRate } from '../../../src/write/drain_rate.ts';

const START = 1_700_000_000_250;

/** Accepts `perSecond` lines a second, in tenths, from START + `fromMs` on. */
function accept(rate: DrainRate, perSecond: number, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms < toMs; ms += 100) rate.noteAccepted(perSecond / 10, START + ms);
}

test('nothing is known of a sink that is not busy, nor within the first second', () => {
  const rate = new DrainRate();
  rate.noteAccepted(1_000, START);
  expect(rate.linesPerSecond(START)).toBeUndefined();
  rate.noteBusy(true, START);
  accept(rate, 1_000, 0, 900);
  expect(rate.linesPerSecond(START + 900)).toBeUndefined();
  accept(rate, 1_000, 900, 1_000);
  expect(rate.linesPerSecond(START + 1_000)).toBeCloseTo(1_000);
  rate.noteBusy(false, START + 1_100);
  expect(rate.linesPerSecond(START + 1_100)).toBeUndefined();
});

test('what is older than ten seconds is forgotten', () => {
  const rate = new DrainRate();
  rate.noteBusy(true, START);
  accept(rate, 5_000, 0, 10_000);
  expect(rate.linesPerSecond(START + 10_000)! / 5_000).toBeCloseTo(1, 1);
  accept(rate, 1_000, 10_000, 20_000);
  expect(rate.linesPerSecond(START + 20_000)! / 1_000).toBeCloseTo(1, 1);
  expect(rate.linesPerSecond(START + 40_000)).toBe(0);
});

test('a time that stands still is no new start', () => {
  const rate = new DrainRate();
  rate.noteBusy(true, START);
  accept(rate, 100, 0, 3_000);
  rate.noteBusy(true, START + 3_000);
  expect(rate.linesPerSecond(START + 3_000)).toBeCloseTo(100, -1);
});
