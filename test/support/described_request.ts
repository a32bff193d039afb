import SnappyJS from 'snappyjs';
import { METRIC_TYPES, RESET_HINTS, STALE_NAN, type BucketSpan, type MetadataRecord } from '../../src/record.ts';
import { WriteRequest, WriteRequestV2 } from '../../src/wire/messages.ts';
import type { DescribedHistogram, DescribedSeries, Texts } from './described_series.ts';
import { seeded, shuffled } from './seeded.ts';
import { SymbolTable } from './symbol_table.ts';
import { long } from './write_request.ts';

/*
 * Described series as the compressed body of either version, encoded by protobufjs and snappyjs. As from a real sender: fields that have
 * their default are absent from the wire, and labels come in any order (Go's maps are that random in the official suite).
 */

export function writeRequestV1(series: readonly DescribedSeries[]): Uint8Array {
  const random = randomOf(series);
  const labelsOf = (labels: Texts) =>
    shuffled(Object.entries(labels), random).map(([name, value]) => ({ name: utf8(name), value: utf8(value) }));
  const timeseries = series
    // Metadata is no part of a series here.
    .filter(({ samples, histograms, exemplars }) => samples ?? histograms ?? exemplars)
    .map(({ labels, samples = [], histograms = [], exemplars = [] }) => ({
      labels: labelsOf(labels),
      samples: samples.map(({ value, time }) => ({ value: nonZero(value), timestamp: nonZero(time) })),
      histograms: histograms.map(histogramMessage),
      exemplars: exemplars.map(({ labels, value, time }) => {
        return { labels: labelsOf(labels), value: nonZero(value), timestamp: nonZero(time) };
      }),
    }));
  const metadata = series.flatMap(({ labels, metadata }) => (metadata ? [metadataMessageV1(labels, metadata)] : []));
  return SnappyJS.compress(WriteRequest.encode({ timeseries, metadata }).finish());
}

export function writeRequestV2(series: readonly DescribedSeries[]): Uint8Array {
  const random = randomOf(series);
  const symbols = new SymbolTable();
  const refsOf = (labels: Texts) =>
    shuffled(Object.entries(labels), random).flatMap(([name, value]) => [symbols.refOf(name), symbols.refOf(value)]);
  const timeseries = series.map(({ labels, samples = [], histograms = [], exemplars = [], metadata }) => ({
    labelsRefs: refsOf(labels),
    samples: samples.map(({ value, time, start }) => {
      return { value: nonZero(value), timestamp: nonZero(time), startTimestamp: nonZero(start) };
    }),
    histograms: histograms.map(histogramMessage),
    exemplars: exemplars.map(({ labels, value, time }) => {
      return { labelsRefs: refsOf(labels), value: nonZero(value), timestamp: nonZero(time) };
    }),
    // On the wire of each series that Prometheus sends, with nothing in it where it knows none.
    metadata: metadata ? metadataMessageV2(metadata, symbols) : {},
  }));
  return SnappyJS.compress(WriteRequestV2.encode({ symbols: symbols.bytes(), timeseries }).finish());
}

/** The message is the same in both versions but for its start timestamp, which the type of remote write 1.0 leaves out. */
function histogramMessage({ histogram, time, start }: DescribedHistogram): object {
  const isFloat = histogram.type === 'float';
  const count = isFloat ? 'countFloat' : 'countInt';
  const stamps = { timestamp: nonZero(time), startTimestamp: nonZero(start) };
  if ('stale' in histogram) return { [count]: long(0n), sum: long(STALE_NAN), ...stamps };
  const buckets = isFloat ? 'Counts' : 'Deltas';
  const { positiveSpans, positiveBuckets, negativeSpans, negativeBuckets, customValues } = histogram;
  return {
    ...stamps,
    // A member of a oneof is on the wire also when it is 0: it tells the type.
    [count]: long(histogram.count),
    sum: nonZero(histogram.sum),
    schema: histogram.schema || undefined,
    zeroThreshold: nonZero(histogram.zeroThreshold),
    [isFloat ? 'zeroCountFloat' : 'zeroCountInt']: nonZero(histogram.zeroCount),
    positiveSpans: positiveSpans.map(spanMessage),
    [`positive${buckets}`]: positiveBuckets.map(long),
    negativeSpans: negativeSpans.map(spanMessage),
    [`negative${buckets}`]: negativeBuckets.map(long),
    customValues: customValues.map(long),
    resetHint: RESET_HINTS.indexOf(histogram.resetHint) || undefined,
  };
}

function spanMessage([offset, length]: BucketSpan): object {
  return { offset, length };
}

function metadataMessageV1(labels: Texts, { type, help, unit }: MetadataRecord['metadata']): object {
  const metricFamilyName = labels['__name__'] ?? '';
  return {
    type: METRIC_TYPES.indexOf(type) || undefined,
    metricFamilyName: utf8(metricFamilyName),
    help: utf8(help),
    unit: utf8(unit),
  };
}

function metadataMessageV2({ type, help, unit }: MetadataRecord['metadata'], symbols: SymbolTable): object {
  return {
    type: METRIC_TYPES.indexOf(type) || undefined,
    helpRef: symbols.refOf(help) || undefined,
    unitRef: symbols.refOf(unit) || undefined,
  };
}

function nonZero(bits: bigint | undefined): ReturnType<typeof long> | undefined {
  return bits === undefined || bits === 0n ? undefined : long(bits);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The same series are sent in the same order in every run. */
function randomOf(series: readonly DescribedSeries[]): () => number {
  return seeded(JSON.stringify(series.map(({ labels }) => labels)).length);
}
