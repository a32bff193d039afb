// Writes the statements of athena/ into the state machine of deploy/cloudformation.yaml, below the comments that name them, each as one line:
// a template that is deployed as it is has to be small. `--check` only says whether they are fresh.
import { readFileSync, writeFileSync } from 'node:fs';

const target = new URL('../deploy/cloudformation.yaml', import.meta.url);
const NAMED = /^ *# (athena\/[\w/]+\.sql)$/;
const BLOCK = /^( *)(- |\w+: )\|-$/;

const template = readFileSync(target, 'utf8');
const lines = template.split('\n');
const fresh = [];
for (let index = 0; index < lines.length; index++) {
  fresh.push(lines[index]);
  const [, file] = NAMED.exec(lines[index]) ?? [];
  const [, indent] = BLOCK.exec(lines[index + 1] ?? '') ?? [];
  if (file === undefined || indent === undefined) continue;
  fresh.push(lines[++index]);
  fresh.push(`${indent}  ${statement(file)}`);
  while (lines[index + 1].startsWith(`${indent}  `)) index++;
}
const source = fresh.join('\n');

if (!process.argv.includes('--check')) {
  writeFileSync(target, source);
} else if (source !== template) {
  console.error('deploy/cloudformation.yaml is stale: run `npm run generate`');
  process.exitCode = 1;
}

/** A statement without its comments: Athena is not known to take them in front of every one. */
function statement(file) {
  const lines = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('--')).join(' ');
}
