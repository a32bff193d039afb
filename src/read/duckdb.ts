import { availableParallelism } from 'node:os';
import { DuckDBInstance, DuckDBTypeId, ResultReturnType, StatementType, type DuckDBConnection } from '@duckdb/node-api';
import { CommandError, messageOf } from '../errors.ts';
import type { Result, Row } from './renderer.ts';
import { jsonOf, textOf, type DuckdbValue } from './values.ts';

export interface EngineOptions {
  readonly memoryLimitBytes: number;
  /** Made when something spills. */
  readonly spillDir: string;
  /** Aborting interrupts what runs; the call under way then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** A file for the tables; without one they are in memory. */
  readonly databasePath?: string;
  /** Fewer threads are used where there is less for each. */
  readonly memoryPerThreadBytes?: number;
  /** What the user can do besides raising `--memory-limit` when the memory does not suffice. */
  readonly readLess?: string;
}

/**
 * Measured with 1 GiB, DISTINCT and ORDER BY over 5 million samples: 4 threads spilled and came to an end, 8 and 16 ran out of memory.
 */
const MEMORY_PER_THREAD_BYTES = 256 * 1024 ** 2;
/** An interrupt that comes between two statements is lost, hence again and again. */
const INTERRUPT_EVERY_MS = 20;

const NUMERIC_TYPES: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.BIGNUM,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

/** A DuckDB with its limits set. Nothing is fetched from the network: extensions are neither installed nor loaded. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #options: EngineOptions;
  #interrupting: NodeJS.Timeout | undefined;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, options: EngineOptions) {
    this.#instance = instance;
    this.#connection = connection;
    this.#options = options;
    options.signal.addEventListener('abort', this.#interrupt);
  }

  static async open(options: EngineOptions): Promise<Engine> {
    const { memoryLimitBytes, spillDir, databasePath = ':memory:', memoryPerThreadBytes } = options;
    const mostThreads = Math.floor(memoryLimitBytes / (memoryPerThreadBytes ?? MEMORY_PER_THREAD_BYTES));
    const threads = Math.min(availableParallelism(), mostThreads);
    const instance = await DuckDBInstance.create(databasePath, {
      memory_limit: `${memoryLimitBytes}B`,
      threads: String(Math.max(1, threads)),
      temp_directory: spillDir,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // The order of an archive's lines means nothing, and keeping it costs memory. ORDER BY is not affected.
      preserve_insertion_order: 'false',
    });
    const engine = new Engine(instance, await instance.connect(), options);
    await engine.run("SET TimeZone = 'UTC'");
    // DuckDB measures its progress only while its own bar is on.
    await engine.run(
      'SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0',
    );
    return engine;
  }

  /** Of the statement that runs; undefined where DuckDB cannot tell. */
  get percent(): number | undefined {
    const { percentage } = this.#connection.progress;
    return percentage < 0 ? undefined : percentage;
  }

  /** @throws CommandError with DuckDB's message */
  async run(sql: string): Promise<void> {
    await this.#mending(() => this.#connection.run(sql));
  }

  /**
   * The rows of a statement that has few of them.
   *
   * @throws CommandError with DuckDB's message
   */
  async rows(sql: string): Promise<Row<DuckdbValue>[]> {
    const reader = await this.#mending(() => this.#connection.runAndReadAll(sql));
    return reader.getRows();
  }

  /**
   * Starts the last of the statements; those before it run to their end.
   *
   * @throws CommandError with DuckDB's message
   */
  async stream(sql: string): Promise<Result<DuckdbValue>> {
    const result = await this.#mending(() => this.#connection.stream(sql));
    const hasRows = result.returnType !== ResultReturnType.NOTHING;
    const mending = <Value>(task: () => Promise<Value>) => this.#mending(task);
    return {
      columns: hasRows
        ? result.columnNames().map((name, index) => {
            return { name, isNumeric: NUMERIC_TYPES.has(result.columnTypeId(index)), textOf, jsonOf };
          })
        : [],
      isPlan: result.statementType === StatementType.EXPLAIN,
      async *chunks() {
        for (;;) {
          const chunk = await mending(() => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          yield chunk.getRows();
        }
      },
    };
  }

  close(): void {
    this.#options.signal.removeEventListener('abort', this.#interrupt);
    clearInterval(this.#interrupting);
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  readonly #interrupt = (): void => {
    this.#interrupting ??= setInterval(() => {
      this.#connection.interrupt();
    }, INTERRUPT_EVERY_MS);
    this.#connection.interrupt();
  };

  async #mending<Value>(task: () => Promise<Value>): Promise<Value> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      signal.throwIfAborted();
      throw new CommandError(mend(messageOf(error), this.#options));
    }
  }
}

const READ_LESS =
  ', or read less: --since, a predicate on datehour, or samples_raw, which does not look for duplicates';

/** DuckDB's message, without advice that does not apply here. */
function mend(message: string, { memoryLimitBytes, readLess = READ_LESS }: EngineOptions): string {
  // The API's own words for SQL that holds no statement.
  if (message === 'Error in native callback') return 'the SQL is empty';
  if (message.startsWith('Out of Memory Error')) {
    const limit = `${Math.floor(memoryLimitBytes / 1024 ** 2)}MiB`;
    return `${message.split('\n', 1)[0]!}\nRaise --memory-limit (now ${limit})${readLess}`;
  }
  return message
    .replace(/^Failed to extract statements: /, '')
    .replace(/\s*Try setting 'auto_detect'[^\n]*/, '')
    .trimEnd();
}
