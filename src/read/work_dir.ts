import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, messageOf } from '../errors.ts';

/**
 * A folder for what a command stages, spills and copies; only its owner can read it. A kill −9 leaves it there.
 *
 * @throws CommandError
 */
export async function makeWorkDir(command: 'query' | 'compact'): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), `prometheus-kinesis-adapter-${command}-`));
  } catch (error) {
    throw new CommandError(`cannot make a temporary folder: ${messageOf(error)}; name another place with TMPDIR`);
  }
}
