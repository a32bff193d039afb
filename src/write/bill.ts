import type { Metrics } from '../metrics.ts';
import type { Batch, Rejected, SinkLimits } from '../sinks/sink.ts';

export interface BillOptions {
  /** Records that were not taken, ascending by index: they cost nothing. */
  readonly rejected: readonly Rejected[];
  readonly limits: SinkLimits;
  readonly metrics: Metrics;
}

/** Counts what the accepted records of a call cost: each is rounded up to whole billing units, its partition key included. */
export function countBill(batch: Batch, { rejected, limits, metrics }: BillOptions): void {
  const { overheadBytesPerRecord, billingUnitBytes } = limits;
  let records = 0;
  let bytes = 0;
  let units = 0;
  let next = 0;
  let index = 0;
  for (const { lines, from, to } of batch) {
    let start = from === 0 ? 0 : lines.ends[from - 1]!;
    for (let line = from; line < to; line++, index++) {
      const end = lines.ends[line]!;
      const size = end - start + overheadBytesPerRecord;
      start = end;
      if (rejected[next]?.index === index) {
        next++;
        continue;
      }
      records++;
      bytes += size;
      if (billingUnitBytes !== undefined) units += Math.ceil(size / billingUnitBytes);
    }
  }
  metrics.records.inc(records);
  metrics.recordBytes.inc(bytes);
  metrics.billingUnits.inc(units);
}
