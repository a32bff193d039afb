// npm run torture [-- [--write] [<file>...]]: the long form of test/torture, file by file, and its table; with --write also into docs/reliability.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cellsOf, HEADINGS, type RecordedRow } from '../test/torture/support/rows.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/reliability.md');
const BEGIN = '<!-- the table, by npm run torture -- --write -->';
const END = '<!-- the end of the table -->';

const given = process.argv.slice(2);
const names = given.filter((argument) => argument !== '--write');
const files = readdirSync(join(ROOT, 'test/torture'))
  .filter((file) => file.endsWith('.test.ts') && (names.length === 0 || names.some((name) => file.includes(name))))
  .sort();
if (names.length > 0 && given.includes('--write')) throw new Error('--write is for the whole table: give no names');
const directory = mkdtempSync(join(tmpdir(), 'torture-'));
const rowsFile = join(directory, 'rows.jsonl');
writeFileSync(rowsFile, '');

const failed = files.filter((file) => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const env = { ...process.env, TORTURE: process.env['TORTURE'] ?? 'long', TORTURE_ROWS: rowsFile };
  const { status } = spawnSync(process.execPath, [vitest, 'run', `test/torture/${file}`], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  return status !== 0;
});

const rows = readFileSync(rowsFile, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as RecordedRow);
rmSync(directory, { recursive: true });

const table = [HEADINGS, HEADINGS.map((_, index) => (index < 2 ? '---' : '---:')), ...rows.map(cellsOf)]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');
console.log(table);
const lost = rows.reduce((sum, row) => sum + row.lost, 0);
console.log(`${rows.length} rows, ${lost} samples lost${failed.length === 0 ? '' : `; FAILED: ${failed.join(', ')}`}`);
if (failed.length > 0 || rows.length === 0) process.exitCode = 1;
else if (given.includes('--write')) write();

function write(): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' and changes');
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for the table`);
  const what = `Taken on ${date} at commit ${commit}: ${machine}.`;
  writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${what}\n\n${table}\n\n${page.slice(to)}`);
}
