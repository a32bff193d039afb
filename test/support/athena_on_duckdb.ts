import type { Engine } from '../../src/read/duckdb.ts';
import { jsonOf } from '../../src/read/values.ts';
import type { ArchivePaths } from '../../src/read/views.ts';
import { openAthenaEngine } from './athena_engine.ts';
import { athenaFiles, athenaSql, NOTHING_COMPACTED } from './athena_sql.ts';
import { toDuckdb, trinoProblems } from './trino.ts';

export interface AthenaOptions {
  readonly paths: ArchivePaths;
  /** The hour from which on lines are not compacted; none are unless told. */
  readonly compactedBefore?: string;
}

/** The tables `lines` and `compacted` and the views of `athena/` over the files of an archive, in DuckDB. */
export interface AthenaOnDuckdb {
  readonly engine: Engine;
  /** Runs one statement of Athena's, which must be Trino's grammar; its rows, as JSON reads them. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** The same of DuckDB's dialect, over the views of the command `query`. */
  rowsOfQuery(sql: string): Promise<Record<string, unknown>[]>;
  close(): void;
}

export async function openAthena({ paths, compactedBefore }: AthenaOptions): Promise<AthenaOnDuckdb> {
  const { engine, close } = await openAthenaEngine(paths);
  const rowsOf = async (sql: string) => {
    const { columns, chunks } = await engine.stream(sql);
    const rows: Record<string, unknown>[] = [];
    for await (const chunk of chunks()) {
      for (const row of chunk) {
        const fields = row.map((value, index) => [columns[index]!.name, JSON.parse(jsonOf(value))] as const);
        rows.push(Object.fromEntries(fields));
      }
    }
    return rows;
  };
  await engine.run('CREATE VIEW athena.compacted AS SELECT * FROM main._parquet_lines');
  for (const file of athenaFiles('views')) {
    const sql = athenaSql(file).replaceAll(NOTHING_COMPACTED, compactedBefore ?? NOTHING_COMPACTED);
    await engine.run(toDuckdb(sql));
  }
  return {
    engine,
    rows: (sql) => {
      const problems = trinoProblems(sql);
      if (problems.length > 0) throw new Error(`not Trino's SQL: ${problems.join('\n')}`);
      return rowsOf(toDuckdb(sql));
    },
    rowsOfQuery: async (sql) => {
      await engine.run("SET search_path = 'main'");
      try {
        return await rowsOf(sql);
      } finally {
        await engine.run("SET search_path = 'athena,main'");
      }
    },
    close,
  };
}
