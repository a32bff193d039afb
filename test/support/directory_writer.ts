// Writes into an archive directory until it is killed: node --import ./test/support/typescript.mjs directory_writer.ts <dir>
// Says "open" when it may write and "acknowledged <line>" for each line; "refused <message>" when the directory is another's.
import { writeSync } from 'node:fs';
import { createLog } from '../../src/log.ts';
import { openDirectorySink } from '../../src/sinks/directory.ts';
import { batchOf } from './lines.ts';

const log = createLog({ level: 'error', format: 'logfmt' });
const say = (text: string) => writeSync(1, `${text}\n`);

try {
  const sink = await openDirectorySink({ dir: process.argv[2]!, retentionMs: undefined, log });
  say('open');
  let next = 0;
  const write = async (): Promise<never> => {
    for (;;) {
      const text = `{"process":${process.pid},"line":${next++}}`;
      await sink.send(batchOf([text]), new AbortController().signal);
      say(`acknowledged ${text}`);
    }
  };
  await Promise.all([write(), write()]);
} catch (error) {
  say(`refused ${error instanceof Error ? error.message : String(error)}`);
}
