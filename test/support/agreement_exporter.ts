import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeServer } from './close_server.ts';
import { seeded } from './seeded.ts';

/** Upper bounds of the buckets of `agreement_seconds`; `low` and `high` are told apart by a bound below and one above all else. */
const BOUNDS = [-0.5, 0.01, 0.025, 0.1, 0.5, 1, 2.5, 10];

export interface AgreementExporter {
  readonly address: string;
  readonly scrapes: number;
  close(): Promise<void>;
}

/**
 * A target of counters, gauges and classic histograms that grow and jump by chance, the same in every run, are reset, come and go, and are
 * not numbers at times. Every eleventh scrape fails.
 */
export async function startAgreementExporter(): Promise<AgreementExporter> {
  const startedSeconds = Math.floor(Date.now() / 1_000);
  const state = new State();
  let scrapes = 0;
  const server = createServer((_request, response) => {
    scrapes++;
    state.advance();
    if (scrapes % 11 === 0) {
      response.writeHead(500).end();
      return;
    }
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(page(state, scrapes, startedSeconds));
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

/** What the target counts, by the name of each part of it. */
class State {
  readonly #random = seeded(7);
  readonly counters = new Map([
    ['from zero', 0],
    ['from a billion', 1e9],
    ['reset', 0],
    ['comes and goes', 50],
    ['rests', 12_345.678],
  ]);
  readonly levels = new Map([
    ['walks', 100],
    ['is tiny', 1e-9],
    ['crosses zero', 0],
  ]);
  /** Observations of each bucket, the last of which is +Inf. */
  readonly histograms = new Map(
    ['a', 'b', 'bent', 'above all'].map((part) => [part, new Array<number>(BOUNDS.length + 1).fill(0)]),
  );
  #step = 0;

  advance(): void {
    this.#step++;
    for (const [part, value] of this.counters) {
      const isReset = part === 'reset' && this.#step % 9 === 0;
      const grows = part !== 'rests' && this.#random() < 0.8;
      this.counters.set(part, isReset ? this.#random() : value + (grows ? this.#random() * 100 : 0));
    }
    for (const [part, value] of this.levels) {
      const size = part === 'is tiny' ? 1e-10 : 10;
      this.levels.set(part, value + (this.#random() - 0.5) * size);
    }
    for (const [part, counts] of this.histograms) {
      if (part === 'b' && this.#step % 13 === 0) counts.fill(0);
      const from = part === 'above all' ? BOUNDS.length : 0;
      for (let i = from; i < counts.length; i++) counts[i]! += Math.floor(this.#random() * 20);
    }
  }
}

function page({ counters, levels, histograms }: State, scrape: number, startedSeconds: number): string {
  const lines = [
    '# TYPE agreement_requests_total counter',
    '# HELP agreement_requests_total Requests, by what becomes of them.',
    ...[...counters]
      .filter(([part]) => part !== 'comes and goes' || scrape % 14 < 8)
      .flatMap(([part, value]) => [
        `agreement_requests_total{part="${part}",code="200"} ${value}`,
        `agreement_requests_total{part="${part}",code="500"} ${Math.floor(value / 7)}`,
      ]),
    '# TYPE agreement_level gauge',
    ...[...levels].map(([part, value]) => `agreement_level{part="${part}"} ${value}`),
    `agreement_level{part="is not a number at times"} ${['1', 'NaN', '2', 'NaN', 'NaN'][scrape % 5]!}`,
    `agreement_level{part="is never a number"} NaN`,
    `agreement_level{part="is infinite at times"} ${scrape % 16 === 3 ? '+Inf' : scrape}`,
    `agreement_level{part="is both infinities"} ${scrape % 8 === 3 ? '+Inf' : scrape % 8 === 5 ? '-Inf' : scrape}`,
    `agreement_level{part="is at the limit"} ${scrape % 2 === 0 ? '1.7976931348623157e+308' : '1.5e+308'}`,
    ...(scrape % 6 === 0 ? ['agreement_level{part="is seldom there"} 6'] : []),
    `agreement_build_info{version="${scrape < 20 ? '1.0' : '1.1'}"} 1`,
    `agreement_start_time_seconds ${startedSeconds + Math.floor(scrape / 12)}`,
    '# TYPE agreement_seconds histogram',
    ...[...histograms].flatMap(([part, counts]) => bucketLines(part, counts)),
    '',
  ];
  return lines.join('\n');
}

/** `bent` is what no histogram should be: a bucket that holds less than the one below it. */
function bucketLines(part: string, counts: readonly number[]): string[] {
  let total = 0;
  return counts.map((count, index) => {
    total += count;
    const shown = part === 'bent' && index === 4 ? total * 0.6 : total;
    const bound = index < BOUNDS.length ? BOUNDS[index]! : '+Inf';
    return `agreement_seconds_bucket{part="${part}",le="${bound}"} ${shown}`;
  });
}
