import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import SnappyJS from 'snappyjs';
import { write } from '../../support/http.ts';
import { someSeries, writeRequest } from '../../support/write_request.ts';

const SENDERS = 8;
const RAW_MS = 1_000;
const BODY_BYTES = 4_000;

/** What a sender of garbage is to be answered: 400 unless told. */
interface Kind {
  readonly name: string;
  readonly send: (port: number) => Promise<number | undefined>;
  readonly status: number;
}

const body = writeRequest(someSeries(50));
const posted = async (port: number, bytes: Uint8Array, headers?: Record<string, string>) =>
  (await write(port, bytes, headers)).status;

const KINDS: readonly Kind[] = [
  { name: 'no snappy', status: 400, send: (port) => posted(port, randomBytes(BODY_BYTES)) },
  { name: 'no protobuf', status: 400, send: (port) => posted(port, SnappyJS.compress(randomBytes(BODY_BYTES))) },
  { name: 'a body cut short', status: 400, send: (port) => posted(port, body.subarray(0, body.length / 2)) },
  { name: 'a bit that fell over', status: 400, send: (port) => posted(port, flipFirst(body)) },
  {
    name: 'JSON',
    status: 415,
    send: (port) => posted(port, Buffer.from('{}'), { 'Content-Type': 'application/json' }),
  },
  { name: 'no HTTP', status: 400, send: (port) => sendRaw(port, randomText()) },
  {
    name: 'a request behind garbage',
    status: 400,
    send: (port) => sendRaw(port, `${randomText()}\r\n\r\nPOST /receive HTTP/1.1\r\n`),
  },
];

export const GARBAGE_KINDS = KINDS.length;

export interface Garbage {
  readonly answered: number;
  /** Answers that are not what its kind is to get. */
  readonly unexpected: readonly string[];
  stop(): Promise<void>;
}

/** Senders of bodies and bytes that are no write requests, one after the other, until they are stopped. */
export function startGarbage(port: number): Garbage {
  const unexpected: string[] = [];
  let answered = 0;
  let isStopping = false;

  async function run(first: number): Promise<void> {
    for (let count = first; !isStopping; count++) {
      const { name, send, status } = KINDS[count % KINDS.length]!;
      const answer = await send(port).catch((error: unknown) => String(error));
      answered++;
      if (answer === status) continue;
      unexpected.push(`${name}: ${answer}`);
      return;
    }
  }

  const running = Promise.all(Array.from({ length: SENDERS }, (_, sender) => run(sender)));
  return {
    get answered() {
      return answered;
    },
    unexpected,
    async stop() {
      isStopping = true;
      await running;
    },
  };
}

/** The declared length of the block, which is then not its own. */
function flipFirst(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[0]! ^= 0xff;
  return copy;
}

/** Never the name of a method. */
function randomText(): string {
  return `~${randomBytes(200).toString('latin1')}`;
}

/** @returns the status of the answer; undefined where there was none */
function sendRaw(port: number, text: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(RAW_MS, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (more: string) => (answer += more));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    });
    socket.end(Buffer.from(text, 'latin1'));
  });
}
