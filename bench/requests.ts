/**
 * Remote write 1.0 requests like those of Prometheus scraping node_exporter, made by formula: a million series need no memory.
 *
 * One TimeSeries a sample, labels sorted. Of the values 45% are 0, 40% other integers, 7% have two or three decimals, 6% nine, 2% all the digits
 * of a double: the shares in test/fixtures.
 */
export const SAMPLES_PER_REQUEST = 2000;

const SERIES_PER_TARGET = 1000;
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

/** Writes the `index`th request of a sender that has `seriesCount` series; what it returns is the caller's. */
export function makeRequest(index: number, seriesCount: number): Uint8Array {
  const request = Buffer.alloc(SAMPLES_PER_REQUEST * 256);
  let end = 0;
  for (let sample = index * SAMPLES_PER_REQUEST; sample < (index + 1) * SAMPLES_PER_REQUEST; sample++) {
    const round = Math.floor(sample / seriesCount);
    end = writeSeries(request, end, { series: sample % seriesCount, round });
  }
  return new Uint8Array(request.subarray(0, end));
}

function writeSeries(request: Buffer, start: number, { series, round }: { series: number; round: number }): number {
  const target = Math.floor(series / SERIES_PER_TARGET);
  const member = series % SERIES_PER_TARGET;
  const labels: [name: string, value: string][] = [
    ['__name__', NAMES[member % NAMES.length]!],
    ['cpu', String(Math.floor(member / 80))],
    ['instance', `10.${target >> 16}.${(target >> 8) & 255}.${target & 255}:9100`],
    ['job', 'node'],
    ['mode', MODES[Math.floor(member / 10) % MODES.length]!],
    ['zone', 'eu-1'],
  ];
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
  at += request.write('\x12\x10\x09', at, 'latin1');
  at = request.writeDoubleLE(valueOf(series, round), at);
  request[at++] = 0x10;
  at = writeVarint(request, at, FIRST_TIME + round * 15_000 + (target % 15_000));
  const length = at - start - 3;
  request[start] = 0x0a;
  request[start + 1] = (length & 0x7f) | 0x80;
  request[start + 2] = length >>> 7;
  return at;
}

function valueOf(series: number, round: number): number {
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
