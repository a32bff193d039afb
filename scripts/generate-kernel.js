// Writes src/kernel/module.ts from assembly/. `--check` only says whether it is fresh.
import { Buffer } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const target = new URL('../src/kernel/module.ts', import.meta.url);
let binary;
const { error, stderr } = await asc.main(
  [
    'assembly/index.ts',
    '--outFile',
    'kernel.wasm',
    '--runtime',
    'stub',
    '--noAssert',
    '-O3',
    '--converge',
    '--enable',
    'simd',
  ],
  {
    baseDir: fileURLToPath(new URL('..', import.meta.url)),
    writeFile: (_name, contents) => {
      binary = contents;
    },
  },
);
if (error || !binary) throw new Error(stderr.toString(), { cause: error });
const lines = Buffer.from(binary)
  .toString('base64')
  .match(/.{1,140}/g);
const source = `// Generated from assembly/ by scripts/generate-kernel.js (npm run generate). Do not edit.
export const KERNEL_MODULE = \`
${lines.join('\n')}
\`;
`;

if (!process.argv.includes('--check')) {
  writeFileSync(target, source);
} else if (readFileSync(target, 'utf8') !== source) {
  console.error('src/kernel/module.ts is stale: run `npm run generate`');
  process.exitCode = 1;
}
