import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Answer, type SendOptions } from '../../support/http.ts';

/** Where a sender goes away: in the middle of the body, or with the body sent and the answer not here. */
const ABORTS = ['in the body', 'at once after the body', 'a while after the body'] as const;
type Abort = (typeof ABORTS)[number];
/** Long enough for lines to be in a call by then. */
const WHILE_MS = 20;

/** More in a row would only be waits of the sender. */
const MOST_OF_A_BODY = 3;

/** A way to post that goes away from half of its requests. */
export class AbortingPost {
  /** How often it went away, by where. */
  readonly aborted: Readonly<Record<Abort, number>>;
  readonly #aborted: Record<Abort, number>;
  readonly #abortsOf = new WeakMap<Uint8Array, number>();
  #count = 0;

  constructor() {
    this.#aborted = { 'in the body': 0, 'at once after the body': 0, 'a while after the body': 0 };
    this.aborted = this.#aborted;
  }

  readonly post = async (options: SendOptions): Promise<Answer> => {
    const body = options.body!;
    const aborts = this.#abortsOf.get(body) ?? 0;
    if (Math.random() < 0.5 || aborts === MOST_OF_A_BODY) return send(options);
    this.#abortsOf.set(body, aborts + 1);
    const abort = ABORTS[this.#count++ % ABORTS.length]!;
    this.#aborted[abort]++;
    return abandon(options, body, abort);
  };
}

async function abandon(options: SendOptions, body: Uint8Array, abort: Abort): Promise<never> {
  const outgoing = request({ host: '127.0.0.1', ...options });
  // It is gone when an answer comes.
  outgoing.on('error', () => undefined);
  if (abort === 'in the body') {
    await new Promise<void>((resolve) => {
      outgoing.write(body.subarray(0, body.length / 2), () => {
        resolve();
      });
    });
  } else {
    await new Promise<void>((resolve) => {
      outgoing.end(body, resolve);
    });
    if (abort === 'a while after the body') await sleep(Math.random() * WHILE_MS);
  }
  outgoing.destroy();
  throw new Error(`went away ${abort}`);
}
