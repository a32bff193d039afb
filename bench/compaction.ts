/**
 * Measures the compaction of a day, and what it is good for: `node …/bench/compaction.js [--series 10000] [--scrapes 5760]`, after `npm run build`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { COMPACTED_FOLDER, frameMember, hourFolder } from '../src/archive.ts';
import { Engine } from '../src/read/duckdb.ts';
import { readManifest } from '../src/read/manifest.ts';
import { choosePartitions } from '../src/read/query_files.ts';
import { A_METRIC, lineOf, SCRAPE_EVERY_MS, writeDay } from './compaction_archive.ts';
import { packageRoot } from './package_root.ts';
import { readPeakRssMiB } from './process_usage.ts';

const { values: given } = parseArgs({
  options: { series: { type: 'string', default: '10000' }, scrapes: { type: 'string', default: '5760' } },
});
const seriesCount = Number(given.series);
const samplesPerSeries = Number(given.scrapes);
const lines = seriesCount * samplesPerSeries;
const DAY = Date.UTC(2020, 10, 20);
const RUNS = 3;
const CLI = join(packageRoot(), 'dist/cli.js');
/** Of a metric for each hour of the day; a mean would depend on the order in which it is added up. */
const SQL = `SELECT "time" // 3600000 AS hour, count(*) AS n, min("value") AS least, max("value") AS most FROM samples WHERE name = '${A_METRIC}' GROUP BY hour ORDER BY hour`;
const TIMES = ['--from', '2020-11-20', '--to', '2020-11-21'];

interface Ran {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly stdout: string;
}

/** Runs the program as its users do. */
async function run(...args: readonly string[]): Promise<Ran> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  let peakMiB = 0;
  const looking = setInterval(() => {
    try {
      peakMiB = Math.max(peakMiB, readPeakRssMiB(child.pid!));
    } catch {
      // It has just ended.
    }
  }, 20);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`${args[0]!} ended with ${code}`);
  return { seconds: (performance.now() - startMs) / 1_000, peakMiB, stdout };
}

function compact(dir: string): Promise<Ran> {
  return run('compact', '--archive-dir', dir);
}

/** The median of several runs; all must answer the same. */
async function query(dir: string, runs: number): Promise<{ readonly seconds: number; readonly answer: string }> {
  const done: Ran[] = [];
  for (let index = 0; index < runs; index++) {
    done.push(await run('query', '--archive-dir', dir, '--format', 'csv', ...TIMES, SQL));
  }
  const answers = new Set(done.map(({ stdout }) => stdout));
  if (answers.size !== 1) throw new Error('a query answers otherwise each time');
  const seconds = done.map((one) => one.seconds).sort((a, b) => a - b);
  return { seconds: seconds[Math.floor(seconds.length / 2)]!, answer: [...answers][0]! };
}

interface Read {
  readonly fileBytes: number;
  /** Of the columns that the query needs, in the row groups that can hold the metric. */
  readonly queryBytes: number;
  readonly files: number;
}

async function bytesOf(dir: string): Promise<Read> {
  const parquet = choosePartitions(await readManifest(dir), { fromMs: DAY, toMs: DAY + 86_400_000 });
  const list = parquet.map((path) => `'${join(dir, COMPACTED_FOLDER, path)}'`).join();
  const { signal } = new AbortController();
  const engine = await Engine.open({ memoryLimitBytes: 1024 ** 3, spillDir: join(dir, 'spill'), signal });
  const [row] = await engine.rows(`
    WITH chunks AS (SELECT * FROM parquet_metadata([${list}])),
      wanted AS (
        SELECT file_name, row_group_id FROM chunks
        WHERE path_in_schema = 'name' AND '${A_METRIC}' BETWEEN stats_min_value AND stats_max_value
      )
    SELECT CAST(sum(total_compressed_size) AS DOUBLE), CAST(sum(total_compressed_size) FILTER (
      path_in_schema IN ('kind', 'name', 'time', 'value', 'stale', 'datehour') OR path_in_schema LIKE 'labels%'
    ) AS DOUBLE) FROM chunks JOIN wanted USING (file_name, row_group_id)`);
  const [sizes] = await engine.rows(`SELECT CAST(sum(size) AS DOUBLE) FROM read_blob([${list}])`);
  engine.close();
  return { fileBytes: sizes![0] as number, queryBytes: row![1] as number, files: parquet.length };
}

function say(text: string): void {
  console.log(text);
}

const perSample = (bytes: number) => `${(bytes / lines).toFixed(2)} B`;
const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

const dir = mkdtempSync(join(os.tmpdir(), 'bench-compaction-'));
process.once('exit', () => {
  rmSync(dir, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: packageRoot(), encoding: 'utf8' }).trim();
say(
  `${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown CPU'}, load before ${os.loadavg()[0]!.toFixed(1)}`,
);
const written = await writeDay({ dir, startMs: DAY, seriesCount, samplesPerSeries });
say(
  `a day of ${seriesCount} series × ${samplesPerSeries} samples: ${lines} lines of ${perSample(written.lineBytes)}, ${mb(written.fileBytes)} of gzip`,
);

const fromJson = await query(dir, RUNS);
const compacted = await compact(dir);
say(compacted.stdout.trimEnd());
say(
  `compact: ${compacted.seconds.toFixed(0)} s, ${(lines / compacted.seconds / 1e3).toFixed(0)} k lines/s, peak RSS ${compacted.peakMiB.toFixed(0)} MiB`,
);
const read = await bytesOf(dir);
say(
  `a sample: JSON ${perSample(written.lineBytes)}, gzip ${perSample(written.fileBytes)}, Parquet ${perSample(read.fileBytes)} (${read.files} files), a ${(written.fileBytes / read.fileBytes).toFixed(1)}th of gzip`,
);
const fromParquet = await query(dir, RUNS);
if (fromParquet.answer !== fromJson.answer) throw new Error('the answers differ');
const ratio = fromJson.seconds / fromParquet.seconds;
say(
  `one metric of the day, the whole command, median of ${RUNS}: JSON ${fromJson.seconds.toFixed(2)} s, Parquet ${fromParquet.seconds.toFixed(2)} s, ${ratio.toFixed(0)} times faster`,
);
say(
  `bytes that it reads: JSON ${mb(written.fileBytes)}, Parquet ${mb(read.queryBytes)}, a ${(written.fileBytes / read.queryBytes).toFixed(0)}th`,
);

// The last scrape of a day arrives in the next one as often as not: the day's partition is written anew.
const late = Array.from({ length: seriesCount }, (_, index) =>
  lineOf(index, DAY + samplesPerSeries * SCRAPE_EVERY_MS - 1),
);
const path = join(dir, hourFolder(DAY + 86_400_000), 'late.json.gz');
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, frameMember(gzipSync(late.join(''))));
const again = await compact(dir);
say(again.stdout.trimEnd());
say(
  `the day again, for ${seriesCount} late lines: ${again.seconds.toFixed(0)} s, peak RSS ${again.peakMiB.toFixed(0)} MiB`,
);
say(`load after ${os.loadavg()[0]!.toFixed(1)}`);
if (ratio < 20) throw new Error('one metric is not answered 20 times faster');
if (Math.max(compacted.peakMiB, again.peakMiB) >= 2_048) throw new Error('it took 2 GiB or more');
