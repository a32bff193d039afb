import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The cells of each row of a table; numbers without their signs and commas. */
function cells(table: string): (string | number)[][] {
  return table
    .trim()
    .split('\n')
    .map((row) =>
      row.split('|').map((cell) => {
        const number = Number(cell.replaceAll(/[$,\s]/g, ''));
        return cell.trim() === '' || Number.isNaN(number) ? cell.trim() : number;
      }),
    );
}

test("the README's table of costs is what the script computes", () => {
  const script = fileURLToPath(new URL('../../scripts/monthly-cost.js', import.meta.url));
  const computed = cells(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /\| packing \| path [\s\S]*?(?=\n\n)/.exec(readme)?.[0] ?? '';
  const written = cells(table);
  expect(written.map((row) => row.length)).toEqual(computed.map((row) => row.length));
  computed.flat().forEach((cell, index) => {
    const other = written.flat()[index];
    // zlib compresses a little differently from version to version.
    if (typeof cell === 'number') expect(Math.abs(Number(other) / cell - 1)).toBeLessThan(0.05);
    else expect(other).toBe(cell);
  });
});
