import fc from 'fast-check';
import {
  RESET_HINTS,
  sortLabels,
  STALE_NAN,
  type ArchiveRecord,
  type BucketSpan,
  type HistogramRecord,
  type Label,
} from '../../src/record.ts';
import { EMPTY_HISTOGRAM, staleHistograms, validHistograms } from './arbitrary_histograms.ts';
import { doubleBits, int64, unicodeText } from './arbitrary_values.ts';
import { histogramFields } from './histogram_writer.ts';
import type { PlainHistogram, PlainSample, PlainSpan, Version } from './oracle_messages.ts';
import { bytesField, concat, fixed64Field, varintField } from './protobuf_writer.ts';
import * as v1 from './series.ts';
import * as v2 from './series_v2.ts';
import { SymbolTable } from './symbol_table.ts';

/*
 * One series as an object, on its way into the archive and back: encoded as a request, and made again of its records.
 */

export interface SeriesMessage {
  readonly labels: readonly Label[];
  readonly samples: readonly PlainSample[];
  readonly histograms: readonly PlainHistogram[];
  readonly exemplars: readonly ExemplarMessage[];
}

export interface ExemplarMessage {
  readonly time: bigint;
  readonly value: bigint;
  readonly labels: readonly Label[];
}

const label = fc.record({
  name: unicodeText({ minLength: 1, maxLength: 8 }),
  value: fc.oneof(unicodeText({ maxLength: 8 }), fc.constant('')),
});
const labels = fc.uniqueArray(label, { maxLength: 5, selector: ({ name }) => name });
const metricName = fc.record({ name: fc.constant('__name__'), value: unicodeText({ minLength: 1, maxLength: 8 }) });

const exemplars: fc.Arbitrary<ExemplarMessage> = fc.record({ time: int64, value: doubleBits, labels });

/** Series that can be archived whole. */
export const seriesMessages: fc.Arbitrary<SeriesMessage> = fc
  .record({
    labels: fc.tuple(labels, metricName, fc.nat(5)).map(([others, name, at]) => others.toSpliced(at, 0, name)),
    samples: fc.array(fc.record({ time: int64, start: fc.oneof(fc.constant(0n), int64), value: doubleBits })),
    histograms: fc.array(fc.oneof({ arbitrary: validHistograms, weight: 5 }, staleHistograms), { maxLength: 4 }),
    exemplars: fc.array(exemplars, { maxLength: 4 }),
  })
  .filter(({ labels }) => new Set(labels.map(({ name }) => name)).size === labels.length)
  // A series that has nothing leaves no line to read its labels from.
  .filter(({ samples, histograms, exemplars }) => samples.length + histograms.length + exemplars.length > 0);

/** A request of the one series. Version 1 has no start timestamps. */
export function encodeSeries(series: SeriesMessage, version: Version): Uint8Array {
  return version === 1 ? encodeV1(series) : encodeV2(series);
}

function encodeV1({ labels, samples, histograms, exemplars }: SeriesMessage): Uint8Array {
  const labelFields = (list: readonly Label[]) =>
    list.map(({ name, value }) => v1.label(v1.name(name), v1.value(value)));
  return v1.seriesOf(
    ...labelFields(labels),
    ...samples.map(({ time, value }) => v1.sample(fixed64Field(1, value), v1.time(time))),
    ...exemplars.map(({ time, value, labels }) =>
      bytesField(3, concat(...labelFields(labels), fixed64Field(2, value), varintField(3, time))),
    ),
    ...histograms.map((histogram) => bytesField(4, concat(...histogramFields(histogram)))),
  );
}

function encodeV2({ labels, samples, histograms, exemplars }: SeriesMessage): Uint8Array {
  const symbols = new SymbolTable();
  const refsOf = (list: readonly Label[]) =>
    v2.refs(...list.flatMap(({ name, value }) => [symbols.refOf(name), symbols.refOf(value)]));
  const series = v2.seriesOf(
    refsOf(labels),
    ...samples.map(({ time, start, value }) => v1.sample(fixed64Field(1, value), v1.time(time), v2.start(start))),
    ...histograms.map((histogram) => v2.histogram(...histogramFields(histogram))),
    ...exemplars.map(({ time, value, labels }) =>
      v2.exemplar(refsOf(labels), fixed64Field(2, value), varintField(3, time)),
    ),
  );
  return concat(v2.symbolsOf(symbols.bytes()), series);
}

/**
 * What the archive keeps of a series: labels sorted, empty ones dropped, the fields that mean nothing in a stale histogram cleared. A member of a
 * oneof that is not set is 0.
 */
export function normalized(series: SeriesMessage, version: Version): SeriesMessage {
  const labelsOf = (labels: readonly Label[]) => sortLabels(labels.filter(({ value }) => value !== ''));
  const startOf = <Timed extends { readonly start: bigint }>(timed: Timed): Timed =>
    version === 1 ? { ...timed, start: 0n } : timed;
  return {
    labels: labelsOf(series.labels),
    samples: series.samples.map(startOf),
    histograms: series.histograms.map((histogram) =>
      startOf(histogram.sum === STALE_NAN ? cleared(histogram) : withCounts(histogram)),
    ),
    exemplars: series.exemplars.map(({ labels, ...rest }) => ({ ...rest, labels: labelsOf(labels) })),
  };
}

function withCounts(histogram: PlainHistogram): PlainHistogram {
  const { countInt = 0n, countFloat, zeroCountInt = 0n, zeroCountFloat = 0n } = histogram;
  return countFloat === undefined
    ? { ...histogram, countInt, zeroCountInt }
    : { ...histogram, countFloat, zeroCountFloat };
}

/** Of a stale histogram there is what it is and when. */
function cleared({ time, start, countFloat }: PlainHistogram): PlainHistogram {
  const count = countFloat === undefined ? { countInt: 0n } : { countFloat: 0n };
  return { ...EMPTY_HISTOGRAM, time, start, ...count, sum: STALE_NAN };
}

/** The series that records of one series were made of. */
export function seriesOfRecords(records: readonly ArchiveRecord[]): SeriesMessage {
  const samples: PlainSample[] = [];
  const histograms: PlainHistogram[] = [];
  const exemplars: ExemplarMessage[] = [];
  let labels: readonly Label[] = [];
  for (const record of records) {
    if (record.kind === 'metadata') throw new Error('metadata is of no series');
    labels = record.labels;
    const times = { time: record.time, start: record.start ?? 0n };
    if (record.kind === 'sample') samples.push({ ...times, value: record.value });
    else if (record.kind === 'exemplar') exemplars.push({ time: record.time, ...record.exemplar });
    else histograms.push(messageOf(record.histogram, times));
  }
  return { labels, samples, histograms, exemplars };
}

function messageOf(
  histogram: HistogramRecord['histogram'],
  times: { readonly time: bigint; readonly start: bigint },
): PlainHistogram {
  const isFloat = histogram.type === 'float';
  if ('stale' in histogram) return cleared({ ...EMPTY_HISTOGRAM, ...times, ...(isFloat && { countFloat: 0n }) });
  const { count, zeroCount, positiveBuckets, negativeBuckets } = histogram;
  return {
    ...times,
    ...(isFloat
      ? { countFloat: count, zeroCountFloat: zeroCount, positiveCounts: positiveBuckets, positiveDeltas: [] }
      : { countInt: count, zeroCountInt: zeroCount, positiveCounts: [], positiveDeltas: positiveBuckets }),
    ...(isFloat
      ? { negativeCounts: negativeBuckets, negativeDeltas: [] }
      : { negativeCounts: [], negativeDeltas: negativeBuckets }),
    sum: histogram.sum,
    schema: histogram.schema,
    zeroThreshold: histogram.zeroThreshold,
    positiveSpans: histogram.positiveSpans.map(spanOf),
    negativeSpans: histogram.negativeSpans.map(spanOf),
    customValues: histogram.customValues,
    resetHint: RESET_HINTS.indexOf(histogram.resetHint),
  };
}

function spanOf([offset, length]: BucketSpan): PlainSpan {
  return { offset, length };
}
