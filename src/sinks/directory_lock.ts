import { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import { tryLock, type SocketLock } from '../socket_lock.ts';

/**
 * Makes this process the only writer of an archive directory until the lock is released. Where the file system has no sockets the archive
 * is used without a lock, with a warning.
 *
 * @throws ConfigError when another process writes into the directory
 */
export async function lockDirectory(dir: string, log: Log): Promise<SocketLock> {
  const attempt = await tryLock(dir, 'writer');
  switch (attempt.outcome) {
    case 'locked':
      return attempt.lock;
    case 'held':
      throw new ConfigError(
        `--archive-dir (ARCHIVE_DIR): another process writes into ${dir} already; end it, or give each its own directory`,
      );
    case 'impossible':
      log.warn(
        { dir, error: attempt.error },
        'cannot lock the archive directory, because its file system has no sockets; make sure that no other process writes into it',
      );
      return { release: () => Promise.resolve() };
  }
}
