import { ACK, COST, FAKE, LIBRARIES_RATIO, LOAD, SCALE_RATIO, type Row, type Table } from './pipeline_table.ts';
import { BASE, type Scenario } from './scenario.ts';

/** `quick` gives a first look in two or three minutes: short windows, and of each scale its ends. */
export type Pace = 'full' | 'quick';

const LATENCY_WARM_UP_MS = { full: 25_000, quick: 2_000 } as const;
const LATENCY_WINDOW_MS = { full: 20_000, quick: 4_000 } as const;
const QUICK = { warmUpMs: 2_000, windowMs: 1_000 } as const;

export function sinkTable(pace: Pace): Table {
  const base = baseOf(pace);
  const pair = (packing: 'gzip' | 'none'): Row[] => [
    { title: `${packing}, Kinesis: plain libraries`, scenario: { ...base, packing, program: 'libraries' } },
    {
      title: `${packing}, Kinesis`,
      scenario: { ...base, packing },
      comparedWith: `${packing}, Kinesis: plain libraries`,
    },
  ];
  return {
    title: 'Packings and sinks: 2,000 samples a request, 1 M series, 10 connections',
    columns: { ...COST, ...LIBRARIES_RATIO, ...LOAD, ...ACK },
    rows: [
      ...pair('gzip'),
      ...pair('none'),
      { title: 'lines, Kinesis', scenario: { ...base, packing: 'lines' } },
      { title: 'gzip, Firehose', scenario: { ...base, sink: 'firehose' } },
      { title: 'none, Firehose', scenario: { ...base, sink: 'firehose', packing: 'none' } },
      { title: 'directory', scenario: { ...base, sink: 'directory' } },
    ],
  };
}

export function seriesTable(pace: Pace): Table {
  return scaleTable(pace, 'Series', [
    ['1 thousand', { seriesCount: 1_000 }],
    ['10 thousand', { seriesCount: 10_000 }],
    ['100 thousand', { seriesCount: 100_000 }],
    ['1 million', { seriesCount: 1_000_000 }],
  ]);
}

/** The other factors, one at a time. */
export function scaleTables(pace: Pace): Table[] {
  return [
    // Packed records wait for lines, so that small requests need many connections to fill them, as Prometheus with its shards has.
    scaleTable(
      pace,
      'Samples per request, 40 connections',
      ([10_000, 2_000, 500, 100] as const).map((samplesPerRequest) => [
        samplesPerRequest.toLocaleString('en'),
        { samplesPerRequest, connections: 40 },
      ]),
    ),
    scaleTable(pace, 'Connections', [
      ['1', { connections: 1 }],
      ['10', { connections: 10 }],
      ['50', { connections: 50 }],
      ['200', { connections: 200 }],
    ]),
    scaleTable(pace, 'Labels', [
      ['6 labels', {}],
      ['18 labels, 2.4 times the bytes of lines', { labels: 'long' }],
    ]),
    scaleTable(pace, 'Processes', [
      ['1', {}],
      ['2, each with half of the connections', { copies: 2 }],
    ]),
    scaleTable(pace, 'Remote write', [
      ['1.0', {}],
      ['2.0', { version: 2 }],
    ]),
  ];
}

function scaleTable(pace: Pace, factor: string, rows: readonly [title: string, factors: Partial<Scenario>][]): Table {
  return {
    title: `${factor}: gzip, Kinesis; else 2,000 samples a request, 1 M series, 10 connections`,
    columns: { ...COST, ...SCALE_RATIO, ...LOAD, ...ACK },
    rows: (pace === 'full' ? rows : [rows[0]!, rows.at(-1)!]).map(([title, factors]) => ({
      title,
      scenario: { ...baseOf(pace), ...factors },
      ...(title !== rows[0]![0] && { comparedWith: rows[0]![0] }),
    })),
  };
}

/** @param samplesPerSecond what packing none can do here */
export function latencyTable(pace: Pace, samplesPerSecond: number): Table {
  const requestsPerSecond = (samplesPerRequest: number) => samplesPerSecond / 10 / samplesPerRequest;
  const row = (samplesPerRequest: number, thinkMs: number): Row => ({
    title: `${samplesPerRequest} a request, the fake thinks ${thinkMs} ms`,
    scenario: {
      ...baseOf(pace),
      packing: 'none',
      samplesPerRequest,
      requestsPerSecond: requestsPerSecond(samplesPerRequest),
      thinkMs,
      // At a tenth of the load V8 takes longer to compile what runs often.
      warmUpMs: LATENCY_WARM_UP_MS[pace],
      windowMs: LATENCY_WINDOW_MS[pace],
    },
  });
  return {
    title: `Latency at 10% load, ${Math.round(samplesPerSecond / 10)} samples/s: none, Kinesis, 1 M series; a call has 500 samples`,
    columns: { ...ACK, ...FAKE, ...LOAD },
    rows: [row(2_000, 0), row(2_000, 10), row(500, 0), row(500, 10)],
  };
}

function baseOf(pace: Pace): Scenario {
  return pace === 'full' ? BASE : { ...BASE, ...QUICK };
}
