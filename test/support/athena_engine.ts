import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../src/read/duckdb.ts';
import { createViews, type ArchivePaths } from '../../src/read/views.ts';
import { VIEW_FUNCTIONS } from './trino.ts';

/** A DuckDB that takes for Athena's database its schema `athena`, where the table `lines` is; `query`'s own views are in `main`. */
export interface AthenaEngine {
  readonly engine: Engine;
  readonly close: () => void;
}

export async function openAthenaEngine(paths: ArchivePaths): Promise<AthenaEngine> {
  const spillDir = mkdtempSync(join(tmpdir(), 'athena-'));
  const { signal } = new AbortController();
  const engine = await Engine.open({ memoryLimitBytes: 1024 ** 3, spillDir, signal });
  for (const statement of createViews(paths, { fromMs: undefined, toMs: undefined })) await engine.run(statement);
  await engine.run('CREATE SCHEMA athena');
  await engine.run('CREATE VIEW athena.lines AS SELECT * FROM main._json_lines');
  await engine.run("SET search_path = 'athena,main'");
  for (const macro of VIEW_FUNCTIONS) await engine.run(macro);
  return {
    engine,
    close: () => {
      engine.close();
      rmSync(spillDir, { recursive: true, force: true });
    },
  };
}
