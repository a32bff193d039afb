import type { Lines } from '../record.ts';
import type { SinkLimits, Span } from '../sinks/sink.ts';

/** A run of lines of a request, [from, to). */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** A request as the queue sees it. */
export interface Waiting {
  readonly lines: Lines;
  /** When its lines were queued, in milliseconds since the epoch. */
  readonly queuedAtMs: number;
  /** Its lines that wait: ascending, apart from each other. The queue's to change. */
  readonly ranges: Range[];
}

/** A span that still knows whose it is. */
export interface RequestSpan<Request> extends Span {
  readonly request: Request;
}

/** Lines that wait for a sink call, those of the oldest request first, also after they were put back. */
export class LineQueue<Request extends Waiting> {
  readonly #requests = new Set<Request>();
  readonly #limits: SinkLimits;
  #count = 0;
  #bytes = 0;

  constructor(limits: SinkLimits) {
    this.#limits = limits;
  }

  /** Lines that wait. */
  get count(): number {
    return this.#count;
  }

  /** Whether what waits fills a call. */
  get isFull(): boolean {
    const { maxRecordsPerCall, maxBytesPerCall, overheadBytesPerRecord } = this.#limits;
    return this.#count >= maxRecordsPerCall || this.#bytes + this.#count * overheadBytesPerRecord >= maxBytesPerCall;
  }

  /** When the oldest lines that wait were queued; undefined when nothing waits. */
  get oldestQueuedAtMs(): number | undefined {
    for (const { ranges, queuedAtMs } of this.#requests) if (ranges.length > 0) return queuedAtMs;
    return undefined;
  }

  /** Adds a request behind all others, with all of its lines waiting. */
  add(request: Request): void {
    this.#requests.add(request);
    this.putBack(request, { from: 0, to: request.lines.ends.length });
  }

  /** Puts lines that were taken back in their place. */
  putBack({ ranges, lines }: Request, range: Range): void {
    const index = ranges.findIndex(({ from }) => from > range.from);
    ranges.splice(index < 0 ? ranges.length : index, 0, range);
    this.#count += range.to - range.from;
    this.#bytes += bytesOf(lines, range);
  }

  /** Forgets a request, with the lines that still wait. */
  remove(request: Request): void {
    for (const range of request.ranges.splice(0)) this.#forget(request.lines, range);
    this.#requests.delete(request);
  }

  /** Takes the lines for one call, oldest request first; empty when nothing waits. */
  take(): RequestSpan<Request>[] {
    const { maxRecordsPerCall, maxBytesPerCall, overheadBytesPerRecord } = this.#limits;
    const batch: RequestSpan<Request>[] = [];
    let room = { records: maxRecordsPerCall, bytes: maxBytesPerCall };
    for (const request of this.#requests) {
      const { lines, ranges } = request;
      for (let range = ranges[0]; range; range = ranges[0]) {
        const taken = { from: range.from, to: this.#fit(lines, range, room) };
        const count = taken.to - taken.from;
        if (count === 0) return batch;
        if (taken.to === range.to) ranges.shift();
        else ranges[0] = { from: taken.to, to: range.to };
        this.#forget(lines, taken);
        batch.push({ request, lines, ...taken });
        room = {
          records: room.records - count,
          bytes: room.bytes - bytesOf(lines, taken) - count * overheadBytesPerRecord,
        };
      }
    }
    return batch;
  }

  /** The end of the longest run from the range's start that has room. */
  #fit(lines: Lines, { from, to }: Range, room: { records: number; bytes: number }): number {
    const overhead = this.#limits.overheadBytesPerRecord;
    const most = Math.min(to, from + room.records);
    if (bytesOf(lines, { from, to: most }) + (most - from) * overhead <= room.bytes) return most;
    let end = from;
    while (end < most && bytesOf(lines, { from, to: end + 1 }) + (end + 1 - from) * overhead <= room.bytes) end++;
    return end;
  }

  #forget(lines: Lines, range: Range): void {
    this.#count -= range.to - range.from;
    this.#bytes -= bytesOf(lines, range);
  }
}

function bytesOf({ ends }: Lines, { from, to }: Range): number {
  return (to === 0 ? 0 : ends[to - 1]!) - (from === 0 ? 0 : ends[from - 1]!);
}
