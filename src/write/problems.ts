/** Why labels can never be archived. */
export type LabelProblem = 'invalid_refs' | 'invalid_utf8' | 'empty_label_name' | 'repeated_label';

/** Why a series can never be archived. */
export type SeriesProblem = LabelProblem | LimitProblem | 'no_metric_name' | 'oversize';

/** What --max-labels-per-series, --max-label-name-bytes and --max-label-value-bytes rule out. */
export type LimitProblem = 'too_many_labels' | 'label_name_too_long' | 'label_value_too_long';

/** Why a line can never be archived; the label `reason` of the rejected lines' counter. */
export type LineProblem = SeriesProblem | 'invalid_histogram' | 'too_far_in_future';

/** A label as it came; its bytes need not be UTF-8. */
export interface RawLabel {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

const DETAILS: Readonly<Record<SeriesProblem, string>> = {
  invalid_refs: 'has references to symbols that are odd in number or out of range',
  invalid_utf8: 'has a text that is not valid UTF-8',
  empty_label_name: 'has a label without a name',
  repeated_label: 'has a label more than once',
  too_many_labels: 'has more labels than --max-labels-per-series',
  label_name_too_long: 'has a label whose name is longer than --max-label-name-bytes',
  label_value_too_long: 'has a label whose value is longer than --max-label-value-bytes',
  no_metric_name: 'has no metric name (__name__)',
  oversize: 'has longer lines than the sink takes',
};

/** Names and values are cut to this many bytes and a series to as many characters, so that it fits a line of a log. */
const MAX_TEXT = 200;

/** What is wrong with a series, for people. */
export function explainSeries(problem: SeriesProblem, labels: Iterable<RawLabel>, labelBytes: number): string {
  return `series ${describeSeries(labels)} ${DETAILS[problem]}${problem === 'oversize' ? `: ${labelBytes} bytes of labels` : ''}`;
}

/** What is wrong with one exemplar of a series. */
export function explainExemplar(problem: SeriesProblem, labels: Iterable<RawLabel>): string {
  return `an exemplar of series ${describeSeries(labels)} ${DETAILS[problem]}`;
}

/** What is wrong with one histogram of a series; the detail ends the sentence. */
export function explainHistogram(labels: Iterable<RawLabel>, detail: string): string {
  return `series ${describeSeries(labels)} has a histogram ${detail}`;
}

/** That one histogram or exemplar of a series is too long. */
export function explainLine(kind: 'histogram' | 'exemplar', labels: Iterable<RawLabel>): string {
  return `series ${describeSeries(labels)} has ${kind === 'histogram' ? 'a histogram' : 'an exemplar'} that makes a longer line than the sink takes`;
}

/** What is wrong with one time of a series. */
export function explainTime(labels: Iterable<RawLabel>, timeMs: number): string {
  return `series ${describeSeries(labels)} has the time ${timeMs}, further in the future than --max-future`;
}

/** What is wrong with metadata. */
export function explainMetadata(problem: SeriesProblem, name: Uint8Array): string {
  return `the metadata of ${JSON.stringify(textOf(name))} ${DETAILS[problem]}`;
}

/** A series as PromQL writes it. */
function describeSeries(labels: Iterable<RawLabel>): string {
  let series = '';
  for (const { name, value } of labels) {
    series += `${series === '' ? '' : ', '}${nameOf(textOf(name))}=${JSON.stringify(textOf(value))}`;
    if (series.length > MAX_TEXT) break;
  }
  return `{${cut(series)}}`;
}

/** Names that PromQL would quote are quoted, so that none breaks the line. */
function nameOf(name: string): string {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*…?$/.test(name) ? name : JSON.stringify(name);
}

function textOf(bytes: Uint8Array): string {
  return cut(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, MAX_TEXT)));
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
