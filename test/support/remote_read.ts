import protobuf from 'protobufjs';
import SnappyJS from 'snappyjs';
import { sortLabels } from '../../src/record.ts';
import type { HistogramSet } from './histograms.ts';
import { toHistogram } from './oracle_histogram.ts';
import { decodePlainly, type PlainSeries } from './oracle_messages.ts';
import { sampleKey, type SampleSet, type Span } from './samples.ts';

/**
 * https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/. A result holds its series, which are those of remote write 1.0, by
 * the number that they have in a WriteRequest, and nothing else: it is read as one.
 */
const remote = protobuf.parse(`
  syntax = "proto3";
  message ReadRequest { repeated Query queries = 1; }
  message Query { int64 start_ms = 1; int64 end_ms = 2; repeated Matcher matchers = 3; }
  message Matcher { int32 type = 1; string name = 2; string value = 3; }
  message ReadResponse { repeated bytes results = 1; }
`).root;
const EQUALS_REGEX = 2;

/** All samples and native histograms that a Prometheus on this machine holds of a span. */
export async function remoteRead(
  port: number,
  { fromMs, toMs }: Span,
): Promise<{ readonly samples: SampleSet; readonly histograms: HistogramSet }> {
  const matchers = [{ type: EQUALS_REGEX, name: '__name__', value: '.+' }];
  const query = { queries: [{ startMs: fromMs, endMs: toMs, matchers }] };
  const body = SnappyJS.compress(remote.lookupType('ReadRequest').encode(query).finish());
  const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/read`, {
    method: 'POST',
    headers,
    body: new Blob([body]),
  });
  if (!answer.ok) throw new Error(`Prometheus answers ${answer.status}: ${await answer.text()}`);
  const bytes = SnappyJS.uncompress(new Uint8Array(await answer.arrayBuffer()));
  const { results } = remote.lookupType('ReadResponse').decode(bytes) as unknown as { results: readonly Uint8Array[] };
  const samples: SampleSet = new Map();
  const histograms: HistogramSet = new Map();
  for (const series of results.flatMap(seriesOf)) {
    const labels = labelsOf(series);
    for (const { value, time } of series.samples) samples.set(sampleKey(labels, time), value);
    for (const histogram of series.histograms)
      histograms.set(sampleKey(labels, histogram.time), toHistogram(histogram));
  }
  return { samples, histograms };
}

function seriesOf(result: Uint8Array): PlainSeries[] {
  const entries = decodePlainly(result, 1);
  if (!entries) throw new Error('Prometheus answers what cannot be decoded');
  return entries.filter((entry) => 'samples' in entry);
}

function labelsOf({ labels = [] }: PlainSeries) {
  const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return sortLabels(labels.map(({ name, value }) => ({ name: text(name), value: text(value) })));
}
