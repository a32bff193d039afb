import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pick, type Random } from '../support/plain_series.ts';
import { seeded } from '../support/seeded.ts';
import { bodyOf } from './body_forms.ts';
import type { CorpusMessage } from './fuzz_corpus.ts';
import { requestOf, type WireRequest } from './http_forms.ts';
import { bendMessage } from './message_mutations.ts';
import { neighbourBody } from './neighbours.ts';
import { RawConnection, type RawAnswer } from './raw_connection.ts';
import type { WatchedAdapter } from './watched_adapter.ts';

const CONNECTIONS = 32;
/** Of so many requests one is a good neighbour. */
const NEIGHBOUR_EVERY = 25;
const MOST_TRIES = 100;
const RETRY_MS = 100;
const STATUSES = new Set([204, 400, 413, 415, 503]);
const ONE_LINE = /^[^\n]{1,9000}\n$/;
/** Seeds of bodies that follow each other lie apart. */
const SEED_STRIDE = 1_000_003;

export interface FuzzOptions {
  readonly adapter: WatchedAdapter;
  readonly corpus: readonly CorpusMessage[];
  readonly seed: number;
  /** The bodies of the run by number, from and to (exclusive). */
  readonly from: number;
  readonly to: number;
  /** No more of them are begun then. */
  readonly mostMs: number;
  /** Called now and then, with how many are answered. */
  readonly onProgress: (done: number) => Promise<void>;
  readonly progressEvery: number;
}

/**
 * What was answered, by status; `none` where the connection ended without an answer to a request that was not whole. A neighbour that had to come again
 * is in it twice.
 */
export type Answered = Map<number | 'none' | 'neighbour 503', number>;

export interface Fuzzed {
  readonly answered: Answered;
  /** The bodies were those up to this (exclusive). */
  readonly to: number;
}

/** The request of a number: the same in every run with the same seed. */
function requestOfNumber(number: number, { corpus, seed }: Pick<FuzzOptions, 'corpus' | 'seed'>): WireRequest {
  const random = seeded(seed * SEED_STRIDE + number);
  if (isNeighbour(number)) {
    const version = number % (2 * NEIGHBOUR_EVERY) === 0 ? 1 : 2;
    return requestOf(neighbourBody(number, version), version, plain);
  }
  const { version, fields } = pick(random, corpus);
  const message = bendMessage(fields, pick(random, corpus).fields, random);
  // The other version's headers, now and then.
  return requestOf(bodyOf(message, random), random() < 0.03 ? (version === 1 ? 2 : 1) : version, random);
}

/** Draws what is likeliest. */
const plain: Random = () => 0.5;

export function isNeighbour(number: number): boolean {
  return number % NEIGHBOUR_EVERY === 0;
}

/** Sends the bodies over a few connections, one after the other on each; a request that is answered wrongly is kept in a file, and fails. */
export async function runFuzz(options: FuzzOptions): Promise<Fuzzed> {
  const { adapter, from, to, mostMs, onProgress, progressEvery } = options;
  const endAtMs = performance.now() + mostMs;
  const answered: Answered = new Map();
  const underWay = new Map<number, WireRequest>();
  let next = from;
  let done = 0;

  /** A good neighbour that is refused for want of room comes again, as every sender does. */
  async function exchange(connection: RawConnection, { bytes, isWhole }: WireRequest, isGood: boolean) {
    for (let tries = 1; ; tries++) {
      const answers = await connection.exchange(bytes, isWhole);
      if (!isGood || answers[0]?.status !== 503 || tries === MOST_TRIES) return answers;
      answered.set('neighbour 503', (answered.get('neighbour 503') ?? 0) + 1);
      await sleep(RETRY_MS);
    }
  }

  async function runConnection(): Promise<void> {
    const connection = new RawConnection(adapter.port);
    while (next < to && performance.now() < endAtMs) {
      const number = next++;
      const request = requestOfNumber(number, options);
      underWay.set(number, request);
      const answers = await exchange(connection, request, isNeighbour(number));
      const wrong = wrongWith(request, answers, isNeighbour(number));
      if (wrong !== undefined) throw new Error(`body ${number}: ${wrong}`);
      if (adapter.process.hasExited) throw new Error(`the adapter ended:\n${adapter.process.stderr}`);
      underWay.delete(number);
      for (const key of answers.length === 0 ? ['none' as const] : answers.map(({ status }) => status)) {
        answered.set(key, (answered.get(key) ?? 0) + 1);
      }
      done++;
      if (done % progressEvery === 0) await onProgress(done);
    }
    connection.close();
  }

  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, runConnection));
  } catch (error) {
    const files = [...underWay].map(([number, request]) => keep(request, `${options.seed}-${number}`));
    throw new Error(
      `${(error as Error).message}\nunder way, to be replayed by FUZZ_REPLAY=<file>:\n${files.join('\n')}`,
      {
        cause: error,
      },
    );
  }
  return { answered, to: next };
}

/** What is wrong with the answers to a request; undefined when nothing is. */
export function wrongWith(
  { isWhole }: WireRequest,
  answers: readonly RawAnswer[],
  isGood: boolean,
): string | undefined {
  if (isWhole && answers.length === 0) return 'no answer to a request that is whole';
  // Behind one that lies about its length there may be the start of another, whose path and method are anything.
  const [first] = answers;
  for (const { status, text, head } of isWhole ? answers : first === undefined ? [] : [first]) {
    if (isGood && status !== 204) return `a good neighbour is answered ${status} ${text}`;
    if (!STATUSES.has(status)) {
      const isHttp = !isWhole && NOT_HTTP.has(status);
      if (!isHttp) return `answered ${status}: ${head}`;
    }
    if (status === 400 && !ONE_LINE.test(text)) return `400 without its line of text: ${JSON.stringify(text)}`;
  }
  return undefined;
}

/** What a request may be answered whose head is bent: its path, method, headers, expectation or version may be anything. */
const NOT_HTTP = new Set([404, 405, 408, 417, 431, 501, 505]);

/** Kept bytes begin with a word of ours: whether the request is whole. */
function keep({ bytes, isWhole }: WireRequest, name: string): string {
  const file = join(tmpdir(), `fuzz-${name}.http`);
  writeFileSync(file, Buffer.concat([Buffer.from(isWhole ? 'W' : 'B'), bytes]));
  return file;
}

/** A request that was kept. */
export function kept(file: string): WireRequest {
  const bytes = readFileSync(file);
  return { bytes: bytes.subarray(1), isWhole: bytes[0] === 'W'.charCodeAt(0) };
}
