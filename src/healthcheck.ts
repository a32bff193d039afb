import { connect } from 'node:net';
import { OPTIONS } from './config.ts';
import type { ListenAddress } from './option.ts';

/** Less than the time-out of the image's HEALTHCHECK, so that it is this program that says what is wrong. */
const ANSWER_MS = 3_000;
const REQUEST = 'GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const { listenAddr } = OPTIONS;

/**
 * The image's HEALTHCHECK: whether the adapter in this container is alive, by the variable that tells both where it listens. A program of its own, because
 * the adapter's takes five times as long to load.
 *
 * Whatever comes back is a sign of life: without a password the answer is 401, and a server that speaks TLS hangs up on this request. A process that hangs
 * does neither, though the kernel still accepts connections for it.
 *
 * @returns what is wrong
 */
function problemAt({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    let isConnected = false;
    const socket = connect({ host: dialable(host), port, timeout: ANSWER_MS });
    const settle = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => {
      isConnected = true;
      socket.write(REQUEST);
    });
    socket.once('timeout', () => settle(`no answer within ${ANSWER_MS} ms`));
    socket.once('data', () => settle());
    socket.once('end', () => settle());
    socket.on('error', ({ message }) => settle(isConnected ? undefined : message));
  });
}

/** Who listens on every interface listens here too. */
function dialable(host: string | undefined): string {
  if (host === '::') return '::1';
  return host === undefined || host === '0.0.0.0' ? '127.0.0.1' : host;
}

const text = process.env[listenAddr.env!];
const problem = await problemAt(listenAddr.parse(text === undefined || text === '' ? listenAddr.default! : text));
if (problem !== undefined) process.stderr.write(`${problem}\n`);
process.exitCode = problem === undefined ? 0 : 1;
