import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { messageOf } from '../errors.ts';
import { refuseClient } from './client_certificate.ts';
import type { TlsConfig } from './tls_config.ts';

export interface TlsSettings {
  readonly config: TlsConfig;
  readonly options: TlsOptions;
}

/** A connection that did not get through its handshake. */
export interface Refused {
  readonly reason: string;
  /** Node's code, where it has one. */
  readonly code?: string | undefined;
  readonly from: string | undefined;
}

type Listener = (socket: Socket) => void;

/**
 * TLS in front of an HTTP server, or none. Each connection has the settings that are there when it comes; those that are open keep theirs. So
 * settings, also that of TLS itself, change without a connection being dropped.
 */
export class TlsFront {
  readonly #onRefused: (refused: Refused) => void;
  /** Those with TLS: an HTTP server knows of a connection only once its handshake is done. */
  readonly #connections = new Set<Socket>();
  #onConnection: Listener = () => undefined;
  #tls: TlsServer | undefined;

  constructor(onRefused: (refused: Refused) => void) {
    this.#onRefused = onRefused;
  }

  /** Stands between a server's connections and its HTTP. */
  attach(server: HttpServer): void {
    const listeners = server.listeners('connection') as Listener[];
    server.removeAllListeners('connection');
    this.#onConnection = (socket) => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on('connection', (socket: Socket) => {
      if (this.#tls) this.#shake(socket, this.#tls);
      else this.#onConnection(socket);
    });
  }

  /** For the connections that come from now on; undefined: plain HTTP. */
  use(settings: TlsSettings | undefined): void {
    this.#tls = settings && this.#createTls(settings);
  }

  /** Ends all connections with TLS, those in their handshake too. */
  close(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #shake(socket: Socket, tls: TlsServer): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    // It never listens: it is given the connections.
    tls.emit('connection', socket);
  }

  #createTls({ config, options }: TlsSettings): TlsServer {
    const tls = createServer(options);
    tls.on('secureConnection', (socket) => {
      const refusal = refusalOf(socket, config);
      if (refusal === undefined) {
        this.#onConnection(socket);
        return;
      }
      this.#onRefused({ reason: refusal, from: socket.remoteAddress });
      socket.destroy();
    });
    tls.on('tlsClientError', ({ message, code }: NodeJS.ErrnoException, socket: TLSSocket) => {
      this.#onRefused({ reason: message, code, from: socket.remoteAddress });
      socket.destroy();
    });
    return tls;
  }
}

/** Who cannot be told from others does not come in: what a certificate says is anybody's words, and an error here would end the process. */
function refusalOf(socket: TLSSocket, config: TlsConfig): string | undefined {
  try {
    return refuseClient(socket, config);
  } catch (error) {
    return `the client's certificate cannot be read (${messageOf(error)})`;
  }
}
