import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPTIONS } from '../../src/config.ts';
import type { Option } from '../../src/option.ts';
import { COMPACT_OPTIONS } from '../../src/read/compact_options.ts';
import { QUERY_OPTIONS } from '../../src/read/query_options.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The options as the README has them: a table made from the code. */
function optionsTable(options: Readonly<Record<string, Option<unknown>>>): string {
  const rows = Object.values(options).map(({ flag, alias, env, default: preset, unset, help }) => {
    const flags = [flag, alias].filter((name) => name !== undefined).map((name) => `\`${name}\``);
    return `| ${flags.join(', ')} | ${env === undefined ? '' : `\`${env}\``} | ${preset === undefined ? (unset ?? '') : `\`${preset}\``} | ${help} |`;
  });
  return ['| flag | environment | default | |', '|---|---|---|---|', ...rows].join('\n');
}

test.each([
  ['serve', OPTIONS],
  ['query', QUERY_OPTIONS],
  ['compact', COMPACT_OPTIONS],
])('the options of %s stand in the README as they are in the code', (_, options) => {
  expect(readme).toContain(optionsTable(options));
});

test('the README names the two commands', () => {
  expect(readme).toContain('\n    npm ci && npm start\n');
  expect(readme).toContain('`npm ci && npm test`');
});
