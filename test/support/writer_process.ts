import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A process of its own that writes into an archive directory, see directory_writer.ts. */
export interface WriterProcess {
  /** What it said first: `open` or `refused …`. */
  readonly greeting: string;
  /** The lines that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** Waits until so many lines were acknowledged. */
  waitFor(count: number): Promise<void>;
  /** kill -9, and waits for its end. */
  kill(): Promise<void>;
}

/** `uid` is the user it runs as. */
export async function startWriter(dir: string, uid?: number): Promise<WriterProcess> {
  const program = [
    join(import.meta.dirname, 'typescript.mjs'),
    join(import.meta.dirname, 'directory_writer.ts'),
  ] as const;
  const child = spawn(process.execPath, ['--import', program[0], program[1], dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid }),
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const drained = once(lines, 'close');
  const acknowledged: string[] = [];
  lines.on('line', (line) => {
    if (line.startsWith('acknowledged ')) acknowledged.push(line.slice('acknowledged '.length));
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await Promise.all([exited, drained]);
  };
  onTestFinished(kill);
  const [greeting] = (await once(lines, 'line')) as [string];
  return {
    greeting,
    acknowledged,
    async waitFor(count) {
      while (acknowledged.length < count) await once(lines, 'line');
    },
    kill,
  };
}
