import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';
import { cellsOf, HEADINGS, type RecordedRow, type Row } from './rows.ts';

/** Prints a row, appends it to the file that TORTURE_ROWS names, a line of JSON each, and then holds it to what every row must keep. */
export function record(row: Row): void {
  console.log(`torture: ${HEADINGS.map((heading, index) => `${heading} ${cellsOf(row)[index]}`).join(' | ')}`);
  const file = process.env['TORTURE_ROWS'];
  if (file !== undefined) {
    const recorded: RecordedRow = { file: basename(expect.getState().testPath ?? ''), ...row };
    appendFileSync(file, `${JSON.stringify(recorded)}\n`);
  }
  expect(row.sent).toBeGreaterThan(0);
  expect(row.acknowledged).toBe(row.sent);
  expect(row.lost).toBe(0);
  expect(row.peakMib).toBeGreaterThan(0);
  expect(row.peakMib).toBeLessThanOrEqual(row.ceilingMib);
}
