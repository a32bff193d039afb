// Writes the modules of src/kernel/ from assembly/. `--check` only says whether they are fresh.
import { Buffer } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const MODULES = [
  { entry: 'assembly/index.ts', target: 'src/kernel/module.ts', name: 'KERNEL_MODULE' },
  { entry: 'assembly/put.ts', target: 'src/kernel/put_module.ts', name: 'PUT_MODULE' },
];

for (const { entry, target, name } of MODULES) {
  const path = new URL(`../${target}`, import.meta.url);
  const lines = Buffer.from(await compile(entry))
    .toString('base64')
    .match(/.{1,140}/g);
  const source = `// Generated from assembly/ by scripts/generate-kernel.js (npm run generate). Do not edit.
export const ${name} = \`
${lines.join('\n')}
\`;
`;
  if (!process.argv.includes('--check')) {
    writeFileSync(path, source);
  } else if (readFileSync(path, 'utf8') !== source) {
    console.error(`${target} is stale: run \`npm run generate\``);
    process.exitCode = 1;
  }
}

/** The bytes of the module that an entry file makes. */
async function compile(entry) {
  let binary;
  const { error, stderr } = await asc.main(
    [entry, '--outFile', 'kernel.wasm', '--runtime', 'stub', '--noAssert', '-O3', '--converge', '--enable', 'simd'],
    {
      baseDir: fileURLToPath(new URL('..', import.meta.url)),
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error || !binary) throw new Error(stderr.toString(), { cause: error });
  return binary;
}
