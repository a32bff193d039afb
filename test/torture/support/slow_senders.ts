import { connect, type Socket } from 'node:net';

const TRICKLE_EVERY_MS = 500;
/** Left for the trickle of a sender that has sent nearly all of its body. */
const LAST_BYTES = 200;

/** What a sender says at its usual pace, before it says the rest byte by byte. */
export const SLOWNESSES = ['nothing', 'half a header', 'the headers', 'nearly all of the body'] as const;
type Slowness = (typeof SLOWNESSES)[number];

/** How a slow sender ended. */
interface SlowEnd {
  /** Of the answer; undefined where the connection was closed without one. */
  readonly status: number | undefined;
  readonly afterMs: number;
}

export interface SlowSenders {
  /** Connections that are open still. */
  readonly open: number;
  readonly ended: readonly SlowEnd[];
  /** Resolves when every connection has ended. */
  readonly allEnded: Promise<unknown>;
  destroy(): void;
}

export interface SlowSendersOptions {
  readonly port: number;
  readonly slownesses: readonly Slowness[];
  /** Of each slowness. */
  readonly count: number;
  readonly body: Uint8Array;
}

/** Slow-loris senders: they hold a connection for as long as they may, with a byte every now and then. */
export function startSlowSenders({ port, slownesses, count, body }: SlowSendersOptions): SlowSenders {
  const sockets = new Set<Socket>();
  const ended: SlowEnd[] = [];

  function start(slowness: Slowness): Promise<void> {
    const [atOnce, trickle] = splitRequest(slowness, body);
    const startedAtMs = performance.now();
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    socket.write(atOnce);
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < trickle.length) socket.write(trickle.subarray(sent, ++sent));
    }, TRICKLE_EVERY_MS);
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.on('error', () => {
      // It was cut; the close follows.
    });
    return new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(timer);
        sockets.delete(socket);
        const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
        ended.push({
          status: status === undefined ? undefined : Number(status),
          afterMs: performance.now() - startedAtMs,
        });
        resolve();
      });
    });
  }

  const all = slownesses.flatMap((slowness) => Array.from({ length: count }, () => start(slowness)));
  return {
    get open() {
      return sockets.size;
    },
    ended,
    allEnded: Promise.all(all),
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** @returns what is sent at once, and what is sent byte by byte */
function splitRequest(slowness: Slowness, body: Uint8Array): [Uint8Array, Uint8Array] {
  const head = Buffer.from(
    'POST /receive HTTP/1.1\r\nHost: adapter\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n' +
      `X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  const request = Buffer.concat([head, body]);
  const at = {
    nothing: 0,
    'half a header': head.length / 2,
    'the headers': head.length,
    'nearly all of the body': request.length - LAST_BYTES,
  }[slowness];
  return [request.subarray(0, at), request.subarray(at)];
}
