import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import { openDirectorySink } from '../../src/sinks/directory.ts';
import { readArchive } from '../support/archive.ts';
import { describeSinkContract } from './sink_contract.ts';

describeSinkContract('directory', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'archive-'));
  const log = createLog({ level: 'error', format: 'logfmt' });
  const sink = await openDirectorySink({ dir, retentionMs: 3_600_000, log });
  return {
    sink,
    readLines: () => Promise.resolve(readArchive(dir)),
    async close() {
      await sink.close();
      rmSync(dir, { recursive: true });
    },
  };
});
