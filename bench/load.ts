/** A process that sends remote write: every request is made before the clock runs, so that nearly all of its time goes into the sockets. */
import { connect, type Socket } from 'node:net';
import SnappyJS from 'snappyjs';
import { Flattener } from '../src/write/flatten.ts';
import { flattenPlainly } from '../test/support/oracle.ts';
import { offer } from './child.ts';
import { LineSums, type LinesSum } from './line_sums.ts';
import { nowNs } from './process_usage.ts';
import { makeRequest, makeRequestV2 } from './requests.ts';
import { percentilesOf, type Percentiles, type Scenario, type Window } from './scenario.ts';

export interface LoadOptions extends Pick<
  Scenario,
  'seriesCount' | 'samplesPerRequest' | 'connections' | 'labels' | 'version' | 'requestsPerSecond'
> {
  readonly ports: readonly number[];
}

export interface LoadReport {
  /** What every acknowledged request holds, all in all. */
  readonly acknowledged: LinesSum;
  /** Samples of requests that were acknowledged within the window. */
  readonly samplesInWindow: number;
  readonly ackMs: Percentiles;
}

export interface LoadApi {
  /** Makes the requests and opens the connections. */
  prepare(options: Omit<LoadOptions, 'ports'>): void;
  /** Connects to each port in turn. */
  start(ports: readonly number[]): Promise<void>;
  /** Sends no more, and waits until all is acknowledged. */
  stop(window: Window): Promise<LoadReport>;
}

/** Fewer would let a cache of some kind help that a sender's requests do not meet. */
const LEAST_BODIES = 64;
const LIMITS = { arrivedAtMs: 0, maxTimeMs: undefined, maxLinesBytes: 2 ** 26, maxLineBytes: 1_000_000 } as const;
const VERSION_HEADERS = {
  1: 'Content-Type: application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n',
  2: 'Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\nX-Prometheus-Remote-Write-Version: 2.0.0\r\n',
} as const;
/** A timer comes up to a millisecond late; from here on the load waits in the event loop. */
const TIMER_SLACK_MS = 2;

interface Body {
  readonly compressed: Uint8Array;
  /** Head and body. */
  readonly bytes: Buffer;
  acknowledgements: number;
}

function makeBodies({ seriesCount, samplesPerRequest, labels, version }: Omit<LoadOptions, 'ports'>): Body[] {
  const count = Math.max(LEAST_BODIES, Math.ceil(seriesCount / samplesPerRequest));
  return Array.from({ length: count }, (_, index) => {
    const shape = { samplesPerRequest, labels };
    const request = version === 1 ? makeRequest(index, seriesCount, shape) : makeRequestV2(index, seriesCount, shape);
    const compressed = SnappyJS.compress(request);
    const head = `POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nContent-Length: ${compressed.length}\r\nContent-Encoding: snappy\r\n${VERSION_HEADERS[version]}\r\n`;
    return { compressed, bytes: Buffer.concat([Buffer.from(head), compressed]), acknowledgements: 0 };
  });
}

class Load {
  readonly #options: Omit<LoadOptions, 'ports'>;
  readonly #bodies: readonly Body[];
  readonly #idle: Socket[] = [];
  readonly #sockets: Socket[] = [];
  /** When each answer came, and how long after its request was due. */
  readonly #answeredAtNs: number[] = [];
  readonly #tookMs: number[] = [];
  #next = 0;
  #inFlight = 0;
  #stopAtNs = Infinity;
  /** When the next request is due, and the time between two. */
  #dueNs = 0;
  #everyNs = 0;
  #failure: Error | undefined;
  #onEnd: (() => void) | undefined;

  constructor(options: Omit<LoadOptions, 'ports'>) {
    this.#options = options;
    this.#bodies = makeBodies(options);
  }

  async start(ports: readonly number[]): Promise<void> {
    const { connections, requestsPerSecond } = this.#options;
    await Promise.all(Array.from({ length: connections }, (_, index) => this.#connect(ports[index % ports.length]!)));
    this.#dueNs = nowNs();
    if (requestsPerSecond === undefined) {
      for (const socket of this.#idle.splice(0)) this.#send(socket, this.#dueNs);
      return;
    }
    this.#everyNs = 1e9 / requestsPerSecond;
    this.#sendDue();
  }

  async stop(window: Window): Promise<LoadReport> {
    this.#stopAtNs = nowNs();
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      this.#checkEnd();
    });
    for (const socket of this.#sockets) socket.destroy();
    if (this.#failure) throw this.#failure;
    const isInWindow = (_: unknown, index: number) =>
      this.#answeredAtNs[index]! > window.fromNs && this.#answeredAtNs[index]! <= window.toNs;
    const tookMs = this.#tookMs.filter(isInWindow);
    return {
      acknowledged: sumOfAcknowledged(this.#bodies, this.#options.version),
      samplesInWindow: tookMs.length * this.#options.samplesPerRequest,
      ackMs: percentilesOf(tookMs),
    };
  }

  #connect(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
        this.#idle.push(socket);
        resolve();
      });
      this.#sockets.push(socket);
      socket.on('error', (error) => {
        reject(error);
        this.#fail(error);
      });
      socket.on('close', () => this.#fail(new Error('a connection was closed')));
    });
  }

  /** Sends what is due on the connections that are idle; what finds none waits, and its time runs from when it was due. */
  #sendDue(): void {
    const now = nowNs();
    while (this.#dueNs <= now && this.#dueNs < this.#stopAtNs && this.#idle.length > 0) {
      this.#send(this.#idle.pop()!, this.#dueNs);
      this.#dueNs += this.#everyNs;
    }
    if (this.#dueNs >= this.#stopAtNs || this.#failure) this.#checkEnd();
    // An answer goes on with it.
    else if (this.#idle.length === 0) return;
    else {
      const waitMs = (this.#dueNs - nowNs()) / 1e6 - TIMER_SLACK_MS;
      if (waitMs > 0) setTimeout(() => this.#sendDue(), waitMs);
      else setImmediate(() => this.#sendDue());
    }
  }

  #send(socket: Socket, dueNs: number): void {
    const body = this.#bodies[this.#next]!;
    this.#next = (this.#next + 1) % this.#bodies.length;
    this.#inFlight++;
    let answer = '';
    const onData = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('\r\n\r\n')) {
        if (!answer.startsWith('HTTP/1.1 204 ')) this.#fail(new Error(`not acknowledged: ${answer}`));
        return;
      }
      socket.off('data', onData);
      this.#onAnswer(socket, answer, { body, dueNs });
    };
    socket.on('data', onData);
    socket.write(body.bytes);
  }

  #onAnswer(socket: Socket, answer: string, { body, dueNs }: { readonly body: Body; readonly dueNs: number }): void {
    if (!answer.startsWith('HTTP/1.1 204 ')) {
      this.#fail(new Error(`not acknowledged: ${answer}`));
      return;
    }
    const now = nowNs();
    body.acknowledgements++;
    this.#inFlight--;
    this.#answeredAtNs.push(now);
    this.#tookMs.push((now - dueNs) / 1e6);
    if (this.#everyNs === 0 && now < this.#stopAtNs) {
      this.#send(socket, now);
      return;
    }
    this.#idle.push(socket);
    if (this.#everyNs > 0 && this.#idle.length === 1) this.#sendDue();
    this.#checkEnd();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#checkEnd();
  }

  #checkEnd(): void {
    if (!this.#onEnd) return;
    if (this.#failure || (this.#inFlight === 0 && (this.#everyNs === 0 || this.#dueNs >= this.#stopAtNs)))
      this.#onEnd();
  }
}

/** What the requests say, by the flattener; and for some of them the oracle has a look at that. */
function sumOfAcknowledged(bodies: readonly Body[], version: 1 | 2): LinesSum {
  const all = new LineSums();
  const flattener = new Flattener();
  const compared = [0, bodies.length >> 1, bodies.length - 1];
  bodies.forEach(({ compressed, acknowledgements }, index) => {
    if (acknowledgements === 0) return;
    const request = SnappyJS.uncompress(compressed);
    const bytes = Buffer.from(flattener.flatten(request, { ...LIMITS, version }).lines.bytes);
    if (compared.includes(index) && bytes.toString() !== flattenPlainly(request, { version })!.lines.join('')) {
      throw new Error(`request ${index}: the flattener and the oracle write other lines`);
    }
    const sums = new LineSums();
    sums.add(bytes);
    all.addSum(sums.sum, acknowledgements);
  });
  return all.sum;
}

let load: Load | undefined;

offer<LoadApi>({
  prepare: (options) => {
    load = new Load(options);
  },
  start: (ports) => load!.start(ports),
  stop: (window) => load!.stop(window),
});
