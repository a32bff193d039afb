import { constants } from 'node:fs';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import { codeOf } from './directory_errors.ts';

/** Makes a process the only writer of an archive directory until it is released. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** Room for a path in struct sockaddr_un: 108 bytes on Linux, 104 elsewhere, the closing zero included. unix(7). */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME = /^\.writer-([1-9]\d{0,8})\.sock$/;

/**
 * The lock is a Unix domain socket in the directory, `.writer-<n>.sock`, that the living writer listens on: the kernel closes it with the
 * process, however that dies, and it works between containers that share the directory. A writer takes the number after the highest,
 * which only one can, and takes away the dead ones after that; so none of several that start at once removes the socket of another.
 *
 * Where the file system has no sockets the archive is used without a lock, with a warning.
 *
 * @throws ConfigError when another process writes into the directory
 */
export async function lockDirectory(dir: string, log: Log): Promise<DirectoryLock> {
  const folder = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const server = await listenAlone(socketFolder(dir, folder));
    if (server === undefined) {
      throw new ConfigError(
        `--archive-dir (ARCHIVE_DIR): another process writes into ${dir} already; end it, or give each its own directory`,
      );
    }
    return {
      async release() {
        // Closing removes the socket's file, for which its folder is still needed.
        await close(server);
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    if (error instanceof ConfigError || codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') throw error;
    log.warn(
      { dir, error },
      'cannot lock the archive directory, because its file system has no sockets; make sure that no other process writes into it',
    );
    return { release: () => Promise.resolve() };
  }
}

/** A path of the directory in which a socket's path is short enough. */
function socketFolder(dir: string, folder: FileHandle): string {
  if (Buffer.byteLength(join(dir, '.writer-123456789.sock')) <= MAX_SOCKET_PATH_BYTES) return dir;
  if (process.platform === 'linux') return `/proc/self/fd/${folder.fd}`;
  throw new Error('its path is too long for a socket');
}

/** @returns undefined when another process is the writer */
async function listenAlone(folder: string): Promise<Server | undefined> {
  // A second round only follows on others that start at the same moment and die.
  for (let round = 0; round < 10; round++) {
    const found = await socketNumbers(folder);
    if (await isAnyAlive(folder, found)) return undefined;
    const own = Math.max(0, ...found) + 1;
    const server = await tryListen(socketPath(folder, own));
    if (server === undefined) continue;
    try {
      // One that had made its socket, and did not listen yet, looked dead before. Now it sees this one, or this one sees it.
      const others = (await socketNumbers(folder)).filter((number) => number !== own);
      if (!(await isAnyAlive(folder, others))) {
        await Promise.all(others.map((number) => removeSocket(socketPath(folder, number))));
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

function socketPath(folder: string, number: number): string {
  return join(folder, `.writer-${number}.sock`);
}

async function socketNumbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap((name) => {
    const number = SOCKET_NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

async function isAnyAlive(folder: string, numbers: readonly number[]): Promise<boolean> {
  const alive = await Promise.all(numbers.map((number) => isAlive(socketPath(folder, number))));
  return alive.includes(true);
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
