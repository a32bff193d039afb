import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../errors.ts';
import { nameFile } from './damage.ts';
import { Engine } from './duckdb.ts';
import { createOutput } from './output.ts';
import { print, type QueryIo } from './print.ts';
import { showProgress } from './progress.ts';
import { listQueryFiles } from './query_files.ts';
import { resolveTimeRange, type QueryFormat } from './query_options.ts';
import { createViews } from './views.ts';
import { makeWorkDir } from './work_dir.ts';

/** The values of QUERY_OPTIONS, and the archive. */
export interface QueryOptions {
  readonly archiveDir: string;
  readonly format: QueryFormat;
  readonly sinceMs?: number | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly memoryLimitBytes: number;
  /** Aborted by Ctrl-C: the query ends with the CommandError "interrupted", and leaves no temporary files. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs SQL over a local archive, and prints the result of its last statement. The files are those that are there at the start; of a file
 * that a server is writing, all that it has acknowledged by then. A reader of stdout that goes away ends the query quietly.
 *
 * @throws CommandError for what the user can mend: wrong SQL (DuckDB's message), no such directory, a damaged file, Ctrl-C
 */
export async function query(sql: string, options: QueryOptions, io: QueryIo): Promise<void> {
  const range = resolveTimeRange({ sinceMs: undefined, fromMs: undefined, toMs: undefined, ...options }, io.now());
  const signal = options.signal ?? new AbortController().signal;
  const workDir = await makeWorkDir('query');
  try {
    const { archiveDir } = options;
    const { paths, files } = await listQueryFiles({ archiveDir, snapshotDir: join(workDir, 'open'), range, signal });
    const spillDir = join(workDir, 'spill');
    const engine = await Engine.open({ memoryLimitBytes: options.memoryLimitBytes, spillDir, signal });
    const progress = io.isTerminal ? showProgress(io.stderr, () => statusOf(engine)) : undefined;
    try {
      for (const statement of createViews(paths, range)) await engine.run(statement);
      await print(await engine.stream(sql), options.format, createOutput(io.stdout, signal, progress));
    } catch (error) {
      throw error instanceof CommandError ? await nameFile(error, files, engine) : error;
    } finally {
      progress?.stop();
      engine.close();
    }
  } catch (error) {
    throw signal.aborted ? new CommandError('interrupted') : error;
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

function statusOf({ percent }: Engine): string {
  return percent === undefined ? 'running' : `running ${Math.floor(percent)}%`;
}
