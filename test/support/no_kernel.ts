import { Kernel } from '../../src/kernel/kernel.ts';

/** A kernel that takes no request, so that all is done by what takes what the kernel leaves. */
export class NoKernel extends Kernel {
  override tryTake(): undefined {
    return undefined;
  }
}
