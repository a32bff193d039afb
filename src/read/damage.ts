import { existsSync } from 'node:fs';
import { CommandError } from '../errors.ts';
import type { EngineFile } from './archive_files.ts';
import type { Engine } from './duckdb.ts';
import { readThrough } from './views.ts';

/** How DuckDB says that a file is no gzip or no Parquet, or a value not what it should be; often it leaves the file's name out. */
const NAMELESS =
  /^(?:IO|Invalid Input) Error: .*gzip|^Conversion Error|^Invalid Error: (?:don't know what type|TProtocolException|Parquet)/i;

/**
 * Names the file that an error is about as the user knows it. Where DuckDB does not say which it is, every file is tried.
 *
 * @param tryFile SQL that fails for such a file
 */
export async function nameFile(
  error: CommandError,
  files: readonly EngineFile[],
  engine: Engine,
  tryFile = readThrough,
): Promise<CommandError> {
  const { message } = error;
  const named = files.find(({ path }) => message.includes(path));
  if (named !== undefined) {
    const text = message.replaceAll(named.path, named.source);
    const hint = existsSync(named.path)
      ? ''
      : '\nThe file went away meanwhile, as retention and compaction remove files: run it again';
    return new CommandError(text + hint);
  }
  const damaged = NAMELESS.test(message) ? await findDamaged(files, engine, tryFile) : undefined;
  return damaged === undefined ? error : new CommandError(`${damaged.source}: ${message}`);
}

async function findDamaged(
  files: readonly EngineFile[],
  engine: Engine,
  tryFile: (path: string) => string,
): Promise<EngineFile | undefined> {
  for (const file of files) {
    try {
      await engine.run(tryFile(file.path));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return file;
    }
  }
  return undefined;
}
