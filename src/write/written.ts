import type { ServerResponse } from 'node:http';
import { countsOfKinds, kindOfLine, type Kind, type Lines } from '../record.ts';
import type { Range } from './batch.ts';

/** The header of each kind whose number a sender is told: remote write 2.0 specification, "Required Written Response Headers". */
const HEADERS = {
  sample: 'X-Prometheus-Remote-Write-Samples-Written',
  histogram: 'X-Prometheus-Remote-Write-Histograms-Written',
  exemplar: 'X-Prometheus-Remote-Write-Exemplars-Written',
} as const satisfies Partial<Record<Kind, string>>;

export type Written = Readonly<Record<keyof typeof HEADERS, number>>;

export const NOTHING_WRITTEN: Written = countsOfKinds();

/** What stands in these runs of lines. */
export function countWritten({ bytes, ends }: Lines, ranges: readonly Range[]): Written {
  const counts = countsOfKinds();
  for (const { from, to } of ranges) {
    for (let index = from; index < to; index++) counts[kindOfLine(bytes, index === 0 ? 0 : ends[index - 1]!)]++;
  }
  return counts;
}

/** Sets the headers that tell a remote write 2.0 sender what was written. */
export function setWritten(response: ServerResponse, written: Written): void {
  if (response.headersSent) return;
  for (const kind of ['sample', 'histogram', 'exemplar'] as const) response.setHeader(HEADERS[kind], written[kind]);
}
