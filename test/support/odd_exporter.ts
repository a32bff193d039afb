import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer } from './close_server.ts';

/** Carries its own time, so that Prometheus never marks it stale. */
export const TIMESTAMPED_METRIC = 'odd_timestamped';

const COUNTER = 'odd_requests_total';
export const COUNTER_HELP = 'With an exemplar.';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const VALUES = [
  'NaN',
  '+Inf',
  '-Inf',
  '-0',
  '0',
  '9007199254740993', // 2^53 + 1
  '5e-324',
  '1.7976931348623157e+308',
  '-2.2250738585072014e-308',
  '0.1',
  '1e21',
  '1e-7',
  '123456789.123456789',
  '18446744073709551615',
];

const TEXTS = [
  'quotes " and \\ and \\n',
  'line\nfeed and\ttab and\rreturn',
  '日本語 한국어 é ß',
  '😀 👩‍👩‍👧 \u{10ffff}',
  '\u2028\u2029\u0085\ufeff\ufffd\u007f\u0001',
  "{}[]=,'`$#",
  ' ',
  'x'.repeat(5_000),
];

/** A sample as it is exposed, its value as text. */
export interface OddSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

export interface OddExporter {
  readonly address: string;
  /** Scrapes that it has answered. */
  readonly scrapes: number;
  /** The samples of each scrape that it answered with a page, by its number, without {@link TIMESTAMPED_METRIC}; `odd_once` has the number as its value. */
  readonly served: ReadonlyMap<number, readonly OddSample[]>;
  close(): Promise<void>;
}

/**
 * A target in the test whose samples are all that a sample can be; some of its series, and at times the target, come and go. Who asks for
 * OpenMetrics gets a timestamp and an exemplar besides.
 */
export async function startOddExporter(): Promise<OddExporter> {
  let scrapes = 0;
  const served = new Map<number, readonly OddSample[]>();
  const server = createServer(({ headers }, response) => {
    scrapes++;
    // A failed scrape marks every series of the target stale.
    if (scrapes % 10 === 0) {
      response.writeHead(500).end();
      return;
    }
    const samples = samplesOf(scrapes);
    served.set(scrapes, samples);
    const isOpen = headers.accept?.includes('application/openmetrics-text') === true;
    response.setHeader('Content-Type', isOpen ? OPEN_METRICS : 'text/plain; version=0.0.4; charset=utf-8');
    response.end(isOpen ? openMetricsPage(samples, scrapes) : textPage(samples));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get scrapes() {
      return scrapes;
    },
    served,
    close: () => closeServer(server),
  };
}

function samplesOf(scrape: number): OddSample[] {
  const half = scrape % 4 < 2 ? 'first' : 'second';
  return [
    ...VALUES.map((value, index) => ({ name: 'odd_value', labels: { index: String(index) }, value })),
    { name: 'odd_cycle', labels: {}, value: VALUES[scrape % VALUES.length]! },
    ...TEXTS.map((text, index) => ({
      name: 'odd_text',
      labels: { index: String(index), text },
      value: String(index),
    })),
    { name: 'odd_text', labels: { empty: '', index: 'none' }, value: '1' },
    { name: 'odd_comes_and_goes', labels: { half }, value: '1' },
    { name: 'odd_once', labels: { scrape: String(scrape) }, value: String(scrape) },
    { name: COUNTER, labels: {}, value: String(scrape) },
  ];
}

/** OpenMetrics 1.0. */
function openMetricsPage(samples: readonly OddSample[], scrape: number): string {
  const now = Date.now() / 1_000;
  return [
    ...samples.filter(({ name }) => name !== COUNTER).map(toLine),
    `${TIMESTAMPED_METRIC} ${scrape} ${(now - 0.321).toFixed(3)}`,
    `# TYPE ${COUNTER.replace(/_total$/, '')} counter`,
    `# HELP ${COUNTER.replace(/_total$/, '')} ${COUNTER_HELP}`,
    ...samples
      .filter(({ name }) => name === COUNTER)
      .map((sample) => `${toLine(sample)} # {trace_id="trace ${scrape}"} 0.5 ${now.toFixed(3)}`),
    '# EOF\n',
  ].join('\n');
}

/** Prometheus's text format. */
function textPage(samples: readonly OddSample[]): string {
  return [`# HELP ${COUNTER} ${COUNTER_HELP}`, `# TYPE ${COUNTER} counter`, ...samples.map(toLine), ''].join('\n');
}

function toLine({ name, labels, value }: OddSample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join()}}`} ${value}`;
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
