import { SinkError } from '../errors.ts';
import { countRecords, type Rejected, type Span } from '../sinks/sink.ts';
import { halve, sortLines } from './pack.ts';

export interface IsolateOptions<LineSpan> {
  /** Whether so many lines, one a record, make a call. */
  readonly fits: (spans: readonly LineSpan[]) => boolean;
  /** Sends lines, one a record; throws as a sink does. */
  readonly send: (spans: readonly LineSpan[]) => Promise<readonly Rejected[]>;
}

/** What became of the lines, each in one of these. */
export interface Isolated<LineSpan> {
  readonly accepted: LineSpan[];
  /** Lines that were refused alone. */
  readonly refused: LineSpan[];
  /** Lines of which nothing is known; `error` says why, or they were throttled. */
  readonly rest: LineSpan[];
  readonly error: SinkError | undefined;
}

/** Halving 500 records down to one takes nine; past this many in vain the sink refuses everything. */
const MAX_CALLS_IN_VAIN = 24;

/**
 * Finds the lines for which the sink refused a whole call, by sending ever smaller parts of it, line by line.
 *
 * Where nothing is accepted in the end, it was not a line: the call itself is wrong, such as for a stream's name that does not exist.
 */
export async function isolate<LineSpan extends Span>(
  spans: readonly LineSpan[],
  { fits, send }: IsolateOptions<LineSpan>,
): Promise<Isolated<LineSpan>> {
  if (countRecords(spans) === 1) return { accepted: [], refused: [...spans], rest: [], error: undefined };
  const parts: (readonly LineSpan[])[] = halve(spans).toReversed();
  const accepted: LineSpan[] = [];
  const refused: LineSpan[] = [];
  const rest: LineSpan[] = [];
  let callsInVain = 0;
  for (let part = parts.pop(); part; part = parts.pop()) {
    if (!fits(part)) {
      parts.push(...halve(part).toReversed());
      continue;
    }
    try {
      const verdicts = sortLines(part, await send(part));
      accepted.push(...verdicts.accepted);
      rest.push(...verdicts.rejected.flatMap((rejected) => rejected.spans));
    } catch (error) {
      const isRefusal = error instanceof SinkError && error.failure === 'refused';
      if (!isRefusal || (accepted.length === 0 && ++callsInVain > MAX_CALLS_IN_VAIN)) {
        rest.push(...part, ...parts.flat());
        return { accepted, refused, rest, error: isRefusal ? undefined : (error as SinkError) };
      }
      if (countRecords(part) === 1) refused.push(...part);
      else parts.push(...halve(part).toReversed());
    }
  }
  return { accepted, refused, rest, error: undefined };
}
