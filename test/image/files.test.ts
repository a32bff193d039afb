import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What is in the image, and what is not. */

const { IMAGE_ROOT = '', IMAGE_BASE = '' } = process.env;
const APP = join(IMAGE_ROOT, 'app');
const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_ALL = 0o444;
const SEARCHABLE_BY_ALL = 0o555;

interface File {
  /** Below the root that was walked. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 for a folder. */
  readonly size: number;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

function filesBelow(root: string, isLeftOut: (path: string) => boolean = () => false, above = ''): File[] {
  return readdirSync(join(root, above)).flatMap((name) => {
    const path = `${above}/${name}`;
    if (isLeftOut(path)) return [];
    const stat = lstatSync(join(root, path));
    const isFolder = stat.isDirectory();
    const file = {
      path,
      ...{ mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, size: isFolder ? 0 : stat.size },
      ...{ isFolder, isLink: stat.isSymbolicLink() },
    };
    return isFolder ? [file, ...filesBelow(root, isLeftOut, path)] : [file];
  });
}

test('outside /app it is its base: no cache, no settings of npm, nothing that the build left', () => {
  const isLeftOut = (path: string) => path === '/app';
  const texts = (root: string) => filesBelow(root, isLeftOut).map((file) => JSON.stringify(file));
  const base = new Set(texts(IMAGE_BASE));
  const image = new Set(texts(IMAGE_ROOT));
  expect(base.size).toBeGreaterThan(1_000);
  expect([...image].filter((file) => !base.has(file))).toEqual([]);
  expect([...base].filter((file) => !image.has(file))).toEqual([]);
});

test('everything in /app is root’s, for its user to read and not to write', () => {
  const files = filesBelow(APP);
  expect(files.length).toBeGreaterThan(1_000);
  const wrong = files.filter(({ mode, uid, gid, isFolder, isLink }) => {
    const needed = isFolder ? SEARCHABLE_BY_ALL : READABLE_BY_ALL;
    return uid !== 0 || gid !== 0 || (!isLink && ((mode & WRITABLE_BY_OTHERS) !== 0 || (mode & needed) !== needed));
  });
  expect(wrong).toEqual([]);
});

test('/app holds the program, its packages and nothing else', () => {
  expect(readdirSync(APP).sort()).toEqual(['dist', 'node_modules', 'package.json']);
  const programs = filesBelow(APP).filter(({ path }) => path.startsWith('/dist/') && path.endsWith('.ts'));
  expect(programs).toEqual([]);
});

test('its packages are those of its SBOM, none of them for development only', () => {
  const { components } = readJson(join(APP, 'dist/sbom.cdx.json')) as {
    components: { name: string; version: string; scope: string }[];
  };
  const installed = packagesIn(join(APP, 'node_modules')).sort();
  const named = (wanted: (scope: string) => boolean) =>
    components.filter(({ scope }) => wanted(scope)).map(({ name, version }) => `${name}@${version}`);
  const all = new Set(named(() => true));
  expect(installed.filter((text) => !all.has(text))).toEqual([]);
  // What is optional is for one kind of machine each.
  const required = named((scope) => scope === 'required');
  expect(required.filter((text) => !installed.includes(text))).toEqual([]);
  expect(installed).toHaveLength(required.length + 1);
});

/** The packages below a folder `node_modules`, as name@version. */
function packagesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith('@')) return readdirSync(path).flatMap((inner) => packageAt(join(path, inner)));
    return packageAt(path);
  });
}

function packageAt(path: string): string[] {
  const { name, version } = readJson(join(path, 'package.json')) as { name: string; version: string };
  const hasOwn = readdirSync(path).includes('node_modules');
  return [`${name}@${version}`, ...(hasOwn ? packagesIn(join(path, 'node_modules')) : [])];
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
