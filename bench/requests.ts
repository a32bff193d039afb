/**
 * Remote write requests, of either version, like those of Prometheus scraping node_exporter, made by formula: a million series need no memory.
 *
 * One TimeSeries a sample, labels sorted. Of the values 45% are 0, 40% other integers, 7% have two or three decimals, 6% nine, 2% all the digits
 * of a double: the shares in test/fixtures.
 */
export const SAMPLES_PER_REQUEST = 2000;

const SERIES_PER_TARGET = 1000;
/** So many stand together: 3.4 on average in test/fixtures. */
const SERIES_PER_FAMILY = 4;
const NAMES = [
  'node_cpu_seconds_total',
  'node_memory_MemAvailable_bytes',
  'node_network_receive_bytes_total',
  'node_disk_io_time_seconds_total',
  'node_filesystem_avail_bytes',
  'node_filesystem_files_free',
  'node_softnet_processed_total',
  'node_load1',
  'node_sockstat_TCP_alloc',
  'node_schedstat_running',
];
const MODES = ['idle', 'iowait', 'irq', 'nice', 'softirq', 'steal', 'system', 'user'];
const FIRST_TIME = 1_795_167_565_000;

interface Sample {
  readonly series: number;
  readonly round: number;
}

/** `long` is what Kubernetes adds to a series: twelve labels more. */
export type LabelLength = 'short' | 'long';

export interface RequestShape {
  readonly samplesPerRequest?: number;
  readonly labels?: LabelLength;
}

type Labels = [name: string, value: string][];

/** Writes the `index`th request of a remote write 1.0 sender that has `seriesCount` series; what it returns is the caller's. */
export function makeRequest(index: number, seriesCount: number, shape: RequestShape = {}): Uint8Array {
  const { samplesPerRequest = SAMPLES_PER_REQUEST, labels = 'short' } = shape;
  const labelsOfSeries = labels === 'short' ? labelsOf : longLabelsOf;
  const request = Buffer.alloc(samplesPerRequest * (labels === 'short' ? 256 : 1024));
  let end = 0;
  for (const sample of samplesOf(index, seriesCount, samplesPerRequest)) {
    end = writeSeries(request, end, { ...sample, labels: labelsOfSeries(sample.series) });
  }
  return new Uint8Array(request.subarray(0, end));
}

/** The same in remote write 2.0, short labels, each series with its metadata, as Prometheus sends it. */
export function makeRequestV2(
  index: number,
  seriesCount: number,
  { samplesPerRequest = SAMPLES_PER_REQUEST }: Pick<RequestShape, 'samplesPerRequest'> = {},
): Uint8Array {
  const symbols = new Map([['', 0]]);
  const series = Buffer.alloc(samplesPerRequest * 64);
  let end = 0;
  for (const sample of samplesOf(index, seriesCount, samplesPerRequest)) {
    end = writeSeriesV2(series, end, { ...sample, symbols });
  }
  const table = Buffer.alloc(64 + 64 * symbols.size);
  let tableEnd = 0;
  for (const symbol of symbols.keys()) {
    table[tableEnd++] = 0x22;
    table[tableEnd++] = symbol.length;
    tableEnd += table.write(symbol, tableEnd, 'latin1');
  }
  return new Uint8Array(Buffer.concat([table.subarray(0, tableEnd), series.subarray(0, end)]));
}

function* samplesOf(index: number, seriesCount: number, samplesPerRequest: number): Generator<Sample> {
  for (let sample = index * samplesPerRequest; sample < (index + 1) * samplesPerRequest; sample++) {
    yield { series: sample % seriesCount, round: Math.floor(sample / seriesCount) };
  }
}

function labelsOf(series: number): Labels {
  const target = Math.floor(series / SERIES_PER_TARGET);
  const member = series % SERIES_PER_TARGET;
  return [
    ['__name__', NAMES[Math.floor(member / SERIES_PER_FAMILY) % NAMES.length]!],
    ['cpu', String(Math.floor(member / SERIES_PER_FAMILY / NAMES.length))],
    ['instance', `10.${target >> 16}.${(target >> 8) & 255}.${target & 255}:9100`],
    ['job', 'node'],
    ['mode', MODES[member % SERIES_PER_FAMILY]!],
    ['zone', 'eu-1'],
  ];
}

function longLabelsOf(series: number): Labels {
  const [name, cpu, instance, job, mode, zone] = labelsOf(series) as [Labels[0], ...Labels];
  const target = Math.floor(series / SERIES_PER_TARGET);
  return [
    name,
    ['cluster', 'blue'],
    ['container', 'node-exporter'],
    cpu!,
    ['endpoint', 'metrics'],
    ['environment', 'production'],
    instance!,
    job!,
    mode!,
    ['namespace', 'monitoring'],
    ['node', `ip-10-${target >> 16}-${(target >> 8) & 255}-${target & 255}`],
    ['pod', `node-exporter-${(target * 7_919 + 60_466_176).toString(36)}`],
    ['prometheus', 'k8s'],
    ['prometheus_replica', 'k8s-0'],
    ['region', 'eu-central-1'],
    ['service', 'node-exporter'],
    ['team', 'platform'],
    zone!,
  ];
}

function timeOf({ series, round }: Sample): number {
  return FIRST_TIME + round * 15_000 + (Math.floor(series / SERIES_PER_TARGET) % 15_000);
}

function writeSeries(
  request: Buffer,
  start: number,
  { labels, ...sample }: Sample & { readonly labels: Labels },
): number {
  // Tag and a length of two bytes, filled in at the end.
  let at = start + 3;
  for (const [name, value] of labels) {
    request[at++] = 0x0a;
    request[at++] = name.length + value.length + 4;
    request[at++] = 0x0a;
    request[at++] = name.length;
    at += request.write(name, at, 'latin1');
    request[at++] = 0x12;
    request[at++] = value.length;
    at += request.write(value, at, 'latin1');
  }
  at = writeSample(request, at, sample);
  const length = at - start - 3;
  request[start] = 0x0a;
  request[start + 1] = (length & 0x7f) | 0x80;
  request[start + 2] = length >>> 7;
  return at;
}

function writeSeriesV2(
  request: Buffer,
  start: number,
  { symbols, ...sample }: Sample & { symbols: Map<string, number> },
): number {
  const refOf = (symbol: string) => {
    const ref = symbols.get(symbol) ?? symbols.size;
    symbols.set(symbol, ref);
    return ref;
  };
  const labels = labelsOf(sample.series);
  // Tag and length of the series and of its labels_refs, a byte each, filled in at the end.
  let at = start + 4;
  for (const symbol of labels.flat()) at = writeVarint(request, at, refOf(symbol));
  request[start] = 0x2a;
  request[start + 2] = 0x0a;
  request[start + 3] = at - start - 4;
  at = writeSample(request, at, sample);
  const metadataAt = at;
  at += request.write('\x2a\x00\x08\x01\x18', at, 'latin1');
  at = writeVarint(request, at, refOf(`Help of ${labels[0]![1]}, as exporters write it.`));
  request[metadataAt + 1] = at - metadataAt - 2;
  request[start + 1] = at - start - 2;
  return at;
}

function writeSample(request: Buffer, start: number, sample: Sample): number {
  let at = start + request.write('\x12\x10\x09', start, 'latin1');
  at = request.writeDoubleLE(valueOf(sample), at);
  request[at++] = 0x10;
  return writeVarint(request, at, timeOf(sample));
}

function valueOf({ series, round }: Sample): number {
  const random = Math.imul(series * 31 + round + 1, 0x9e37_79b1) >>> 0;
  const share = random % 100;
  if (share < 45) return 0;
  if (share < 60) return random % 1000;
  if (share < 82) return random;
  if (share < 85) return random * 4096;
  if (share < 92) return (random >>> 8) / (share < 89 ? 100 : 1000);
  if (share < 98) return (random >>> 4) / 1e9;
  return random / 3e7;
}

function writeVarint(request: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) request[at++] = (rest % 0x80) | 0x80;
  request[at++] = rest;
  return at;
}
