import { Kernel, type WriteSeriesOptions } from '../../src/kernel/kernel.ts';

/** A kernel that counts what it takes, so that one that leaves everything does not pass for a right one. */
export class WatchedKernel extends Kernel {
  /** Lines of samples; the caller's to set back. */
  takenLines = 0;

  override writeSeriesV1(options: WriteSeriesOptions): number {
    return this.#watch(options, super.writeSeriesV1(options));
  }

  override writeSeriesV2(options: WriteSeriesOptions): number {
    return this.#watch(options, super.writeSeriesV2(options));
  }

  #watch({ count }: WriteSeriesOptions, stop: number): number {
    this.takenLines += this.count - count;
    return stop;
  }
}
