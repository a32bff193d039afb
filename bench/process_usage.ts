import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time for users in these, whatever the kernel's own tick is: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_PER_SECOND = 100;

/** What a process has used since it started. */
export interface Usage {
  readonly atNs: number;
  /** User and system, of all threads, those that ended included. */
  readonly cpuSeconds: number;
  /** Of each thread that runs, by its id; the main thread has the id of the process. */
  readonly threadSeconds: ReadonlyMap<number, number>;
}

export function readUsage(pid: number): Usage {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return {
    atNs: nowNs(),
    cpuSeconds: cpuSeconds(`/proc/${pid}/stat`),
    threadSeconds: new Map(threads.map((thread) => [thread, cpuSeconds(`/proc/${pid}/task/${thread}/stat`)])),
  };
}

/** The most memory that a process has had resident. */
export function readPeakRssMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
  return Number(kib) / 1024;
}

/** A clock that all processes of a machine share. */
export function nowNs(): number {
  return Number(process.hrtime.bigint());
}

function cpuSeconds(path: string): number {
  const text = readFileSync(path, 'latin1');
  // The second field is a name in parentheses, which may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
