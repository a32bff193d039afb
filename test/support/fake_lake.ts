import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Engine } from '../../src/read/duckdb.ts';
import { textOf } from '../../src/read/values.ts';
import { filesBelow } from './archive.ts';
import { openAthenaEngine, type AthenaEngine } from './athena_engine.ts';
import { AthenaCatalog } from './athena_catalog.ts';
import { StatesError, type Service, type Value } from './states.ts';
import { hiveProblems, toDuckdb, trinoProblems } from './trino.ts';

const BUCKET = 'Bucket';

export interface LakeOptions {
  /** Entries in a page of a listing or a result: the least that makes them come in pages. */
  readonly pageSize?: number;
}

/**
 * Athena, Glue and S3 as far as compaction asks them, over a folder that is the bucket: statements must be Trino's or Hive's, and run on
 * DuckDB; UNLOAD writes Parquet and wants an empty folder.
 */
export class FakeLake {
  readonly catalog: AthenaCatalog;
  /** Tags of objects, by their keys. */
  readonly tags = new Map<string, string>();
  /** What was asked, in order: actions, as IAM names them. */
  readonly actions: string[] = [];
  /** Texts of the views, by their names. */
  readonly views = new Map<string, string>();
  /** When objects came, where it matters. */
  readonly modified = new Map<string, string>();
  /** Other executions that run. */
  running: { readonly ExecutionArn: string; readonly StartDate: string }[] = [];
  readonly #bucketDir: string;
  readonly #engine: Engine;
  readonly #close: () => void;
  readonly #pageSize: number;
  readonly #results = new Map<string, string[][]>();

  private constructor(bucketDir: string, { engine, close }: AthenaEngine, { pageSize = 1000 }: LakeOptions) {
    this.#bucketDir = bucketDir;
    this.#engine = engine;
    this.#close = close;
    this.#pageSize = pageSize;
    this.catalog = new AthenaCatalog(BUCKET, bucketDir);
  }

  static async open(bucketDir: string, options: LakeOptions = {}): Promise<FakeLake> {
    const json = filesBelow(bucketDir).filter((path) => path.endsWith('.json.gz'));
    const athena = await openAthenaEngine({ json: json.map((path) => join(bucketDir, path)), parquet: [] });
    return new FakeLake(bucketDir, athena, options);
  }

  close(): void {
    this.#close();
  }

  /** Runs a query over the views; its rows, as texts below the names of the columns. */
  async query(sql: string): Promise<string[][]> {
    mustParse(sql, trinoProblems);
    const { columns, chunks } = await this.#engine.stream(toDuckdb(sql));
    const rows = [columns.map(({ name }) => name)];
    for await (const chunk of chunks()) {
      for (const row of chunk) rows.push(row.map((value) => (value === null ? 'NULL' : textOf(value))));
    }
    return rows;
  }

  /** The keys of all objects. */
  keys(): string[] {
    return filesBelow(this.#bucketDir);
  }

  /** Puts an object without lines. */
  put(key: string): void {
    const path = join(this.#bucketDir, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }

  /** What the tasks of a state machine ask. */
  readonly service: Service = async (resource, args) => {
    const [, name = ''] = /^arn:aws:states:::(?:aws-sdk:)?([\w:]+)(?:\.sync)?$/.exec(resource) ?? [];
    this.actions.push(name);
    switch (name) {
      case 'athena:startQueryExecution':
        return this.#execute(exactly(args, ['QueryString', 'WorkGroup', 'QueryExecutionContext']));
      case 'athena:getQueryResults':
        return this.#getResults(exactly(args, ['QueryExecutionId'], ['MaxResults', 'NextToken']));
      case 'glue:getTable': {
        const { Name } = exactly(args, ['DatabaseName', 'Name']);
        return { Table: { Parameters: { ...this.catalog.table(Name as string).properties } } };
      }
      case 's3:listObjectsV2':
        return this.#list(exactly(args, ['Bucket'], ['Prefix', 'StartAfter', 'MaxKeys', 'ContinuationToken']));
      case 's3:putObjectTagging': {
        const { Key, Tagging } = exactly(args, ['Bucket', 'Key', 'Tagging']);
        if (!existsSync(join(this.#bucketDir, Key as string)))
          throw new StatesError('S3.NoSuchKeyException', String(Key));
        this.tags.set(Key as string, JSON.stringify(Tagging));
        return { VersionId: '3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH' };
      }
      case 'sfn:listExecutions':
        exactly(args, ['StateMachineArn', 'StatusFilter']);
        return { Executions: this.running };
      default:
        throw new Error(`${resource} is not known`);
    }
  };

  async #execute({ QueryString, WorkGroup, QueryExecutionContext }: Readonly<Record<string, Value>>): Promise<Value> {
    if (WorkGroup !== 'CompactionWorkGroup' || JSON.stringify(QueryExecutionContext) !== '{"Database":"Database"}') {
      throw new Error('not in the workgroup and database of the stack');
    }
    const id = `query-${this.#results.size}`;
    try {
      this.#results.set(id, await this.#statement(QueryString as string));
    } catch (error) {
      throw new StatesError('States.TaskFailed', (error as Error).message);
    }
    return { QueryExecution: { QueryExecutionId: id, Query: QueryString } };
  }

  async #statement(sql: string): Promise<string[][]> {
    const [, inner, location] =
      /^UNLOAD \((.*)\) TO '([^']+)' WITH \(format = 'PARQUET', compression = 'ZSTD'\)$/s.exec(sql) ?? [];
    if (inner !== undefined) return this.#unload(inner, this.catalog.pathOf(location!));
    const [, view] = /^CREATE OR REPLACE VIEW (\w+) AS /.exec(sql) ?? [];
    if (view !== undefined) {
      mustParse(sql, trinoProblems);
      await this.#engine.run(toDuckdb(sql));
      this.views.set(view, sql);
      return [];
    }
    if (sql.startsWith('SELECT ')) return this.query(sql);
    mustParse(sql, hiveProblems);
    await this.refresh(this.catalog.run(sql));
    return [];
  }

  async #unload(inner: string, folder: string): Promise<string[][]> {
    mustParse(inner, trinoProblems);
    const dir = join(this.#bucketDir, folder);
    if (existsSync(dir)) throw new Error(`HIVE_PATH_ALREADY_EXISTS: ${folder}`);
    mkdirSync(dir, { recursive: true });
    const file = join(dir, '20261130_000512_00087_kx3vq_0b1f6a52-3c1d-4d0e-9d4b-6f0b8a7c2e19');
    await this.#engine.run(`COPY (${toDuckdb(inner)}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
    return [];
  }

  /** Makes a table of the catalog what its partitions hold by now. */
  async refresh(table: string): Promise<void> {
    const parts = this.catalog
      .files(table)
      .map(({ day, path }) => `SELECT *, '${day}' AS day FROM read_parquet('${path}', hive_partitioning = false)`);
    const none = 'SELECT *, NULL::VARCHAR AS day FROM main._parquet_lines';
    await this.#engine.run(`CREATE OR REPLACE VIEW athena.${table} AS ${[none, ...parts].join(' UNION ALL BY NAME ')}`);
  }

  #getResults({ QueryExecutionId, MaxResults = 1000, NextToken = '0' }: Readonly<Record<string, Value>>): Value {
    const all = this.#results.get(QueryExecutionId as string)!;
    const begin = Number(NextToken);
    const end = begin + Math.min(MaxResults as number, this.#pageSize);
    const Rows = all.slice(begin, end).map((row) => ({ Data: row.map((VarCharValue) => ({ VarCharValue })) }));
    return { ResultSet: { Rows }, ...(end < all.length && { NextToken: String(end) }) };
  }

  #list({
    Bucket,
    Prefix = '',
    StartAfter = '',
    MaxKeys = 1000,
    ContinuationToken,
  }: Readonly<Record<string, Value>>): Value {
    if (Bucket !== BUCKET) throw new Error(`there is no bucket ${String(Bucket)}`);
    const after = (ContinuationToken ?? StartAfter) as string;
    const keys = this.keys().filter((key) => key.startsWith(Prefix as string) && key > after);
    const page = keys.sort().slice(0, Math.min(MaxKeys as number, this.#pageSize));
    const IsTruncated = page.length < keys.length;
    return {
      IsTruncated,
      ...(page.length > 0 && { Contents: page.map((key) => this.#entry(key)) }),
      ...(IsTruncated && { NextContinuationToken: page.at(-1)! }),
    };
  }

  /** All that S3 says of an object: it counts against the quota of a payload. */
  #entry(Key: string): Value {
    return {
      ChecksumAlgorithm: ['CRC64NVME'],
      ChecksumType: 'FULL_OBJECT',
      ETag: '"9b2cf535f27731c974343645a3985328-16"',
      Key,
      LastModified: this.modified.get(Key) ?? '2026-11-01T00:00:00Z',
      Size: 134217728,
      StorageClass: 'STANDARD',
    };
  }
}

/** Grammars take their time, and runs repeat their statements. */
const understood = new Set<string>();

/** @throws Error where a grammar does not know the text */
function mustParse(sql: string, problemsOf: (sql: string) => string[]): void {
  if (understood.has(sql)) return;
  const problems = problemsOf(sql);
  if (problems.length > 0) throw new Error(`not SQL of Athena: ${sql}: ${problems.join()}`);
  understood.add(sql);
}

/** The arguments, which must be those that are required, and of the others only some. */
function exactly(args: Readonly<Record<string, Value>>, required: readonly string[], optional: readonly string[] = []) {
  const strange = Object.keys(args).filter((name) => !required.includes(name) && !optional.includes(name));
  const missing = required.filter((name) => args[name] === undefined);
  if (strange.length + missing.length > 0)
    throw new Error(`arguments: ${strange.join()} strange, ${missing.join()} missing`);
  return args;
}
