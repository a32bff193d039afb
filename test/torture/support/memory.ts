import { readFileSync } from 'node:fs';
import { MAX_IDLE_BYTES } from '../../../src/buffer_pool.ts';
import { Kernel } from '../../../src/kernel/kernel.ts';
import { DIRECTORY_LIMITS } from '../../../src/sinks/directory.ts';
import { FIREHOSE_LIMITS } from '../../../src/sinks/firehose.ts';
import { KINESIS_LIMITS } from '../../../src/sinks/kinesis.ts';
import { MOST_CONNECTIONS } from '../../../src/write/http.ts';
import type { Process } from '../../support/processes.ts';

const MIB = 1024 ** 2;

/** The options that memory depends on, and where records go. */
export interface MemoryOptions {
  readonly sink: 'kinesis' | 'firehose' | 'directory';
  readonly packing: 'none' | 'lines' | 'gzip';
  readonly maxInFlightMib: number;
  readonly maxBodyMib: number;
  readonly maxRequestLinesMib: number;
  /** How many come at most; all that are taken, unless told. */
  readonly connections?: number;
}

/** Node 20 to 24 with the program and its libraries: 77 MiB when it starts, the rest is compiled code and the young generation of a busy heap. */
const NODE_MIB = 120;
/** MAX_METADATA_BYTES of src/write/receive.ts. */
const METADATA_MIB = 16;
/** V8 collects at the latest when so much more was taken outside of its heap than was left by the collection before. */
const GARBAGE_MIB = 64;
/** Base64 of a line, and what stands around it in the body of a call: 38 bytes to a line of 160. */
const BODY_SHARE = 4 / 3 + 38 / 160;

/** As measured with 4,000 of them that have sent half of a head; one that is idle takes a quarter. */
const CONNECTION_KIB = 24;
/** src/write/lanes.ts: each has a kernel of its own. */
const LANES = 2;

const LIMITS = { kinesis: KINESIS_LIMITS, firehose: FIREHOSE_LIMITS, directory: DIRECTORY_LIMITS } as const;

/**
 * The most memory that the program may be seen to take (resident), in MiB; docs/operations.md explains the terms, and every row of the torture is held to it.
 */
export function memoryCeilingMib(options: MemoryOptions): number {
  return Object.values(memoryTermsMib(options)).reduce((sum, term) => sum + term, 0);
}

/** The same by what takes it. */
function memoryTermsMib(options: MemoryOptions) {
  const { sink, packing, maxInFlightMib, maxBodyMib, maxRequestLinesMib } = options;
  const { maxCallsInFlight, maxBytesPerCall } = LIMITS[sink];
  const kernel = new Kernel();
  const kernelMib = residentKernelMib(kernel, options);
  // What is larger than the kernel's memory is decompressed beside it, in the slow lane, and in either lane written beside it, into a buffer that grows to twice its size.
  const request = maxBodyMib * MIB > kernel.request.length ? maxBodyMib : 0;
  const lines = maxRequestLinesMib * MIB > kernel.lines.length ? 1.5 * maxRequestLinesMib : 0;
  // A request alone may hold more than there is room for.
  const inFlight = Math.max(maxInFlightMib, maxBodyMib, maxRequestLinesMib);
  const inCalls = Math.min((maxCallsInFlight * maxBytesPerCall) / MIB, inFlight);
  const idle = MAX_IDLE_BYTES / MIB;
  const calls = inCalls * callShare(sink, packing);
  return {
    node: NODE_MIB,
    connections: ((options.connections ?? MOST_CONNECTIONS) * CONNECTION_KIB) / 1024,
    kernels: LANES * kernelMib,
    metadata: METADATA_MIB,
    inFlight,
    reading: request + LANES * lines,
    calls,
    idle: Math.min(idle, inFlight) + Math.min(idle, calls),
    garbage: Math.min(GARBAGE_MIB, inFlight),
  };
}

/** Of the kernel's memory only what requests have needed becomes resident: as much as bodies, requests and lines may have. */
function residentKernelMib({ request, lines }: Kernel, { maxBodyMib, maxRequestLinesMib }: MemoryOptions): number {
  const unneeded = (bytes: number, mostMib: number) => Math.max(0, bytes / MIB - mostMib);
  // The body has as much room as the request that it becomes.
  const neverNeeded = 2 * unneeded(request.length, maxBodyMib) + unneeded(lines.length, maxRequestLinesMib);
  return lines.buffer.byteLength / MIB - neverNeeded;
}

/** What a call takes of what its lines do, if they do not compress at all. */
function callShare(sink: MemoryOptions['sink'], packing: MemoryOptions['packing']): number {
  if (sink === 'directory') return 1;
  return packing === 'none' ? BODY_SHARE : 1 + 4 / 3;
}

const SAMPLE_EVERY_MS = 100;

/** The highest resident memory of a row's processes, one after the other or at a time. */
export class PeakMemory {
  #peakKib = 0;

  /** Looks at a process until it ends. Linux. */
  watch(process: Process): void {
    const timer = setInterval(() => this.#look(process.pid), SAMPLE_EVERY_MS).unref();
    void process.exited.then(() => {
      clearInterval(timer);
    });
    this.#look(process.pid);
  }

  get peakMib(): number {
    return this.#peakKib / 1024;
  }

  /** The kernel keeps the peak, so that none is missed between two looks, but for what comes after the last one. */
  #look(pid: number): void {
    try {
      const peakKib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      this.#peakKib = Math.max(this.#peakKib, peakKib);
    } catch {
      // It has just ended.
    }
  }
}
