import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { messageOf, type RequestError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { BasicAuth } from './basic_auth.ts';
import { BcryptThread } from './bcrypt_thread.ts';
import { fingerprint, loadWebConfig, type FilesRead, type LoadedWebConfig } from './load.ts';
import { TlsFront, type Refused } from './tls_front.ts';

/** How often the files are looked at. A change counts once it has stood for as long: a file that is being written is not read half-way. */
const LOOK_EVERY_MS = 1_000;
/** After this long what failed is read again, changed or not: there may have been no descriptor left, or no answer from a disk. */
const RETRY_AFTER_MS = 30_000;
/** How often a refused connection is logged; the counter has the rest. */
const LOG_INTERVAL_MS = 10_000;

export interface DoorOptions {
  /** The web configuration file. */
  readonly file: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Who may come in, by a web configuration file whose changes take effect while connections stay open. */
export class Door {
  readonly #options: DoorOptions;
  readonly #bcrypt = new BcryptThread();
  readonly #front: TlsFront;
  readonly #timer: NodeJS.Timeout;
  #config: LoadedWebConfig;
  #auth: BasicAuth | undefined;
  /** All that the configuration was read from, as it was then. */
  #files: FilesRead;
  /** The fingerprint of these files when they were last looked at. */
  #looked: string;
  #failedAtMs: number | undefined;
  #loggedAtMs = -Infinity;
  #hasToldOfHttp = false;
  #reading: Promise<void> | undefined;

  /** @throws ConfigError */
  static async open(options: DoorOptions): Promise<Door> {
    const files: FilesRead = new Map();
    const config = await loadWebConfig(options.file, { files, mayBeEmpty: true });
    return new Door(options, { config, files });
  }

  private constructor(options: DoorOptions, read: { readonly config: LoadedWebConfig; readonly files: FilesRead }) {
    this.#options = options;
    this.#front = new TlsFront((refused) => this.#onRefused(refused));
    this.#config = read.config;
    this.#files = read.files;
    this.#looked = fingerprintOf(read.files);
    options.metrics.webConfigReadAt.set(Date.now() / 1_000);
    this.#use(read.config, undefined);
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  get isTls(): boolean {
    return this.#config.tls !== undefined;
  }

  /** Whether everybody comes in. */
  get #isOpen(): boolean {
    return !this.isTls && this.#config.users.size === 0;
  }

  /** Puts TLS in front of a server. */
  attach(server: Server): void {
    this.#front.attach(server);
  }

  /** Sets the headers that every answer has, and says why a request may not come in; undefined: it may. Its body is not touched. */
  check(
    request: IncomingMessage,
    response: ServerResponse,
  ): RequestError | undefined | Promise<RequestError | undefined> {
    for (const [name, value] of this.#config.headers) response.setHeader(name, value);
    return this.#auth?.check(request);
  }

  /** Reads the file anew. What is wrong is logged, and what held before goes on to hold. Never rejects. */
  async reload(): Promise<void> {
    // One after the other, so that what was read last holds.
    while (this.#reading) await this.#reading;
    this.#reading = this.#reload();
    await this.#reading;
    this.#reading = undefined;
  }

  /** Ends all connections with TLS. Nothing comes in after that. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#front.close();
    await this.#bcrypt.close();
  }

  async #look(): Promise<void> {
    const files = this.#files;
    const seen = await fingerprint(files.keys());
    // Read anew meanwhile, by SIGHUP.
    if (files !== this.#files) return;
    const isSettled = seen === this.#looked;
    this.#looked = seen;
    const isDue = this.#failedAtMs !== undefined && performance.now() >= this.#failedAtMs + RETRY_AFTER_MS;
    if (isSettled && (isDue || seen !== fingerprintOf(files))) await this.reload();
  }

  async #reload(): Promise<void> {
    const { file, log, metrics } = this.#options;
    const files: FilesRead = new Map();
    try {
      const config = await loadWebConfig(file, { files, mayBeEmpty: this.#isOpen });
      this.#use(config, this.#config);
      this.#config = config;
      this.#failedAtMs = undefined;
      metrics.webConfigRead.set(1);
      metrics.webConfigReadAt.set(Date.now() / 1_000);
      log.info({ file, tls: this.isTls, users: config.users.size }, 'the web configuration was read anew');
    } catch (error) {
      this.#failedAtMs = performance.now();
      metrics.webConfigRead.set(0);
      log.error({ error: messageOf(error) }, 'the web configuration cannot be read; what held before goes on to hold');
    }
    this.#files = files;
    this.#looked = fingerprintOf(files);
  }

  #use(config: LoadedWebConfig, before: LoadedWebConfig | undefined): void {
    const { log } = this.#options;
    for (const warning of config.warnings) log.warn(warning);
    if (before === undefined || !isDeepStrictEqual(config.tls, before.tls)) this.#front.use(config.tls);
    if (before !== undefined && (before.tls === undefined) !== (config.tls === undefined)) {
      log.warn(`new connections speak ${config.tls ? 'https' : 'plain http'} from now on`);
    }
    if (before !== undefined && isDeepStrictEqual(config.users, before.users)) return;
    if (before !== undefined && before.users.size > 0 && config.users.size === 0) {
      log.warn('no password is asked for from now on');
    }
    const { users } = config;
    this.#auth = users.size === 0 ? undefined : new BasicAuth({ users, log, compute: this.#bcrypt.compute });
  }

  #onRefused({ reason, code, from }: Refused): void {
    const { log, metrics } = this.#options;
    if (code === 'ERR_SSL_HTTP_REQUEST' && isLoopback(from)) {
      // The image's health check, to which any answer will do, comes every 15 s.
      if (!this.#hasToldOfHttp)
        log.info('plain HTTP came from this machine: a health check, or a sender that needs https');
      this.#hasToldOfHttp = true;
      return;
    }
    metrics.handshakesRefused.inc();
    const now = performance.now();
    if (now < this.#loggedAtMs + LOG_INTERVAL_MS) return;
    this.#loggedAtMs = now;
    log.warn({ from, error: reason }, 'a TLS handshake failed; others are logged at most every 10 s');
  }
}

function fingerprintOf(files: FilesRead): string {
  return [...files.values()].join('\n');
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}
