import type { Writable } from 'node:stream';
import type { Output } from './output.ts';
import type { QueryFormat } from './query_options.ts';
import { createRenderer } from './render.ts';
import type { Result } from './renderer.ts';

export interface QueryIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether stderr is a terminal, which then shows progress. */
  readonly isTerminal: boolean;
  readonly now: () => number;
}

/** Prints a result as its rows come; no more of them are asked for once the reader has gone. */
export async function print<Value>(result: Result<Value>, format: QueryFormat, output: Output): Promise<void> {
  if (result.columns.length === 0) {
    await result.chunks().next();
    return;
  }
  const renderer = createRenderer(result.isPlan && format === 'table' ? 'plan' : format, result.columns);
  for await (const rows of result.chunks()) {
    if (!(await output.write(renderer.rows(rows)))) return;
  }
  await output.write(renderer.end());
}
