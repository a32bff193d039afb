import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../support/adapter.ts';
import { run } from '../support/processes.ts';

/** The list of what a release is made of, held against the lock file. */

interface Component {
  readonly name: string;
  readonly version: string;
  readonly scope: 'required' | 'optional';
  readonly purl: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Locked {
  readonly version: string;
  readonly license: string;
  readonly integrity: string;
  readonly dev?: true;
  readonly optional?: true;
}

const FILE = 'dist/sbom.cdx.json';
const { name, version, dependencies } = readJson('package.json') as {
  name: string;
  version: string;
  dependencies: Record<string, string>;
};

let bytes: string;
let sbom: Sbom;

beforeAll(async () => {
  bytes = await writeSbom();
  sbom = JSON.parse(bytes) as Sbom;
});

test('lists every production package of the lock file with version, licence and hash, and no other', () => {
  const { packages } = readJson('package-lock.json') as { packages: Record<string, Locked> };
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const wanted = production.map(([path, { version, license, integrity, optional }]) => ({
    name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version,
    license,
    sha512: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
    scope: optional ? 'optional' : 'required',
  }));
  const listed = sbom.components.map(({ name, version, licenses, hashes, scope }) => ({
    name,
    version,
    license: licenses[0]!.license.id,
    sha512: hashes.find(({ alg }) => alg === 'SHA-512')?.content,
    scope,
  }));
  expect(listed.sort(byName)).toEqual(wanted.sort(byName));
  expect(listed.length).toBeGreaterThan(100);
});

test('says what it is of, and what that depends on', () => {
  expect(sbom.bomFormat).toBe('CycloneDX');
  expect(sbom.metadata.component).toMatchObject({ name, version });
  const [own] = sbom.dependencies;
  expect(own!.dependsOn).toEqual(Object.entries(dependencies).map(([name, version]) => `${name}@${version}`));
});

test('is the same whenever it is written', async () => {
  expect(await writeSbom()).toBe(bytes);
});

test('is in the package', async () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await run('npm', { args, cwd: ROOT });
  const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
  expect(pack!.files.map(({ path }) => path)).toContain(FILE);
});

async function writeSbom(): Promise<string> {
  const { code, stderr } = await run(process.execPath, { args: ['scripts/sbom.js'], cwd: ROOT });
  expect(code, stderr).toBe(0);
  return readFileSync(join(ROOT, FILE), 'utf8');
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
