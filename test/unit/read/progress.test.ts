import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { showProgress } from '../../../src/read/progress.ts';
import { collector } from '../../support/query_archive.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const ERASE = '\r\u001b[K';

it('progress is shown after a second, and taken away at the end', () => {
  const { stdout: terminal, text } = collector();
  let status = 'running';
  const progress = showProgress(terminal, () => status);
  vi.advanceTimersByTime(999);
  expect(text()).toBe('');
  vi.advanceTimersByTime(1);
  expect(text()).toBe(`${ERASE}running, 1 s`);
  status = 'running 41%';
  vi.advanceTimersByTime(200);
  expect(text()).toBe(`${ERASE}running, 1 s${ERASE}running 41%, 1 s`);
  progress.stop();
  expect(text().endsWith(`1 s${ERASE}`)).toBe(true);
  vi.advanceTimersByTime(10_000);
  progress.erase();
  expect(text().endsWith(`1 s${ERASE}`)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('progress makes room for rows and comes back', () => {
  const { stdout: terminal, text } = collector();
  const progress = showProgress(terminal, () => 'running 5%');
  progress.erase();
  expect(text()).toBe('');
  vi.advanceTimersByTime(1_000);
  progress.erase();
  expect(text()).toBe(`${ERASE}running 5%, 1 s${ERASE}`);
  vi.advanceTimersByTime(2_000);
  expect(text()).toMatch(/running 5%, 3 s$/);
  progress.stop();
});

it('a query that is quick shows none', () => {
  const { stdout: terminal, text } = collector();
  const progress = showProgress(terminal, () => 'running 5%');
  vi.advanceTimersByTime(500);
  progress.stop();
  expect(text()).toBe('');
  expect(vi.getTimerCount()).toBe(0);
});
