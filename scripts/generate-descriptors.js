// Writes src/wire/descriptors.ts from proto/. `--check` only says whether it is fresh.
import { readFileSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { format, resolveConfig } from 'prettier';

const target = new URL('../src/wire/descriptors.ts', import.meta.url);
const descriptors = [
  ['remoteWriteV1', 'remote_write_v1.proto'],
  ['remoteWriteV2', 'remote_write_v2.proto'],
].map(([name, file]) => {
  const { root } = protobuf.parse(readFileSync(new URL(`../proto/${file}`, import.meta.url), 'utf8'));
  return `export const ${name} = ${JSON.stringify(root.toJSON())} as const;\n`;
});
const source = `// Generated from proto/ by scripts/generate-descriptors.js (npm run generate). Do not edit.
${descriptors.join('\n')}`;
const formatted = await format(source, { ...(await resolveConfig(target)), parser: 'typescript' });

if (!process.argv.includes('--check')) {
  writeFileSync(target, formatted);
} else if (readFileSync(target, 'utf8') !== formatted) {
  console.error('src/wire/descriptors.ts is stale: run `npm run generate`');
  process.exitCode = 1;
}
