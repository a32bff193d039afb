import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { doubleOf, type BucketSpan, type NativeHistogram } from '../../src/record.ts';
import { closeServer } from './close_server.ts';
import { histogramSeries } from './exposed_histograms.ts';

/** https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto, what of it is served here. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message MetricFamily { optional string name = 1; optional string help = 2; optional MetricType type = 3; repeated Metric metric = 4; optional string unit = 5; }
  enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; GAUGE_HISTOGRAM = 5; }
  message Metric {
    repeated LabelPair label = 1;
    optional Value gauge = 2;
    optional Counter counter = 3;
    optional Summary summary = 4;
    optional Value untyped = 5;
    optional Histogram histogram = 7;
  }
  message LabelPair { optional string name = 1; optional string value = 2; }
  message Value { optional double value = 1; }
  message Counter { optional double value = 1; optional Exemplar exemplar = 2; optional Timestamp created_timestamp = 3; }
  message Summary { optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Quantile quantile = 3; }
  message Quantile { optional double quantile = 1; optional double value = 2; }
  message Histogram {
    optional uint64 sample_count = 1;
    optional double sample_sum = 2;
    repeated Bucket bucket = 3;
    optional double sample_count_float = 4;
    optional sint32 schema = 5;
    optional double zero_threshold = 6;
    optional uint64 zero_count = 7;
    optional double zero_count_float = 8;
    repeated BucketSpan negative_span = 9;
    repeated sint64 negative_delta = 10;
    repeated double negative_count = 11;
    repeated BucketSpan positive_span = 12;
    repeated sint64 positive_delta = 13;
    repeated double positive_count = 14;
    optional Timestamp created_timestamp = 15;
    repeated Exemplar exemplars = 16;
  }
  message Bucket { optional uint64 cumulative_count = 1; optional double upper_bound = 2; optional Exemplar exemplar = 3; }
  message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
  message Exemplar { repeated LabelPair label = 1; optional double value = 2; optional Timestamp timestamp = 3; }
  message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }
`);
const MetricFamily = root.lookupType('MetricFamily');
const { COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM } = root.lookupEnum('MetricType').values;

/** Upper bounds of the buckets of `classic_seconds`. */
export const CLASSIC_BOUNDS: readonly number[] = [-1, 0.1, 1 / 3, 1, 1e21, Infinity];

const CONTENT_TYPE = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** A gauge whose value is the number of the scrape. */
export const SCRAPES_METRIC = 'native_scrapes';

export interface NativeExporter {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * A target whose native histograms are all that one can be, in the one format that can carry them. No metric is of both kinds: `native_*`
 * are native histograms, `classic_*` have classic buckets. By its number a scrape tells what was in it.
 */
export async function startNativeExporter(): Promise<NativeExporter> {
  const startedMs = Date.now();
  let scrapes = 0;
  const server = createServer((_request, response) => {
    scrapes++;
    response.setHeader('Content-Type', CONTENT_TYPE);
    response.end(page(scrapes, startedMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closeServer(server),
  };
}

function page(scrape: number, createdMs: number): Uint8Array {
  const createdTimestamp = timestamp(createdMs);
  const series = histogramSeries(scrape);
  const nativeMetrics = (name: string, more: (index: number) => object = () => ({})) =>
    series
      .filter((one) => one.name === name)
      .map(({ case: text, histogram }, index) => ({
        label: text === '' ? [] : labels({ case: text }),
        histogram: { ...exposed(histogram), createdTimestamp, ...more(index) },
      }));
  const families = [
    {
      name: 'native_requests_seconds',
      help: 'Integer histograms, “quoted” and of\ntwo lines.',
      unit: 'seconds',
      type: HISTOGRAM,
      metric: nativeMetrics('native_requests_seconds', (index) => ({
        exemplars: [
          exemplar({ trace_id: `${index} of ${scrape}`, 日本語: '"quoted"\n' }, 0.25),
          exemplar({ trace_id: `${index} of ${scrape}, again` }, scrape),
        ],
      })),
    },
    {
      name: 'native_temperature_celsius',
      help: 'Its counts go up and down.',
      unit: 'celsius',
      type: GAUGE_HISTOGRAM,
      metric: nativeMetrics('native_temperature_celsius'),
    },
    { name: 'native_weight', help: 'Its counts are floats.', type: HISTOGRAM, metric: nativeMetrics('native_weight') },
    {
      name: 'classic_seconds',
      help: 'Has classic buckets only.',
      unit: 'seconds',
      type: HISTOGRAM,
      metric: [{ histogram: { ...classicHistogram(scrape), createdTimestamp } }],
    },
    {
      name: 'native_events_total',
      help: 'A counter.',
      type: COUNTER,
      metric: ['a', 'b'].map((part) => ({
        label: labels({ part }),
        counter: { value: scrape, createdTimestamp, exemplar: exemplar({ trace_id: `${part}${scrape}` }, 1) },
      })),
    },
    {
      name: 'native_summary',
      help: 'A summary.',
      type: SUMMARY,
      metric: [
        {
          summary: {
            sampleCount: BigInt(scrape),
            sampleSum: scrape / 3,
            quantile: [{ quantile: 0.5, value: scrape % 2 === 0 ? NaN : 0.1 }],
          },
        },
      ],
    },
    { name: SCRAPES_METRIC, help: '', type: GAUGE, metric: [{ gauge: { value: scrape } }] },
    { name: 'native_untyped', type: UNTYPED, metric: [{ untyped: { value: -scrape } }] },
  ];
  return Buffer.concat(
    families.map((family) => MetricFamily.encodeDelimited(MetricFamily.fromObject(family)).finish()),
  );
}

/** A native histogram by the fields of the message Histogram. */
function exposed(histogram: NativeHistogram): object {
  const { type, count, sum, schema, zeroThreshold, zeroCount, positiveSpans, negativeSpans } = histogram;
  const hasBuckets = positiveSpans.length + negativeSpans.length > 0;
  const common = {
    sampleSum: doubleOf(sum),
    schema,
    zeroThreshold: doubleOf(zeroThreshold),
    // A span of no buckets says that it is a native histogram.
    positiveSpan: spans(hasBuckets ? positiveSpans : [[0, 0]]),
    negativeSpan: spans(negativeSpans),
  };
  if (type === 'integer') {
    const { positiveBuckets: positiveDelta, negativeBuckets: negativeDelta } = histogram;
    return { ...common, sampleCount: count, zeroCount, positiveDelta, negativeDelta };
  }
  return {
    ...common,
    sampleCountFloat: doubleOf(count),
    zeroCountFloat: doubleOf(zeroCount),
    positiveCount: histogram.positiveBuckets.map(doubleOf),
    negativeCount: histogram.negativeBuckets.map(doubleOf),
  };
}

function classicHistogram(scrape: number): object {
  return {
    sampleCount: scrape * CLASSIC_BOUNDS.length,
    sampleSum: scrape * 1.5,
    bucket: CLASSIC_BOUNDS.map((upperBound, index) => ({
      upperBound,
      cumulativeCount: scrape * (index + 1),
      ...(index === 2 && { exemplar: exemplar({ trace_id: `classic ${scrape}` }, 0.2) }),
    })),
  };
}

function spans(list: readonly BucketSpan[]): object[] {
  return list.map(([offset, length]) => ({ offset, length }));
}

function labels(pairs: Readonly<Record<string, string>>): object[] {
  return Object.entries(pairs).map(([name, value]) => ({ name, value }));
}

function exemplar(pairs: Readonly<Record<string, string>>, value: number): object {
  return { label: labels(pairs), value, timestamp: timestamp(Date.now()) };
}

function timestamp(timeMs: number): object {
  return { seconds: BigInt(Math.floor(timeMs / 1_000)), nanos: (timeMs % 1_000) * 1e6 };
}
