/** A process that takes records as Kinesis or Firehose does. It is strict at once about limits, and about lines when the clock has stopped. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Packing } from '../src/write/pack.ts';
import { offer } from './child.ts';
import { LineSums, type LinesSum } from './line_sums.ts';
import { nowNs } from './process_usage.ts';
import { percentilesOf, type Percentiles, type Window } from './scenario.ts';
import { readCall, SERVICES, type PutInput, type ServiceName, type ServiceRules } from './stream_rules.ts';

export interface StreamReport {
  readonly all: LinesSum;
  readonly linesInWindow: number;
  /** From the head of a call until its answer is written. */
  readonly callMs: Percentiles;
  /** What broke the rules; such a call is answered with an error, and its lines do not count. */
  readonly violations: readonly string[];
}

export interface StreamApi {
  /** Returns the port. */
  listen(options: { readonly service: ServiceName; readonly thinkMs: number }): Promise<number>;
  verify(options: { readonly window: Window; readonly packing: Packing }): StreamReport;
}

/** A call that was accepted. */
interface Call {
  readonly body: Buffer;
  readonly startedAtNs: number;
  readonly answeredAtNs: number;
}

const STRICT_BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

class FakeStream {
  readonly #rules: ServiceRules;
  readonly #thinkMs: number;
  readonly #answers = new Map<number, string>();
  readonly #calls: Call[] = [];
  readonly #violations: string[] = [];

  constructor(service: ServiceName, thinkMs: number) {
    this.#rules = SERVICES[service];
    this.#thinkMs = thinkMs;
  }

  async listen(): Promise<number> {
    const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => this.#receive(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  verify(window: Window, packing: Packing): StreamReport {
    const sums = new LineSums();
    const violations = [...this.#violations];
    const took: number[] = [];
    let linesInWindow = 0;
    for (const { body, startedAtNs, answeredAtNs } of this.#calls) {
      const isInWindow = answeredAtNs > window.fromNs && answeredAtNs <= window.toNs;
      if (isInWindow) took.push((answeredAtNs - startedAtNs) / 1e6);
      try {
        const lines = addCall(sums, JSON.parse(body.toString('latin1')) as PutInput, packing);
        if (isInWindow) linesInWindow += lines;
      } catch (error) {
        violations.push(String(error));
      }
    }
    return { all: sums.sum, linesInWindow, callMs: percentilesOf(took), violations };
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const startedAtNs = nowNs();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const answer = () => this.#answer(response, { body, headers: request.headers, startedAtNs });
      if (this.#thinkMs > 0) setTimeout(answer, this.#thinkMs);
      else answer();
    });
  }

  #answer(
    response: ServerResponse,
    { body, headers, startedAtNs }: Pick<IncomingMessage, 'headers'> & Omit<Call, 'answeredAtNs'>,
  ): void {
    try {
      const { length } = readCall(body, headers, this.#rules).Records;
      let answer = this.#answers.get(length);
      if (answer === undefined) this.#answers.set(length, (answer = this.#rules.answer(length)));
      response.writeHead(200, {
        'x-amzn-RequestId': 'e3b0c442-98fc-1c14-9afb-f4c8996fb924',
        'Content-Type': 'application/x-amz-json-1.1',
        'Content-Length': answer.length,
      });
      response.end(answer);
      this.#calls.push({ body, startedAtNs, answeredAtNs: nowNs() });
    } catch (error) {
      this.#violations.push(String(error));
      response.writeHead(400, { 'x-amzn-ErrorType': 'ValidationException' }).end('{"__type":"ValidationException"}');
    }
  }
}

/**
 * Adds the lines of a call.
 *
 * @returns how many
 * @throws Error when a record is not what the packing says
 */
function addCall(sums: LineSums, { Records: records }: PutInput, packing: Packing): number {
  let lines = 0;
  for (const { Data: text } of records) {
    if (text.length % 4 !== 0 || !STRICT_BASE64.test(text)) throw new Error('not base64');
    const data = Buffer.from(text, 'base64');
    const inRecord = sums.add(packing === 'gzip' ? gunzipSync(data) : data);
    if (packing === 'none' && inRecord > 1) throw new Error(`${inRecord} lines in a record`);
    lines += inRecord;
  }
  return lines;
}

let stream: FakeStream | undefined;

offer<StreamApi>({
  listen: ({ service, thinkMs }) => {
    stream = new FakeStream(service, thinkMs);
    return stream.listen();
  },
  verify: ({ window, packing }) => stream!.verify(window, packing),
});
