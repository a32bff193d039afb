// tsc writes files without the run bit, which `npx prometheus-kinesis-adapter` needs.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli.js', import.meta.url), 0o755);
