/** What a scenario came to with a sink, in samples. Every row is held to `lost` 0 and to the ceiling. */
export interface Row {
  /** What was done, how often or how long, and who sent, where that is not the generator. */
  readonly scenario: string;
  readonly sink: string;
  /** Distinct samples that senders were given. */
  readonly sent: number;
  /** Those that were answered 2xx. */
  readonly acknowledged: number;
  /** Lines in the sink at the end. */
  readonly delivered: number;
  /** Lines that were there already. */
  readonly duplicated: number;
  /** Samples that are not in the sink at the end, after their sender has finished trying: acknowledged or not. */
  readonly lost: number;
  /** Highest resident memory of an adapter, and what its options allow (memory.ts). */
  readonly peakMib: number;
  readonly ceilingMib: number;
  /** From the end of the fault, or the kill, to the first acknowledged write, in seconds; the worst of all. Undefined where writes never ceased. */
  readonly recoverySeconds: number | undefined;
}

/** A row with the file that it comes from, by which the table is sorted. */
export interface RecordedRow extends Row {
  readonly file: string;
}

export const HEADINGS = [
  'scenario',
  'sink',
  'sent',
  'acknowledged',
  'delivered',
  'duplicated',
  'lost',
  'peak RSS of ceiling, MiB',
  'recovery, s',
] as const;

/** A row as texts, by HEADINGS. */
export function cellsOf(row: Row): string[] {
  const counts = [row.sent, row.acknowledged, row.delivered, row.duplicated, row.lost];
  return [
    row.scenario,
    row.sink,
    ...counts.map((count) => count.toLocaleString('en-US')),
    `${row.peakMib.toFixed(0)} of ${row.ceilingMib.toFixed(0)}`,
    row.recoverySeconds === undefined ? '–' : row.recoverySeconds.toFixed(1),
  ];
}
