import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Answer } from './http.ts';

/** A folder with files, until the test ends. */
export function folderWith(files: Readonly<Record<string, string>>): {
  readonly path: string;
  put(name: string, text: string): string;
} {
  const path = mkdtempSync(join(tmpdir(), 'web-config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const put = (name: string, text: string) => {
    writeFileSync(join(path, name), text);
    return join(path, name);
  };
  for (const [name, text] of Object.entries(files)) put(name, text);
  return { path, put };
}

export interface SecureSendOptions extends ConnectionOptions {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
}

/** One HTTPS request to this machine, on a connection of its own. */
export function sendSecurely({ body, ...options }: SecureSendOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', agent: false, path: '/-/healthy', ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** What a handshake comes to; rejects where the server does not want it. */
export function shakeHands(options: ConnectionOptions & { readonly port: number }): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', ...options }, () => resolve(socket));
    socket.on('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}
