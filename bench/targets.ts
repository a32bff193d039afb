import { tableRow } from './table.ts';
import type { Measured } from './scenario.ts';

/** What was measured, by the title of the row. */
export interface Results {
  readonly sinks: ReadonlyMap<string, Measured>;
  readonly series: ReadonlyMap<string, Measured>;
  readonly latency: ReadonlyMap<string, Measured>;
}

interface Target {
  readonly title: string;
  readonly atLeast: number;
  readonly aim: number;
  /** Most targets are the most that something may cost. */
  readonly isLowerBound?: true;
  readonly digits?: number;
  /** NaN when it was not measured. */
  readonly value: (results: Results) => number;
}

const cpu = (measured: Measured | undefined) => measured?.cpuMicrosPerSample ?? NaN;
const gzip = ({ sinks }: Results) => sinks.get('gzip, Kinesis');
const none = ({ sinks }: Results) => sinks.get('none, Kinesis');
const ackOverFake = (measured: Measured | undefined) => (measured?.ackMs.p99 ?? NaN) / (measured?.fakeMs?.p99 ?? NaN);

/** On two cores, with the sender and the fake on the same two. 2.04 M/s is what vmagent 1.145 acknowledged on such a machine, without a durable write. */
const TARGETS: readonly Target[] = [
  { title: 'CPU µs/sample, gzip', atLeast: 1, aim: 0.6, digits: 2, value: (results) => cpu(gzip(results)) },
  { title: 'CPU µs/sample, none', atLeast: 2.5, aim: 1.5, digits: 2, value: (results) => cpu(none(results)) },
  {
    title: 'libraries ÷ ours, gzip',
    ...{ atLeast: 8, aim: 12, isLowerBound: true, digits: 1 },
    value: (results) => cpu(results.sinks.get('gzip, Kinesis: plain libraries')) / cpu(gzip(results)),
  },
  {
    title: 'libraries ÷ ours, none',
    ...{ atLeast: 3, aim: 5, isLowerBound: true, digits: 1 },
    value: (results) => cpu(results.sinks.get('none, Kinesis: plain libraries')) / cpu(none(results)),
  },
  {
    title: 'samples/s, gzip (reported)',
    ...{ atLeast: 1_000_000, aim: 2_040_000, isLowerBound: true },
    value: (results) => gzip(results)?.samplesPerSecond ?? NaN,
  },
  {
    title: 'samples/s, none (reported)',
    ...{ atLeast: 300_000, aim: 500_000, isLowerBound: true },
    value: (results) => none(results)?.samplesPerSecond ?? NaN,
  },
  {
    title: 'samples/s, directory (reported)',
    ...{ atLeast: 700_000, aim: 1_200_000, isLowerBound: true },
    value: ({ sinks }) => sinks.get('directory')?.samplesPerSecond ?? NaN,
  },
  {
    title: 'CPU µs/sample, 1 M series ÷ 1 thousand',
    ...{ atLeast: 1.3, aim: 1.05, digits: 2 },
    value: ({ series }) => cpu(series.get('1 million')) / cpu(series.get('1 thousand')),
  },
  {
    title: 'RSS MiB at full load, the most of all sinks',
    ...{ atLeast: 300, aim: 150 },
    value: ({ sinks }) =>
      Math.max(...[...sinks].flatMap(([title, { rssMiB }]) => (title.includes('libraries') ? [] : [rssMiB]))),
  },
  {
    title: 'ack p99 ÷ fake p99 at 10% load, none',
    ...{ atLeast: 5, aim: 2, digits: 1 },
    value: ({ latency }) => ackOverFake(latency.get('2000 a request, the fake thinks 0 ms')),
  },
];

/** Prints what was measured beside what was asked for; nothing where a filter left something out. */
export function printTargets(results: Results): void {
  if (results.sinks.size === 0 || results.series.size === 0 || results.latency.size === 0) return;
  console.log(`\n${tableRow('Targets', ['at least', 'aim', 'measured', 'holds'])}`);
  for (const { title, atLeast, aim, isLowerBound, digits = 0, value } of TARGETS) {
    const measured = value(results);
    const holds = (bound: number) => (isLowerBound ? measured >= bound : measured <= bound);
    const verdict = holds(aim) ? 'aim' : holds(atLeast) ? 'at least' : 'missed';
    const text = (number: number) => number.toLocaleString('en', { maximumFractionDigits: digits });
    console.log(tableRow(title, [text(atLeast), text(aim), text(measured), verdict]));
  }
}
