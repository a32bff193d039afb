/**
 * The body of a PutRecords or PutRecordBatch call, and its answer. A module of its own, whose memory is laid out by src/kernel/put_kernel.ts.
 */
export { countEntries } from './put_answer';
export { writeRecords } from './put_body';

/** Where the memory is the caller's from on. */
export function firstFree(): usize {
  return (__heap_base + 15) & ~15;
}
