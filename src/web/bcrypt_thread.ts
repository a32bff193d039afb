import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

const DIGEST_LENGTH = 31;

/** Computes the 31 characters of a bcrypt hash. */
export type Bcrypt = (password: string, hash: { readonly cost: number; readonly salt: string }) => Promise<string>;

/**
 * The program of the thread: a text, because it runs as it is from the sources and from what is built of them. Linux has a priority for each thread:
 * passwords of strangers are then computed in the time that delivery leaves (with what is left of niceness 10 where it leaves none).
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { hashSync } = require(workerData.bcrypt);
if (process.platform === 'linux') {
  try { require('node:os').setPriority(10); } catch {}
}
parentPort.on('message', ({ password, salt }) => parentPort.postMessage(hashSync(password, salt)));
`;

/** bcrypt in a thread of its own, started when it is first needed. */
export class BcryptThread {
  #worker: Worker | undefined;
  /** Ends with the last computation that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** One after the other. Rejects with whatever ended the thread; the next call starts another one. */
  readonly compute: Bcrypt = (password, hash) => {
    const digest = this.#last.then(() => this.#compute(password, hash));
    this.#last = digest.catch(() => undefined);
    return digest;
  };

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #compute(password: string, { cost, salt }: { readonly cost: number; readonly salt: string }): Promise<string> {
    const worker = (this.#worker ??= this.#start());
    const text = await new Promise<string>((resolve, reject) => {
      const settle = (finish: () => void) => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        finish();
      };
      const onMessage = (hash: string) => settle(() => resolve(hash));
      const onError = (error: Error) => settle(() => reject(error));
      const onExit = () => settle(() => reject(new Error('the thread that computes passwords ended')));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage({ password, salt: `$2b$${String(cost).padStart(2, '0')}$${salt}` });
    });
    return text.slice(-DIGEST_LENGTH);
  }

  #start(): Worker {
    const bcrypt = createRequire(import.meta.url).resolve('bcryptjs');
    const worker = new Worker(PROGRAM, { eval: true, workerData: { bcrypt }, execArgv: [] });
    worker.unref();
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    // What ends it is told to who waits for it; between two computations nobody does.
    worker.on('error', () => undefined);
    return worker;
  }
}
