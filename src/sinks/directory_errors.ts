import { codeOf, ConfigError, messageOf, SinkError } from '../errors.ts';

/** What the person on call does about an error of the file system; `subject` is the archive directory. */
type Mend = (dir: string) => string;

const permit: Mend = (dir) =>
  `give the adapter's user read, write and search permission on ${dir} and the folders in it`;
const replace: Mend = (dir) => `make ${dir} a directory: something on its path, or in it, is missing or no directory`;
const raiseFileLimit: Mend = () => 'raise the limit of open files (ulimit -n)';
const remount: Mend = (dir) => `mount the file system of ${dir} again`;
const checkDisk: Mend = (dir) => `check the disk below ${dir} (dmesg)`;

/**
 * Errors that stay until somebody mends something (Linux errno(3)). EIO is among them: the kernel has retried already, and an fsync
 * that is repeated on the same file may succeed without having written anything (https://lwn.net/Articles/752063/).
 */
const MENDS: Readonly<Record<string, Mend>> = {
  ENOSPC: (dir) => `free space (or inodes) on the file system of ${dir}, or shorten --archive-retention`,
  EDQUOT: (dir) => `raise the disk quota of the adapter's user on the file system of ${dir}, or free space there`,
  EROFS: (dir) => `mount the file system of ${dir} writable`,
  EACCES: permit,
  EPERM: permit,
  ENOENT: replace,
  ENOTDIR: replace,
  ELOOP: replace,
  ENAMETOOLONG: (dir) => `choose a shorter path than ${dir}`,
  EMFILE: raiseFileLimit,
  ENFILE: raiseFileLimit,
  EFBIG: () => 'raise the limit of file sizes (ulimit -f)',
  EIO: checkDisk,
  ENXIO: remount,
  ENODEV: remount,
  ENOTCONN: remount,
  ESTALE: remount,
};

/** What an error of the file system means for the lines that were being written. */
export function toSinkError(error: unknown, dir: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = codeOf(error);
  const mend = MENDS[code]?.(dir);
  const message = `cannot write to the archive directory ${dir}: ${messageOf(error)}`;
  if (mend === undefined) return new SinkError('transient', message, { code, cause: error });
  return new SinkError('down', message, { code, mend, cause: error });
}

/** The same error as what stops the start. */
export function toConfigError(error: unknown, dir: string): ConfigError {
  if (error instanceof ConfigError) return error;
  const mend = MENDS[codeOf(error)]?.(dir);
  const mends = [...(mend === undefined ? [] : [mend]), 'name another directory'].join(', or ');
  return new ConfigError(
    `--archive-dir (ARCHIVE_DIR): cannot use ${dir} as the archive: ${messageOf(error)}; ${mends}`,
  );
}
