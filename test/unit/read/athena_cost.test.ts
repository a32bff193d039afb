import { expect, test } from 'vitest';
import type { Execution } from '../../../src/read/athena_api.ts';
import { costOf, dollarsText, sizeText, summaryOf } from '../../../src/read/athena_cost.ts';

const SELECT: Execution = {
  id: '0d1f',
  state: 'SUCCEEDED',
  reason: '',
  statementType: 'DML',
  scannedBytes: 0,
  totalMs: 1_234,
};

test.each<[string, Partial<Execution>, number]>([
  ['a TB', { scannedBytes: 1e12 }, 5],
  ['a GB', { scannedBytes: 1e9 }, 0.005],
  ['a part of a megabyte, as a whole one', { scannedBytes: 20_000_001 }, 0.000_105],
  ['less than 10 MB, as 10 MB', { scannedBytes: 1 }, 0.000_05],
  ['10 MB', { scannedBytes: 10_000_000 }, 0.000_05],
  ['a SELECT without a table, as 10 MB', {}, 0.000_05],
  ['DDL', { statementType: 'DDL' }, 0],
  ['CREATE TABLE AS SELECT, which is DDL too', { statementType: 'DDL', scannedBytes: 1e12 }, 5],
  ['SHOW', { statementType: 'UTILITY' }, 0],
  ['what failed', { state: 'FAILED', scannedBytes: 1e12 }, 0],
  ['what was cancelled, by what it had scanned', { state: 'CANCELLED', scannedBytes: 2e12 }, 10],
  ['what was cancelled before it scanned anything', { state: 'CANCELLED' }, 0],
])('the cost of %s', (_, part, dollars) => {
  expect(costOf({ ...SELECT, ...part })).toBeCloseTo(dollars, 12);
});

test.each([
  [0.000_05, '$0.00005'],
  [0.000_105, '$0.00011'],
  [0.006_17, '$0.0062'],
  [0.1, '$0.10'],
  [0.999, '$1.00'],
  [1, '$1.00'],
  [12.345, '$12.35'],
  [1_234.5, '$1234.50'],
])('%d dollars are %s', (dollars, text) => {
  expect(dollarsText(dollars)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1 kB'],
  [1_234, '1.23 kB'],
  [999_499, '999 kB'],
  [999_500, '1 MB'],
  [12_345_678, '12.3 MB'],
  [1.5e9, '1.5 GB'],
  [2e12, '2 TB'],
  [3e18, '3000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each<[string, Partial<Execution>, string]>([
  [
    'that succeeded',
    { scannedBytes: 1_234_567_890 },
    'athena: 1.23 GB scanned in 1.2 s, about $0.0062 (at $5 a TB, the price of us-east-1), query 0d1f',
  ],
  [
    'that failed',
    { state: 'FAILED', scannedBytes: 5e6 },
    'athena: failed, 5 MB scanned in 1.2 s, no charge, query 0d1f',
  ],
  [
    'that was cancelled',
    { state: 'CANCELLED', scannedBytes: 4e11, totalMs: 61_000 },
    'athena: cancelled, 400 GB scanned in 61.0 s, about $2.00 (at $5 a TB, the price of us-east-1), query 0d1f',
  ],
])('the summary of a query %s', (_, part, text) => {
  expect(summaryOf({ ...SELECT, ...part })).toBe(text);
});
