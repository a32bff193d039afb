import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLI } from '../support/adapter.ts';
import { e2eDirectory } from '../support/e2e_directory.ts';
import { LIBRARY } from '../support/library.ts';
import { run } from '../support/processes.ts';
import { sampleLine, writeArchiveFile } from '../support/query_archive.ts';

/** `query "$(cat athena/queries/….sql)"`, as README.md has it: the text begins with a comment, and so as an option does. */

const { directory } = e2eDirectory();

test('a file of the library runs as it is, with options before and behind it', async () => {
  const archive = mkdtempSync(join(directory, 'archive-'));
  const at = Date.UTC(2026, 10, 20, 10, 30);
  writeArchiveFile(archive, '2026/11/20/10/a.json.gz', [[sampleLine('up', at), sampleLine('up', at + 15_000)]]);
  const { sql } = LIBRARY.get('cardinality_by_name')!;
  expect(sql).toMatch(/^-- /);
  const args = [CLI, 'query', '--archive-dir', archive, sql, '--format', 'csv'];
  const { code, stdout, stderr } = await run(process.execPath, { args });
  expect({ code, stdout: stdout.split(/\r?\n/), stderr }).toEqual({
    code: 0,
    stdout: ['name,series,samples', 'up,1,2', ''],
    stderr: '',
  });
});

test('what is no option, and no comment either, is refused', async () => {
  const { code, stderr } = await run(process.execPath, { args: [CLI, 'query', '--unknown', 'SELECT 1'] });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown option') as string });
});
