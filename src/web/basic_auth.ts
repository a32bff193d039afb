import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { messageOf, RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Bcrypt } from './bcrypt_thread.ts';
import { FairQueue } from './fair_queue.ts';
import type { PasswordHash } from './password_hash.ts';

/** Different passwords that wait to be checked, at some 60 ms each with a cost of 10. */
const MAX_CHECKS = 64;
/** How long one may wait: well below what a request may take to arrive. */
const MAX_WAIT_MS = 10_000;
/** How often it is logged that none can be checked. */
const LOG_INTERVAL_MS = 10_000;
/** Requests that wait for these checks. */
const MAX_WAITING = 1_024;
/** Answers of each kind that are kept, of some 200 bytes. */
const MAX_KNOWN = 1_024;

/** Salt and digest of no password: what a check of an unknown name computes is thrown away. */
const NO_SALT = 'QOauhQNbBCuQDKes6eFzPe';
const NO_DIGEST = '.'.repeat(31);

export interface BasicAuthOptions {
  readonly users: ReadonlyMap<string, PasswordHash>;
  readonly compute: Bcrypt;
  readonly log: Log;
}

interface Check {
  readonly key: string;
  readonly header: string;
  readonly requests: IncomingMessage[];
  readonly sinceMs: number;
  readonly answer: Promise<Verdict>;
  readonly settle: (verdict: Verdict) => void;
}

/** undefined: welcome. */
type Verdict = RequestError | undefined;

/**
 * Passwords by HTTP basic authentication (RFC 7617). A header that was checked is known again, right or wrong, by its HMAC with a key of this
 * process; others are checked one at a time, those of each address in turn.
 */
export class BasicAuth {
  readonly #options: BasicAuthOptions;
  readonly #secret = randomBytes(32);
  /** What an unknown name is checked against costs what known names cost: which one of these, its HMAC says. */
  readonly #costs: readonly number[];
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  readonly #checks = new Map<string, Check>();
  readonly #queue = new FairQueue<Check>(MAX_CHECKS);
  #waiting = 0;
  #isChecking = false;
  #loggedAtMs = -Infinity;

  constructor(options: BasicAuthOptions) {
    this.#options = options;
    this.#costs = [...options.users.values()].map(({ cost }) => cost);
  }

  /** Whether a request may come in: at once where its header is known. */
  check(request: IncomingMessage): Verdict | Promise<Verdict> {
    const header = request.headers.authorization;
    if (header === undefined) return unauthorized('a user name and a password are asked for (basic_auth)');
    const key = this.#hmac(header);
    if (this.#right.has(key)) return undefined;
    if (this.#wrong.has(key)) return wrongPassword();
    return this.#await(key, header, request);
  }

  async #await(key: string, header: string, request: IncomingMessage): Promise<Verdict> {
    if (this.#waiting >= MAX_WAITING) return tooMany();
    this.#waiting++;
    try {
      const known = this.#checks.get(key);
      known?.requests.push(request);
      return await (known ?? this.#enqueue(key, header, request)).answer;
    } finally {
      this.#waiting--;
    }
  }

  #enqueue(key: string, header: string, request: IncomingMessage): Check {
    let settle: (verdict: Verdict) => void = () => undefined;
    const answer = new Promise<Verdict>((resolve) => {
      settle = resolve;
    });
    const check: Check = { key, header, requests: [request], sinceMs: performance.now(), answer, settle };
    this.#checks.set(key, check);
    const dropped = this.#queue.push(request.socket.remoteAddress ?? '', check);
    if (dropped) this.#end(dropped, tooMany());
    void this.#work();
    return check;
  }

  #end(check: Check, verdict: Verdict): void {
    this.#checks.delete(check.key);
    check.settle(verdict);
  }

  async #work(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    for (let check = this.#queue.shift(); check; check = this.#queue.shift()) {
      const isLate = performance.now() > check.sinceMs + MAX_WAIT_MS;
      // Nobody waits for it any more, or not for long.
      if (isLate || check.requests.every(({ destroyed }) => destroyed)) this.#end(check, tooMany());
      else this.#end(check, await this.#verdict(check));
    }
    this.#isChecking = false;
  }

  async #verdict({ key, header }: Check): Promise<Verdict> {
    try {
      const isRight = await this.#isRight(header);
      remember(isRight ? this.#right : this.#wrong, key);
      return isRight ? undefined : wrongPassword();
    } catch (error) {
      this.#logRarely(error);
      return new RequestError('overloaded', 'passwords cannot be checked now');
    }
  }

  #logRarely(error: unknown): void {
    const now = performance.now();
    if (now < this.#loggedAtMs + LOG_INTERVAL_MS) return;
    this.#loggedAtMs = now;
    this.#options.log.error({ error: messageOf(error) }, 'a password could not be checked');
  }

  async #isRight(header: string): Promise<boolean> {
    const given = credentialsOf(header);
    if (!given) return false;
    const hash = this.#options.users.get(given.user);
    const cost = hash?.cost ?? this.#costOfUnknown(given.user);
    // As much is computed for a name that is not known.
    const digest = await this.#options.compute(given.password, { cost, salt: hash?.salt ?? NO_SALT });
    const expected = hash?.salt === undefined ? NO_DIGEST : hash.digest;
    const isSame = timingSafeEqual(Buffer.from(digest), Buffer.from(expected));
    return isSame && hash?.salt !== undefined && given.isText;
  }

  #costOfUnknown(user: string): number {
    const index = Buffer.from(this.#hmac(user), 'latin1').readUInt32LE() % this.#costs.length;
    return this.#costs[index]!;
  }

  #hmac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('binary');
  }
}

function remember(known: Set<string>, key: string): void {
  known.add(key);
  if (known.size <= MAX_KNOWN) return;
  const [oldest] = known;
  known.delete(oldest!);
}

interface Credentials {
  readonly user: string;
  readonly password: string;
  /** Whether both are UTF-8, as whoever made the hash had them. */
  readonly isText: boolean;
}

const FORM = /^basic ([A-Za-z0-9+/]*={0,2})$/i;

function credentialsOf(header: string): Credentials | undefined {
  const [, encoded] = FORM.exec(header) ?? [];
  if (encoded === undefined || encoded.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString();
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1), isText: Buffer.from(text).equals(bytes) };
}

function unauthorized(message: string): RequestError {
  return new RequestError('unauthorized', message);
}

function wrongPassword(): RequestError {
  return unauthorized('the user name or the password is wrong (basic_auth)');
}

function tooMany(): RequestError {
  return new RequestError('overloaded', 'too many passwords wait to be checked');
}
