import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDir } from './archive.ts';
import { FakeLake, type LakeOptions } from './fake_lake.ts';
import { afterCompaction, writeArrivals, type Arrivals } from './lake_archive.ts';
import { runMachine, type Machine, type Service } from './states.ts';
import { readTemplate, stackOf } from './template.ts';

/** The state machine of the stack, run as it stands over an archive, with DuckDB in the place of Athena. */

const MACHINE = stackOf(readTemplate()).resources['Compaction']!.Properties['Definition'] as Machine & {
  readonly QueryLanguage: string;
};
export const VIEWS = ['samples_raw', 'samples', 'histograms', 'exemplars', 'metadata'] as const;

let executions = 0;

/** One execution, at a time. */
export async function compact(
  lake: FakeLake,
  now: string,
  service: Service = lake.service,
  machine = MACHINE,
): Promise<void> {
  const Name = `run-${++executions}`;
  await runMachine(machine, service, { Id: `arn:${Name}`, Name, StartTime: now });
}

/** The machine, with another most of days that a run does. */
export function machineOfDays(most: number): typeof MACHINE {
  const machine = structuredClone(MACHINE);
  Object.assign(machine.States['Statements']!.Assign!, { daysLeft: most });
  return machine;
}

/** A bucket with these arrivals, for the time of a test. */
export async function lakeOf(lines: Arrivals, options?: LakeOptions): Promise<FakeLake> {
  const dir = temporaryDir();
  writeArrivals(dir, lines);
  const lake = await FakeLake.open(dir, options);
  onTestFinished(() => {
    lake.close();
  });
  return lake;
}

/** The hour from which on a view reads lines as they came. */
export function hourOf(lake: FakeLake, view: string): string {
  return /datehour >= '([^']+)'/.exec(lake.views.get(view)!)![1]!;
}

/**
 * The rows of a view. Of numbers in `samples_raw` the text is the line's own before compaction and the engine's after it, so they come as
 * numbers; which of 0 and −0 stays of two copies is not said, so they come as one.
 */
export async function rowsOf(lake: FakeLake, view: string): Promise<Record<string, string>[]> {
  const [names, ...rows] = await lake.query(`SELECT * FROM ${view}`);
  return rows.map((row) => {
    const fields = Object.fromEntries(row.map((text, index) => [names![index]!, text]));
    const { value } = fields;
    if (value === undefined || value === 'NULL') return fields;
    return { ...fields, value: String(Number(value.replace(/^(-?)inf$/, '$1Infinity'))) };
  });
}

/** Rows as a set that can be compared. */
export function asSet(rows: readonly Readonly<Record<string, string>>[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** What the views must answer once arrivals before an hour are compacted: asked of an archive that has JSON alone, and no copies. */
export class Expected {
  readonly #lines: Arrivals;
  readonly #answers = new Map<string, Map<string, Record<string, string>[]>>();

  constructor(lines: Arrivals) {
    this.#lines = lines;
  }

  async rows(view: string, hour: string): Promise<Record<string, string>[]> {
    let answers = this.#answers.get(hour);
    if (!answers) {
      answers = await this.#ask(hour);
      this.#answers.set(hour, answers);
    }
    return answers.get(view)!;
  }

  async #ask(hour: string): Promise<Map<string, Record<string, string>[]>> {
    const dir = mkdtempSync(join(tmpdir(), 'expected-'));
    writeArrivals(dir, afterCompaction(this.#lines, hour));
    const lake = await FakeLake.open(dir);
    try {
      // At such a time every day is too young: this makes the views only.
      await compact(lake, '2000-01-01T00:00:00.000Z');
      const answers = new Map<string, Record<string, string>[]>();
      for (const view of VIEWS) answers.set(view, await rowsOf(lake, view));
      return answers;
    } finally {
      lake.close();
      rmSync(dir, { recursive: true });
    }
  }
}
