import type { Measured, Scenario } from './scenario.ts';

/** A row of a table: a scenario, and the row before it that its cost is compared with. */
export interface Row {
  readonly title: string;
  readonly scenario: Scenario;
  /** Title of a row of the same table. */
  readonly comparedWith?: string;
}

export type ColumnValue = (measured: Measured, compared: Measured | undefined) => string;

export interface Table {
  readonly title: string;
  readonly columns: Readonly<Record<string, ColumnValue>>;
  readonly rows: readonly Row[];
}

const TITLE_WIDTH = 42;
const LEAST_WIDTH = 9;

const ms = (value: number | undefined) => (value === undefined ? '' : value.toFixed(1));
const ratio = (over: number | undefined, under: number) => (over === undefined ? '' : (over / under).toFixed(2));
const percent = (share: number) => (share * 100).toFixed(0);

export const COST = {
  'CPU µs/sample': ({ cpuMicrosPerSample }) => cpuMicrosPerSample.toFixed(3),
} satisfies Table['columns'];

/** The row that is compared with ÷ this one. */
export const LIBRARIES_RATIO = {
  'libraries ÷ ours': ({ cpuMicrosPerSample }, libraries) => ratio(libraries?.cpuMicrosPerSample, cpuMicrosPerSample),
} satisfies Table['columns'];

/** This row ÷ the one that it is compared with. */
export const SCALE_RATIO = {
  '÷ first': ({ cpuMicrosPerSample }, first) => (first ? ratio(cpuMicrosPerSample, first.cpuMicrosPerSample) : ''),
} satisfies Table['columns'];

export const LOAD = {
  'samples/s': ({ samplesPerSecond }) => Math.round(samplesPerSecond).toLocaleString('en'),
  'main thread %': ({ mainThreadShare }) => percent(mainThreadShare),
  'other threads %': ({ cpuMicrosPerSample, samplesPerSecond, mainThreadShare }) =>
    percent((cpuMicrosPerSample * samplesPerSecond) / 1e6 - mainThreadShare),
  'sender + fake %': ({ aroundShare }) => percent(aroundShare),
  'RSS MiB': ({ rssMiB }) => rssMiB.toFixed(0),
} satisfies Table['columns'];

export const ACK = {
  'ack p50 ms': ({ ackMs }) => ms(ackMs.p50),
  'p99 ms': ({ ackMs }) => ms(ackMs.p99),
} satisfies Table['columns'];

export const FAKE = {
  requests: ({ ackMs }) => String(ackMs.count),
  'fake p50 ms': ({ fakeMs }) => ms(fakeMs?.p50),
  'fake p99 ms': ({ fakeMs }) => ms(fakeMs?.p99),
  'ack ÷ fake, p99': ({ ackMs, fakeMs }) => ratio(ackMs.p99, fakeMs?.p99 ?? NaN),
} satisfies Table['columns'];

export function printHead({ title, columns }: Table): void {
  console.log(`\n${title}\n${''.padEnd(TITLE_WIDTH)}${Object.keys(columns).map(padded).join('')}`);
}

export function printRow(
  { title }: Row,
  { columns }: Table,
  measured: readonly [Measured, Measured | undefined],
): void {
  const cells = Object.entries(columns).map(([name, value]) => value(...measured).padStart(padded(name).length));
  console.log(title.padEnd(TITLE_WIDTH) + cells.join(''));
}

function padded(name: string): string {
  return `  ${name.padStart(LEAST_WIDTH)}`;
}
