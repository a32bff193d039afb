import { countsOfKinds } from '../record.ts';
import { timeOf } from '../wire/series.ts';
import { explainTime, type LineProblem, type RawLabel } from './problems.ts';

/** What became of all that a request holds: `received` = lines + `skipped` + `rejected`. */
export class Tally {
  readonly received = countsOfKinds();
  readonly skipped = countsOfKinds();
  readonly rejected = new Map<LineProblem, number>();
  /** What is wrong with the first that was rejected. */
  firstProblem: string | undefined;
  /** Labels with an empty value, which were left out. */
  emptyLabels = 0;
  /** What is later than this is rejected; undefined when nothing is. */
  readonly maxTimeMs: number | undefined;

  constructor(maxTimeMs?: number) {
    this.maxTimeMs = maxTimeMs;
  }

  /** Whether a time, given by its halves, is not too late; else what has it is rejected. */
  allowsTime(low: number, high: number, labels: () => Iterable<RawLabel>): boolean {
    const timeMs = timeOf(low, high);
    if (this.maxTimeMs === undefined || timeMs <= this.maxTimeMs) return true;
    this.reject('too_far_in_future', 1, () => explainTime(labels(), timeMs));
    return false;
  }

  reject(problem: LineProblem, count: number, explain: () => string): void {
    if (count === 0) return;
    this.rejected.set(problem, (this.rejected.get(problem) ?? 0) + count);
    this.firstProblem ??= explain();
  }
}
