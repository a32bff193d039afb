// node --import this: a disk that keeps what was synced and nothing else. What each sync made safe is written down below FORGETFUL_DISK_KEPT, of files
// their bytes and of folders their names, by what identity() says; forgetful_disk.ts makes a disk of it again.
import { Buffer } from 'node:buffer';
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const kept = process.env.FORGETFUL_DISK_KEPT;
/** `files` or `folders`: their syncs are answered and nothing is kept, which is what a program does that forgets to sync them. */
const forgotten = process.env.FORGETFUL_DISK_FORGETS;
/** Of a disk, not of the memory that this one really is: a kill is to find something that is not synced yet. */
const SYNC_MS = 5;
/** Where a file was changed since its last sync, by identity: the lowest offset. Without an entry it only grew. */
const changedFrom = new Map();

const handle = await open(devNull);
const prototype = Object.getPrototypeOf(handle);
await handle.close();

for (const method of ['sync', 'datasync']) {
  const original = prototype[method];
  prototype[method] = async function () {
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    const isFolder = lstatSync(path).isDirectory();
    if (forgotten === (isFolder ? 'folders' : 'files')) return;
    // What the file holds when the call is made is safe when it ends.
    const keep = isFolder ? lookAtFolder(path) : lookAtFile(path, this.fd);
    await sleep(SYNC_MS);
    await original.call(this);
    keep();
  };
}

// What of a file may have been changed in place by them.
const OFFSETS = {
  write: (_data, offsetOrOptions, _length, position) => offsetOrOptions?.position ?? position,
  writev: (_buffers, position) => position,
  truncate: (length = 0) => length,
  writeFile: () => 0,
  appendFile: () => 0,
};
for (const [method, offsetOf] of Object.entries(OFFSETS)) {
  const original = prototype[method];
  prototype[method] = function (...args) {
    const key = identity(readlinkSync(`/proc/self/fd/${this.fd}`));
    changedFrom.set(key, Math.min(changedFrom.get(key) ?? Infinity, offsetOf(...args) ?? 0));
    return original.apply(this, args);
  };
}

function lookAtFolder(path) {
  const names = Object.fromEntries(readdirSync(path).map((name) => [name, identity(join(path, name))]));
  const target = join(kept, identity(path));
  return () => {
    writeFileSync(`${target}.new`, JSON.stringify(names));
    renameSync(`${target}.new`, target);
  };
}

function lookAtFile(path, fd) {
  const key = identity(path);
  const target = join(kept, key);
  const { size } = fstatSync(fd);
  const known = existsSync(target) ? lstatSync(target).size : 0;
  const from = Math.min(known, changedFrom.get(key) ?? Infinity, size);
  changedFrom.delete(key);
  const bytes = readFrom(path, from, size - from);
  return () => {
    const copy = openSync(target, existsSync(target) ? 'r+' : 'w');
    writeSync(copy, bytes, 0, bytes.length, from);
    ftruncateSync(copy, size);
    closeSync(copy);
  };
}

function readFrom(path, offset, length) {
  const file = openSync(path, 'r');
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length;) filled += readSync(file, bytes, filled, length - filled, offset + filled);
  closeSync(file);
  return bytes;
}

/** As forgetful_disk.ts has it: what a path leads to, whatever it is called. */
function identity(path) {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return 'nothing';
  const kind = stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
  return `${kind}-${stat.ino}-${stat.birthtimeNs}`;
}
