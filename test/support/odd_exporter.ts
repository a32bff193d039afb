import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer } from './close_server.ts';

/** Carries its own time, so that Prometheus never marks it stale. */
export const TIMESTAMPED_METRIC = 'odd_timestamped';

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

export interface OddExporter {
  readonly address: string;
  /** Scrapes that it has answered. */
  readonly scrapes: number;
  close(): Promise<void>;
}

/** A target in the test whose samples are all that a sample can be; some of its series, and at times the target, come and go. */
export async function startOddExporter(): Promise<OddExporter> {
  let scrapes = 0;
  const server = createServer((_request, response) => {
    scrapes++;
    // A failed scrape marks every series of the target stale.
    if (scrapes % 10 === 0) {
      response.writeHead(500).end();
      return;
    }
    response.setHeader('Content-Type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(page(scrapes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get scrapes() {
      return scrapes;
    },
    close: () => closeServer(server),
  };
}

/** OpenMetrics 1.0. */
function page(scrape: number): string {
  const now = Date.now() / 1_000;
  return [
    ...VALUES.map((value, index) => `odd_value{index="${index}"} ${value}`),
    `odd_cycle ${VALUES[scrape % VALUES.length]!}`,
    ...TEXTS.map((text, index) => `odd_text{index="${index}",text="${escape(text)}"} ${index}`),
    `odd_text{empty="",index="none"} 1`,
    ...(scrape % 4 < 2 ? ['odd_comes_and_goes{half="first"} 1'] : ['odd_comes_and_goes{half="second"} 1']),
    `odd_once{scrape="${scrape}"} ${scrape}`,
    `${TIMESTAMPED_METRIC} ${scrape} ${(now - 0.321).toFixed(3)}`,
    '# TYPE odd_requests counter',
    '# HELP odd_requests With an exemplar, which is received and not archived.',
    `odd_requests_total ${scrape} # {trace_id="trace ${scrape}"} 0.5 ${now.toFixed(3)}`,
    '# EOF\n',
  ].join('\n');
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
