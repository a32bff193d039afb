import type { Lines } from '../record.ts';
import type { Span } from '../sinks/sink.ts';

/** A run of lines of a request, [from, to). */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A request as the queue sees it. */
export interface Waiting {
  readonly lines: Lines;
  /** When its lines were queued, in milliseconds. */
  readonly queuedAtMs: number;
  /** Its lines that wait: ascending, apart from each other. The queue's to change. */
  readonly ranges: Range[];
}

/** A span that still knows whose it is. */
export interface RequestSpan<Request> extends Span {
  readonly request: Request;
}

/** How many lines a call, or a record, may hold. */
export interface Room {
  readonly lines: number;
  readonly bytes: number;
  /** What each line takes besides its own bytes. */
  readonly overheadBytesPerLine: number;
}

/** Lines that wait for a sink call, those of the oldest request first, also after they were put back. */
export class LineQueue<Request extends Waiting> {
  readonly #requests = new Set<Request>();
  #count = 0;
  #bytes = 0;

  /** Lines that wait. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the lines that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether what waits fills a room. */
  fills({ lines, bytes, overheadBytesPerLine }: Room): boolean {
    return this.#count >= lines || this.#bytes + this.#count * overheadBytesPerLine >= bytes;
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

  /** Takes the lines that have room, oldest request first: at least one, if one waits. */
  take(room: Room): RequestSpan<Request>[] {
    const batch: RequestSpan<Request>[] = [];
    let { lines: leftLines, bytes: leftBytes } = room;
    for (const request of this.#requests) {
      const { lines, ranges } = request;
      for (let range = ranges[0]; range; range = ranges[0]) {
        const fitting = fit(lines, range, { ...room, lines: leftLines, bytes: leftBytes });
        const taken = { from: range.from, to: batch.length === 0 ? Math.max(fitting, range.from + 1) : fitting };
        const count = taken.to - taken.from;
        if (count === 0) return batch;
        if (taken.to === range.to) ranges.shift();
        else ranges[0] = { from: taken.to, to: range.to };
        this.#forget(lines, taken);
        batch.push({ request, lines, ...taken });
        leftLines -= count;
        leftBytes -= bytesOf(lines, taken) + count * room.overheadBytesPerLine;
      }
    }
    return batch;
  }

  #forget(lines: Lines, range: Range): void {
    this.#count -= range.to - range.from;
    this.#bytes -= bytesOf(lines, range);
  }
}

/** The end of the longest run from the range's start that has room. */
function fit(lines: Lines, { from, to }: Range, room: Room): number {
  const takes = (end: number) => bytesOf(lines, { from, to: end }) + (end - from) * room.overheadBytesPerLine;
  const most = Math.min(to, from + room.lines);
  if (takes(most) <= room.bytes) return most;
  // The last end that has room.
  let least = from;
  let beyond = most;
  while (beyond - least > 1) {
    const end = (least + beyond) >>> 1;
    if (takes(end) <= room.bytes) least = end;
    else beyond = end;
  }
  return least;
}

/** Bytes of a run of lines. */
export function bytesOf({ ends }: Lines, { from, to }: Range): number {
  return (to === 0 ? 0 : ends[to - 1]!) - (from === 0 ? 0 : ends[from - 1]!);
}
