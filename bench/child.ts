/**
 * Processes of the bench: each is an entry file of its own that offers functions, and the one that forks it calls them over IPC.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from './package_root.ts';

/** What a process offers: functions of one argument that can be cloned. */
export type Api<Functions> = { readonly [Name in keyof Functions]: (argument: never) => unknown };

interface Call {
  readonly name: string;
  readonly argument: unknown;
}

interface Reply {
  readonly value?: unknown;
  readonly error?: string;
}

export interface Child<Functions extends Api<Functions>> {
  readonly pid: number;
  /** One call at a time. Rejects with what the function throws, or when the process ends. */
  call<Name extends keyof Functions & string>(
    name: Name,
    argument: Parameters<Functions[Name]>[0],
  ): Promise<Awaited<ReturnType<Functions[Name]>>>;
  /** Ends it. */
  end(): Promise<void>;
}

/**
 * Forks bench/<name>, compiled or, from a test, as it is.
 *
 * @param env besides the own environment
 */
export function startChild<Functions extends Api<Functions>>(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Child<Functions> {
  const extension = extname(import.meta.filename);
  const hook = pathToFileURL(join(packageRoot(), 'test/support/typescript.mjs')).href;
  const child = fork(join(import.meta.dirname, name + extension), {
    execArgv: extension === '.ts' ? ['--import', hook] : [],
    env: { ...process.env, ...env },
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  const ended = exited.then(([code, signal]: unknown[]) => {
    throw new Error(`${name} ended: ${String(code ?? signal)}`);
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid!,
    call: async (functionName, argument) => {
      const replied = once(child, 'message');
      child.send({ name: functionName, argument } satisfies Call);
      const [{ value, error }] = (await Promise.race([replied, ended])) as [Reply];
      if (error !== undefined) throw new Error(`${name}: ${error}`);
      return value as never;
    },
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Offers functions to the process that forked this one, and ends with it. */
export function offer<Functions extends Api<Functions>>(functions: Functions): void {
  process.on('message', ({ name, argument }: Call) => {
    void reply(() => functions[name as keyof Functions](argument as never));
  });
  process.once('disconnect', () => process.exit());
}

async function reply(answer: () => unknown): Promise<void> {
  let message: Reply;
  try {
    message = { value: await answer() };
  } catch (error) {
    message = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send!(message);
}
