/**
 * Measures the whole way, from a sender's requests to the lines in the sink: `node …/bench/pipeline.js [--quick] [filter]`, after `npm run build`.
 * The filter is a part of a row's title or of its table's.
 */
import os from 'node:os';
import { runEndToEnd } from './end_to_end.ts';
import { latencyTable, scaleTables, seriesTable, sinkTable, type Pace } from './pipeline_rows.ts';
import { printHead, printRow, type Row, type Table } from './pipeline_table.ts';
import { BASE, type Measured } from './scenario.ts';
import { printTargets } from './targets.ts';

const given = process.argv.slice(2);
const pace: Pace = given.includes('--quick') ? 'quick' : 'full';
const filter = (given.find((word) => !word.startsWith('--')) ?? '').toLowerCase();
/** Each row is measured so often, all rows of a table in turn, and the run with the least CPU time counts. */
const PASSES = { full: 2, quick: 1 } as const;

/** Measures those rows of a table that the filter chooses, prints each, and returns them by title. */
async function runTable(table: Table, passes: number): Promise<Map<string, Measured>> {
  const best = new Map<string, Measured>();
  const rows = chosenRows(table);
  if (rows.length === 0) return best;
  printHead(table);
  for (let pass = 1; pass <= passes; pass++) {
    for (const row of rows) {
      const { title, scenario, comparedWith = '' } = row;
      const measured = await runEndToEnd(scenario);
      best.set(title, combine(best.get(title), measured));
      if (pass === passes) printRow(row, table, [best.get(title)!, best.get(comparedWith)]);
    }
  }
  return best;
}

/** The run with the least CPU time; of memory and of the slowest answers the most of both. */
function combine(before: Measured | undefined, measured: Measured): Measured {
  if (!before) return measured;
  const [least, other] =
    measured.cpuMicrosPerSample < before.cpuMicrosPerSample ? [measured, before] : [before, measured];
  const p99 = Math.max(least.ackMs.p99, other.ackMs.p99);
  return { ...least, rssMiB: Math.max(least.rssMiB, other.rssMiB), ackMs: { ...least.ackMs, p99 } };
}

/** A row brings along the one that it is compared with. */
function chosenRows({ title, rows }: Table): readonly Row[] {
  const isChosen = (row: Row) => `${title}\n${row.title}`.toLowerCase().includes(filter);
  return rows.filter(
    (row) => isChosen(row) || rows.some((other) => other.comparedWith === row.title && isChosen(other)),
  );
}

function describeMachine(): void {
  const cpus = os.cpus();
  console.log(
    `Node ${process.versions.node}, ${cpus.length} × ${cpus[0]?.model ?? 'unknown CPU'}, load before ${os.loadavg()[0]!.toFixed(1)}`,
  );
  const { warmUpMs, windowMs } = pace === 'full' ? BASE : sinkTable(pace).rows[0]!.scenario;
  console.log(
    [
      'A sender, the adapter as users start it, and a fake of the AWS service, a process each, on these cores together. CPU is user + system of all',
      `threads of the adapter, from /proc, over the samples that the fake accepted in a window of ${windowMs / 1000} s after ${warmUpMs / 1000} s of warming up; of ${PASSES[pace]} runs`,
      '(sinks and series) the one with the least, and of memory and p99 the most. After each run all lines in the sink are compared with all that was acknowledged. Shares are of one core.',
    ].join('\n'),
  );
}

// The adapter is ended when this process exits, which a signal alone does not make it do.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

describeMachine();
const sinks = await runTable(sinkTable(pace), PASSES[pace]);
const series = await runTable(seriesTable(pace), PASSES[pace]);
for (const table of scaleTables(pace)) await runTable(table, 1);
let latency = new Map<string, Measured>();
if (chosenRows(latencyTable(pace, 1)).length > 0) {
  const none = sinks.get('none, Kinesis') ?? (await runEndToEnd({ ...BASE, packing: 'none' }));
  latency = await runTable(latencyTable(pace, none.samplesPerSecond), 1);
}
printTargets({ sinks, series, latency });
console.log(`\nload after ${os.loadavg()[0]!.toFixed(1)}`);
