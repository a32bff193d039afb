/*
 * Loaded into the program with --import: watches its event loop from inside. SIGUSR2 makes it write what was since the last time, as one line of
 * JSON, to stdout, where the program itself writes nothing:
 *
 *     holdMs      longest time between two turns of the loop, by the clock: on a busy machine the others' work is in it
 *     holdCpuMs   the most that the main thread worked between two turns, by the kernel's account: it is the program's alone
 *     cpuMs       all work of all threads
 *     peakMiB     highest resident memory
 */
import { Buffer } from 'node:buffer';
import { openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setInterval } from 'node:timers';

const EVERY_MS = 2;
const buffer = Buffer.alloc(128);
const schedstat = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');

function workedMs() {
  const length = readSync(schedstat, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

/** The kernel's high-water mark starts anew. */
function resetPeak() {
  writeFileSync('/proc/self/clear_refs', '5');
}

let turn = { atMs: performance.now(), workedMs: workedMs() };
let longest = { holdMs: 0, holdCpuMs: 0 };
let cpu = process.cpuUsage();
resetPeak();

function noteTurn() {
  const now = { atMs: performance.now(), workedMs: workedMs() };
  longest = {
    holdMs: Math.max(longest.holdMs, now.atMs - turn.atMs),
    holdCpuMs: Math.max(longest.holdCpuMs, now.workedMs - turn.workedMs),
  };
  turn = now;
}

setInterval(noteTurn, EVERY_MS).unref();

process.on('SIGUSR2', () => {
  noteTurn();
  const { user, system } = process.cpuUsage(cpu);
  const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  process.stdout.write(`${JSON.stringify({ ...longest, cpuMs: (user + system) / 1e3, peakMiB: peakKib / 1024 })}\n`);
  longest = { holdMs: 0, holdCpuMs: 0 };
  cpu = process.cpuUsage();
  resetPeak();
});
