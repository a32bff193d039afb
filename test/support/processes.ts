import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_EVERY_MS = 50;

/** How a process ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of its own. It is signalled by its pid, and {@link endProcesses} ends it at the latest. */
export interface Process {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Resolves when it has exited and all that it wrote is here; a process that it left behind holds this back. */
  readonly closed: Promise<unknown>;
  readonly hasExited: boolean;
  /** What it wrote so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGKILL to it and, where it leads a group, to the group. */
  readonly end: () => void;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Besides PATH, HOME and the like; nothing of AWS's or this program's own comes from outside. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes it the leader of a process group, as a shell does with what is typed into it. */
  readonly group?: boolean;
  readonly stdin?: string;
}

const running = new Set<Process>();
// Should the tests end before their hooks.
process.once('exit', () => {
  for (const { end } of running) end();
});

export function startProcess(command: string, options: StartOptions): Process {
  const { args = [], cwd, env, group = false, stdin } = options;
  const child = spawn(command, args, { cwd, env: { ...outerEnvironment(), ...env }, detached: group, stdio: 'pipe' });
  if (child.pid === undefined) {
    // Node tells of it with the next turns of the event loop, and would end the process if nobody listened.
    child.once('error', () => undefined);
    throw new Error(`cannot start ${command}`);
  }
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => {
    // It ended without reading all of its input.
  });
  child.stdin.end(stdin);
  let hasExited = false;
  const closed = once(child, 'close');
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => {
    hasExited = true;
    running.delete(started);
    return { code, signal } as Exit;
  });
  const started: Process = {
    pid: child.pid,
    exited,
    closed,
    get hasExited() {
      return hasExited;
    },
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    kill: (signal) => child.kill(signal),
    end: () => {
      if (group) process.kill(-started.pid, 'SIGKILL');
      else child.kill('SIGKILL');
    },
  };
  running.add(started);
  return started;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  { timeoutMs = 20_000, ...options }: StartOptions & { readonly timeoutMs?: number },
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const started = startProcess(command, options);
  const exit = await within(timeoutMs, `${command} to end`, started.exited);
  await within(timeoutMs, `all that ${command} wrote`, started.closed);
  return { ...exit, stdout: started.stdout, stderr: started.stderr };
}

/** Ends all that was started and still runs, with SIGKILL; to be called after each test. */
export async function endProcesses(): Promise<void> {
  for (const { end } of running) end();
  await Promise.all([...running].map(({ exited }) => exited));
}

/** Settles with a promise, or rejects after a time. */
export async function within<Value>(timeoutMs: number, what: string, promise: Promise<Value>): Promise<Value> {
  const timeout = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timeout.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timeout.abort();
    await late.catch(() => undefined);
  }
}

export interface WaitOptions {
  readonly timeoutMs: number;
  /** What is waited for, as the message of a failure names it; asked only then. */
  readonly what: () => string;
}

/** Asks again and again until the answer is something else than undefined or false. */
export async function waitFor<Value>(
  ask: () => Value | Promise<Value>,
  { timeoutMs, what }: WaitOptions,
): Promise<Exclude<Value, undefined | false>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<Value, undefined | false>;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what()}`);
    await sleep(POLL_EVERY_MS);
  }
}

/** The path of a program that is installed; undefined where it is not. */
export function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * A free port of the loopback address, for programs that must be told one. It lies below the ports that the kernel hands out, so that
 * nobody's outgoing connection takes it between the death of a process and the start of the next.
 */
export async function freePort(): Promise<number> {
  const from = 10_000 + 1_000 * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 20);
  for (;;) {
    const port = from + Math.floor(Math.random() * 1_000);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch {
      // Somebody has it.
    } finally {
      server.close();
    }
  }
}

function outerEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  return { PATH, HOME, TMPDIR, LANG };
}
