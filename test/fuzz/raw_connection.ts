import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly text: string;
  /** What came before it: 100 Continue. */
  readonly informational: readonly number[];
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** A connection for requests byte by byte, one after the other, good and bad. It is made anew when the other end closes it. */
export class RawConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Writes a request and reads its answer. After one that is not whole the connection is half closed, so that both know where it ends.
   *
   * @returns all answers up to the connection's end when the request is not whole, else the one
   */
  async exchange(bytes: Uint8Array, isWhole: boolean): Promise<RawAnswer[]> {
    const socket = await this.#connected();
    socket.write(bytes);
    if (!isWhole) socket.end();
    const answers: RawAnswer[] = [];
    for (;;) {
      const answer = await this.#next(socket);
      if (answer === undefined) break;
      answers.push(answer);
      if (isWhole) {
        if (/\r\nConnection: close/i.test(answer.head)) this.close();
        return answers;
      }
    }
    this.close();
    return answers;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
  }

  async #connected(): Promise<Socket> {
    if (this.#socket?.readable === true && this.#socket.writable) return this.#socket;
    this.close();
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const wake = () => {
      this.#wake();
    };
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      wake();
    });
    socket.on('end', wake).on('close', wake);
    socket.on('error', () => {
      // Told by 'close'.
    });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    this.#socket = socket;
    return socket;
  }

  /** @returns undefined when the connection ended before another answer */
  async #next(socket: Socket): Promise<RawAnswer | undefined> {
    const informational: number[] = [];
    for (;;) {
      const answer = this.#take();
      if (answer !== undefined && answer.status >= 200) return { ...answer, informational };
      if (answer !== undefined) {
        informational.push(answer.status);
        continue;
      }
      if (socket.readableEnded || socket.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): Omit<RawAnswer, 'informational'> | undefined {
    const end = this.#received.indexOf(END_OF_HEAD);
    if (end < 0) return undefined;
    const head = this.#received.toString('latin1', 0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const length = Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? 0);
    const from = end + END_OF_HEAD.length;
    if (this.#received.length < from + length) return undefined;
    const text = this.#received.toString('utf8', from, from + length);
    this.#received = this.#received.subarray(from + length);
    return { status, head, text };
  }
}
