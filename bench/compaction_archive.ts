/**
 * An archive of one day as the directory sink writes it, made by formula: what ten node_exporters and more have, scraped every 15 seconds.
 *
 * A metric has four series of a target. Of the series 45% are always 0 and 15% always another integer, 25% are counters of whole numbers, 7%
 * counters with two decimals, 6% gauges with nine and 2% gauges with all the digits of a double: the shares of values in test/fixtures, and what
 * values of the kind do over time.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileName, frameMember, hourFolder } from '../src/archive.ts';
import { BufferPool } from '../src/buffer_pool.ts';
import { gzipParts } from '../src/gzip.ts';

export interface Day {
  readonly dir: string;
  /** When its first scrape begins. */
  readonly startMs: number;
  readonly seriesCount: number;
  /** Of every series. */
  readonly samplesPerSeries: number;
}

export interface Written {
  readonly lines: number;
  /** Of the lines as they are, and of the files. */
  readonly lineBytes: number;
  readonly fileBytes: number;
}

export const SCRAPE_EVERY_MS = 15_000;
const SERIES_PER_TARGET = 1_000;
/** What one file of the directory sink holds. */
const MAX_FILE_BYTES = 64 * 1024 ** 2;

const SERIES_PER_METRIC = 4;
const SUBSYSTEMS = [
  'cpu',
  'memory',
  'network',
  'disk',
  'filesystem',
  'softnet',
  'sockstat',
  'schedstat',
  'netstat',
  'vmstat',
];
const FIELDS = ['seconds_total', 'available_bytes', 'receive_bytes_total', 'io_time_seconds_total', 'free'];
const MODES = ['idle', 'iowait', 'system', 'user'];

/** One of the metrics, which all have as many series. */
export const A_METRIC = nameOf(2);

interface Series {
  readonly head: string;
  readonly tail: string;
  readonly offsetMs: number;
  readonly step: (scrape: number) => string;
}

/** Writes the day, a gzip member for each scrape of all targets. */
export async function writeDay({ dir, startMs, seriesCount, samplesPerSeries }: Day): Promise<Written> {
  const series = Array.from({ length: seriesCount }, (_, index) => makeSeries(index));
  const files = new Files(dir);
  const pool = new BufferPool();
  let lineBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  for (let scrape = 0; scrape < samplesPerSeries; scrape++) {
    const atMs = startMs + scrape * SCRAPE_EVERY_MS;
    let text = '';
    for (const { head, tail, offsetMs, step } of series) text += `${head}${atMs + offsetMs}${step(scrape)}${tail}`;
    const bytes = Buffer.from(text, 'latin1');
    lineBytes += bytes.length;
    const member = gzipParts([bytes], { pool, expectedBytes: bytes.length / 10 });
    await writing;
    writing = member.then((compressed) => {
      files.append(atMs, frameMember(compressed));
    });
  }
  await writing;
  return { lines: seriesCount * samplesPerSeries, lineBytes, fileBytes: files.close() };
}

/** One line of a series, at a time. */
export function lineOf(series: number, atMs: number): string {
  const { head, tail, step } = makeSeries(series);
  return `${head}${atMs}${step(0)}${tail}`;
}

class Files {
  readonly #dir: string;
  #folder = '';
  #file: number | undefined;
  #fileBytes = 0;
  #allBytes = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  append(atMs: number, member: Uint8Array): void {
    const folder = hourFolder(atMs);
    if (this.#file === undefined || folder !== this.#folder || this.#fileBytes >= MAX_FILE_BYTES) {
      this.close();
      const id = createHash('sha256').update(String(atMs)).digest('hex').slice(0, 36);
      const path = join(this.#dir, folder, fileName(atMs, id));
      mkdirSync(dirname(path), { recursive: true });
      this.#file = openSync(path, 'w');
      this.#folder = folder;
      this.#fileBytes = 0;
    }
    writeSync(this.#file, member);
    this.#fileBytes += member.length;
    this.#allBytes += member.length;
  }

  /** @returns bytes of all files */
  close(): number {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    return this.#allBytes;
  }
}

function makeSeries(index: number): Series {
  const target = Math.floor(index / SERIES_PER_TARGET);
  const member = index % SERIES_PER_TARGET;
  const name = nameOf(Math.floor(member / SERIES_PER_METRIC));
  const labels = {
    __name__: name,
    instance: `10.0.${target >> 8}.${target & 255}:9100`,
    job: 'node',
    mode: MODES[member % SERIES_PER_METRIC]!,
    zone: 'eu-central-1a',
  };
  return {
    head: `{"name":"${name}","time":`,
    tail: `,"labels":${JSON.stringify(labels)}}\n`,
    // Targets are scraped one after the other, each at its own time within the interval.
    offsetMs: (target * 7_919) % SCRAPE_EVERY_MS,
    step: valuesOf(index),
  };
}

function nameOf(metric: number): string {
  const subsystem = SUBSYSTEMS[metric % SUBSYSTEMS.length]!;
  const field = FIELDS[Math.floor(metric / SUBSYSTEMS.length) % FIELDS.length]!;
  return `node_${subsystem}_${Math.floor(metric / SUBSYSTEMS.length / FIELDS.length)}_${field}`;
}

/** The values of a series, scrape by scrape, as they stand in a line. */
function valuesOf(series: number): Series['step'] {
  const random = (scrape: number) => Math.imul(series * 31 + scrape + 1, 0x9e37_79b1) >>> 0;
  const share = random(0) % 100;
  const value = (number: number) => `,"value":${number}`;
  if (share < 45) return () => ',"value":0';
  if (share < 60) return () => value(random(0));
  if (share < 85) {
    let count = random(0);
    return (scrape) => value((count += random(scrape) % 100_000));
  }
  if (share < 92) {
    let hundredths = random(0) % 1e9;
    return (scrape) => value((hundredths += random(scrape) % 1_500) / 100);
  }
  if (share < 98) return (scrape) => value((random(scrape) >>> 4) / 1e9);
  return (scrape) => value(random(scrape) / 3e7);
}
