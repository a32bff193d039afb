import { PutKernel } from '../kernel/put_kernel.ts';

let kernel: PutKernel | undefined;

/** One for all calls of all sinks, made by the first. */
export function putKernel(): PutKernel {
  return (kernel ??= new PutKernel());
}
