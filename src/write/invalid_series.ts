/** Why a series can never be archived; the label `reason` of the rejected lines' counter. */
export type SeriesProblem = 'invalid_utf8' | 'empty_label_name' | 'repeated_label' | 'no_metric_name' | 'oversize';

/** A label as it came; its bytes need not be UTF-8. */
export interface RawLabel {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

const DETAILS: Readonly<Record<SeriesProblem, string>> = {
  invalid_utf8: 'has a label that is not valid UTF-8',
  empty_label_name: 'has a label without a name',
  repeated_label: 'has a label more than once',
  no_metric_name: 'has no metric name (__name__)',
  oversize: 'has longer lines than the sink takes',
};

/** Names and values are cut to this many bytes and a series to as many characters, so that it fits a line of a log. */
const MAX_TEXT = 200;

/** What is wrong with a series, for people. */
export function explainProblem(problem: SeriesProblem, labels: Iterable<RawLabel>): string {
  const size = problem === 'oversize' ? `: ${sizeOf(labels)} bytes of labels` : '';
  return `series ${describeSeries(labels)} ${DETAILS[problem]}${size}`;
}

function sizeOf(labels: Iterable<RawLabel>): number {
  let size = 0;
  for (const { name, value } of labels) size += name.length + value.length;
  return size;
}

/** A series as PromQL writes it. */
function describeSeries(labels: Iterable<RawLabel>): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = (bytes: Uint8Array) => cut(decoder.decode(bytes.subarray(0, MAX_TEXT)));
  let series = '';
  for (const { name, value } of labels) {
    series += `${series === '' ? '' : ', '}${text(name)}=${JSON.stringify(text(value))}`;
    if (series.length > MAX_TEXT) break;
  }
  return `{${cut(series)}}`;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
