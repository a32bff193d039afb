import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWebConfig } from '../../src/web/load.ts';
import { findProgram, run } from '../support/processes.ts';
import { WEB_CONFIG_CASES, writeWebConfigCases, type WebConfigCase } from '../support/web_config_cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'web-config-'));
let paths: string[] = [];
const all = WEB_CONFIG_CASES.map((each, index) => ({ ...each, index }));

beforeAll(async () => {
  paths = await writeWebConfigCases(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = async (path: string): Promise<string | undefined> => {
  try {
    await loadWebConfig(path, { files: new Map(), mayBeEmpty: true });
    return undefined;
  } catch (error) {
    return String(error);
  }
};

test.each(all)('$name: is taken where a promtool takes it', async ({ index, takenBy, refused }) => {
  const path = paths[index]!;
  const problem = await start(path);
  if (takenBy !== 'neither' && refused === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(`ConfigError: --web.config.file (WEB_CONFIG_FILE): ${path}: ${refused ?? ''}`);
});

const PROMTOOLS = [
  {
    version: '2.42',
    path: findProgram('promtool'),
    missing: 'promtool not found; on Debian: apt-get install prometheus',
  },
  { version: '3.5', path: process.env['PROMTOOL3'], missing: 'PROMTOOL3 is not set: promtool 3.5, from Debian sid' },
] as const;

describe.each(PROMTOOLS)('promtool $version', ({ version, path, missing }) => {
  const isRequired = process.env['PROMETHEUS_REQUIRED'] !== undefined && version === '2.42';
  if (path === undefined && !isRequired) console.warn(`SKIPPED: web configurations: ${missing}`);

  test.skipIf(path === undefined && !isRequired)('says of each configuration what the table says', async () => {
    if (path === undefined) throw new Error(missing);
    const { stdout, stderr } = await run(path, { args: ['--version'] });
    expect(stdout + stderr).toContain(`version ${version}`);
    const answers = await run(path, { args: ['check', 'web-config', ...paths] });
    const said = answers.stdout + answers.stderr;
    const verdict = ({ index }: { readonly index: number }) => {
      if (said.includes(`${paths[index]!} SUCCESS`)) return 'takes it';
      return said.includes(`${paths[index]!} FAILED`) ? 'refuses it' : 'says nothing';
    };
    const takes = ({ takenBy }: WebConfigCase) => takenBy === 'both' || takenBy === `${version} only`;
    expect(all.map((each) => [each.name, verdict(each)])).toEqual(
      all.map((each) => [each.name, takes(each) ? 'takes it' : 'refuses it']),
    );
  });
});
