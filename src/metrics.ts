import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const PREFIX = 'prometheus_kinesis_adapter_';

/** Request bodies and answers take from a millisecond to the delivery timeout. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];

/** prom-client's default metrics whose names end in _total and are gauges: `promtool check metrics` refuses them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Everything that /metrics shows. In lines, per process:
 *
 *     received = delivered + rejected + skipped + returned + in flight
 *
 * A line ends once. What the sink accepts after its line was returned to the sender is in `delivered_late`, outside of the law.
 */
export function createMetrics() {
  const registry = new Registry();
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const gauge = (name: string, help: string) => new Gauge({ name: PREFIX + name, help, registers: [registry] });
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return {
    registry,
    linesReceived: counter(
      'lines_received_total',
      'Lines decoded: one per sample, histogram, exemplar or metadata entry.',
      ['kind'],
    ),
    linesDelivered: counter('lines_delivered_total', 'Lines that the sink accepted before their request was answered.'),
    linesDeliveredLate: counter(
      'lines_delivered_late_total',
      'Lines that the sink accepted after they were returned; the sender sends them again.',
    ),
    linesRejected: counter('lines_rejected_total', 'Lines that can never be archived; the sender drops them.', [
      'reason',
    ]),
    linesSkipped: counter(
      'lines_skipped_total',
      'Metadata that was archived within the last hour already, or that says nothing.',
      ['kind'],
    ),
    emptyLabels: counter(
      'empty_labels_total',
      'Labels with an empty value, which are the same as no label and are left out.',
    ),
    linesReturned: counter(
      'lines_returned_total',
      'Lines that went back to their sender, by 503 or because it went away; it sends them again.',
      ['reason'],
    ),
    requests: counter(
      'requests_total',
      'Write requests by the status of their answer; 499 means that the sender went away.',
      ['code'],
    ),
    bytesReceived: counter('received_bytes_total', 'Bytes of request bodies, as sent.'),
    bytesDelivered: counter('delivered_bytes_total', 'Bytes of lines that the sink accepted.'),
    deliveryDuration: new Histogram({
      name: `${PREFIX}delivery_duration_seconds`,
      help: 'Time from the arrival of a write request to the acceptance of its last line.',
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
    sinkCalls: counter('sink_calls_total', 'Calls of the sink by outcome: accepted, partial, or how they failed.', [
      'outcome',
    ]),
    linesRetried: counter(
      'lines_retried_total',
      'Lines that the sink did not take and that were put back to be sent again.',
    ),
    records: counter('records_total', 'Records that the sink accepted: a line each, or packs of lines.'),
    recordBytes: counter(
      'record_bytes_total',
      'Bytes of the records that the sink accepted, as packed, keys included.',
    ),
    billingUnits: counter(
      'billing_units_total',
      'Units that the records that the sink accepted are billed by: 25 KB of Kinesis, 5 KiB of Firehose; none for a directory.',
    ),
    connectionsRefused: counter(
      'connections_refused_total',
      'Connections that were closed as they came, because there were 5,000 already.',
    ),
    handshakesRefused: counter(
      'tls_handshakes_failed_total',
      'Connections that ended in their TLS handshake, or because of the certificate of the client.',
    ),
    webConfigRead: withOne(
      gauge(
        'web_config_last_reload_successful',
        'Whether --web.config.file was read when it was last looked into; 1 without one.',
      ),
    ),
    webConfigReadAt: gauge(
      'web_config_last_reload_success_timestamp_seconds',
      'When --web.config.file was last read with success; 0 without one.',
    ),
  };
}

/** What the running parts know that is true only now. */
export interface State {
  readonly linesInFlight: () => number;
  readonly bytesInFlight: () => number;
  /** Seconds since the arrival of the oldest request with a line that is not accepted yet; 0 when there is none. */
  readonly oldestUndeliveredSeconds: () => number;
  readonly isSinkUp: () => boolean;
}

/** Registers the gauges, read at each scrape. */
export function exposeState(
  { registry }: Metrics,
  state: State,
  build: { readonly version: string; readonly sink: string },
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('lines_in_flight', 'Lines received that have not ended yet.', state.linesInFlight);
  gauge('in_flight_bytes', 'Memory that requests in flight are charged for.', state.bytesInFlight);
  gauge(
    'oldest_undelivered_age_seconds',
    'Age of the oldest request with undelivered lines; 0 when there is none.',
    state.oldestUndeliveredSeconds,
  );
  gauge('sink_up', 'Whether the latest call of the sink got through; 1 before the first.', () =>
    state.isSinkUp() ? 1 : 0,
  );
  new Gauge({
    name: `${PREFIX}build_info`,
    help: 'Always 1; what is running.',
    labelNames: ['version', 'node', 'sink'],
    registers: [registry],
  }).set({ version: build.version, node: process.version, sink: build.sink }, 1);
}

function withOne(gauge: Gauge): Gauge {
  gauge.set(1);
  return gauge;
}
