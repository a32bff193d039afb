// node --import this: ends the process with SIGKILL instead of the KILL_AT-th call that changes the file system.
import { promises } from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { devNull } from 'node:os';

let calls = 0;

function countCalls(owner, name) {
  const original = owner[name];
  owner[name] = function (...args) {
    if (++calls === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL');
    return original.apply(this, args);
  };
}

const handle = await open(devNull);
const prototype = Object.getPrototypeOf(handle);
await handle.close();
for (const name of ['writeFile', 'sync']) countCalls(prototype, name);
for (const name of ['mkdir', 'mkdtemp', 'rename', 'rm', 'rmdir', 'unlink']) countCalls(promises, name);
syncBuiltinESMExports();
