import { constants } from 'node:fs';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { codeOf } from './errors.ts';

/** Keeps other processes from doing the same in a folder until it is released. */
export interface SocketLock {
  release(): Promise<void>;
}

/** `held` is what another process has; `impossible` is a file system without sockets, and says how it was seen. */
export type LockAttempt =
  | { readonly outcome: 'locked'; readonly lock: SocketLock }
  | { readonly outcome: 'held' }
  | { readonly outcome: 'impossible'; readonly error: unknown };

/** Room for a path in struct sockaddr_un: 108 bytes on Linux, 104 elsewhere, the closing zero included. unix(7). */
const MAX_SOCKET_PATH_BYTES = 103;
const LARGEST_NUMBER = 999_999_999;

/**
 * The lock is a Unix domain socket in the folder, `.<name>-<n>.sock`, that its living holder listens on: the kernel closes it with the
 * process, however that dies, and it works between containers that share the folder. A holder takes the number after the highest, which
 * only one can, and takes away the dead ones after that; so none of several that start at once removes the socket of another.
 *
 * @throws the file system's error where the folder cannot be read or is full
 */
export async function tryLock(dir: string, name: string): Promise<LockAttempt> {
  const folder = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const server = await listenAlone(new Sockets(dir, folder, name));
    if (server === undefined) {
      await folder.close();
      return { outcome: 'held' };
    }
    const release = async () => {
      // Closing removes the socket's file, for which its folder is still needed.
      await close(server);
      await folder.close();
    };
    return { outcome: 'locked', lock: { release } };
  } catch (error) {
    await folder.close();
    if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') throw error;
    return { outcome: 'impossible', error };
  }
}

/** @returns undefined when another process has the lock */
async function listenAlone(sockets: Sockets): Promise<Server | undefined> {
  // A second round only follows on others that start at the same moment and die.
  for (let round = 0; round < 10; round++) {
    const found = await sockets.numbers();
    if (await sockets.isAnyAlive(found)) return undefined;
    const own = Math.max(0, ...found) + 1;
    const server = await tryListen(sockets.path(own));
    if (server === undefined) continue;
    try {
      // One that had made its socket, and did not listen yet, looked dead before. Now it sees this one, or this one sees it.
      const others = (await sockets.numbers()).filter((number) => number !== own);
      if (!(await sockets.isAnyAlive(others))) {
        await Promise.all(others.map((number) => removeSocket(sockets.path(number))));
        return server;
      }
    } catch (error) {
      await close(server);
      throw error;
    }
    await close(server);
    return undefined;
  }
  return undefined;
}

/** The sockets of one lock, by their numbers. */
class Sockets {
  /** A path of the directory in which a socket's path is short enough. */
  readonly #folder: string;
  readonly #name: string;

  constructor(dir: string, folder: FileHandle, name: string) {
    this.#folder = dir;
    this.#name = name;
    if (Buffer.byteLength(this.path(LARGEST_NUMBER)) <= MAX_SOCKET_PATH_BYTES) return;
    if (process.platform !== 'linux') throw new Error('its path is too long for a socket');
    this.#folder = `/proc/self/fd/${folder.fd}`;
  }

  path(number: number): string {
    return join(this.#folder, `.${this.#name}-${number}.sock`);
  }

  async numbers(): Promise<number[]> {
    const pattern = new RegExp(`^\\.${this.#name}-([1-9]\\d{0,8})\\.sock$`);
    return (await readdir(this.#folder)).flatMap((name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
  }

  async isAnyAlive(numbers: readonly number[]): Promise<boolean> {
    const alive = await Promise.all(numbers.map((number) => isAlive(this.path(number))));
    return alive.includes(true);
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const connection = connect({ path });
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', (error) => {
      switch (codeOf(error)) {
        case 'ECONNREFUSED':
        case 'ENOENT':
        case 'ENOTSOCK':
          resolve(false);
          break;
        case 'EAGAIN': // Its queue of connections is full.
          resolve(true);
          break;
        default:
          reject(error);
      }
    });
  });
}

/** @returns undefined when there is a socket at this path already */
function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.unref();
    server.on('error', (error) => {
      // Later errors, such as EMFILE at accepting, settle nothing: whoever connects has its answer by then.
      if (codeOf(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    // Any user may connect: one who may not could not tell a dead socket from a living one.
    server.listen({ path, writableAll: true }, () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

async function removeSocket(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
