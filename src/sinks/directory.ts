import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { frameMember, hourFolder } from '../archive.ts';
import { BufferPool } from '../buffer_pool.ts';
import { SinkError } from '../errors.ts';
import { makeFolder } from '../folders.ts';
import { gzipParts, lengthOf } from '../gzip.ts';
import type { Log } from '../log.ts';
import type { SocketLock } from '../socket_lock.ts';
import { toConfigError, toSinkError } from './directory_errors.ts';
import { ArchiveFile } from './directory_file.ts';
import { lockDirectory } from './directory_lock.ts';
import { recoverOpenFiles } from './directory_recovery.ts';
import { removeExpired } from './directory_retention.ts';
import { countRecords, spanBytes, type Batch, type Rejected, type Sink, type SinkLimits } from './sink.ts';

const MIB = 1024 ** 2;

export const DIRECTORY_LIMITS: SinkLimits = {
  maxRecordsPerCall: Number.MAX_SAFE_INTEGER,
  maxBytesPerCall: 8 * MIB,
  overheadBytesPerRecord: 0,
  // Firehose's 1,000 KiB, so that every destination accepts the same lines. https://docs.aws.amazon.com/firehose/latest/dev/limits.html
  maxRecordBytes: 1_024_000,
  billingUnitBytes: undefined,
  // One is compressed while the other is written.
  maxCallsInFlight: 2,
};

const MAX_FILE_BYTES = 64 * MIB;
/** How often an hour that ended is looked for, of the open file and of the expired ones. */
const HOUSEKEEPING_EVERY_MS = 60_000;
/** Of node_exporter's lines is left less than this. */
const GZIP_SHARE = 1 / 10;

export interface DirectorySinkOptions {
  /** The archive directory; made where it is missing. */
  readonly dir: string;
  /** Whole hours older than this are removed; undefined keeps all. */
  readonly retentionMs: number | undefined;
  readonly log: Log;
  readonly now?: () => number;
  /** Compressed bytes at which a file is finished; 64 MiB unless told. */
  readonly maxFileBytes?: number;
}

/**
 * Opens a local directory as the archive: recovers what a killed process left, and starts to remove what has expired.
 *
 * @throws ConfigError when the directory cannot be used, or another process writes into it
 */
export async function openDirectorySink(options: DirectorySinkOptions): Promise<Sink> {
  const dir = resolve(options.dir);
  const { log } = options;
  let lock: SocketLock | undefined;
  try {
    await makeFolder(dir, dir);
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    lock = await lockDirectory(dir, log);
    await recoverOpenFiles(dir, log);
    return new DirectorySink({ now: Date.now, maxFileBytes: MAX_FILE_BYTES, ...options, dir }, lock);
  } catch (error) {
    await lock?.release();
    throw toConfigError(error, dir);
  }
}

/** A member that waits to be written. */
interface Waiting {
  readonly member: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: SinkError) => void;
}

/**
 * A batch becomes one gzip member. Members that are ready while others are being written wait and are then written together, with one
 * fdatasync for all of them. Everything that touches the open file happens in turn.
 */
class DirectorySink implements Sink {
  readonly limits = DIRECTORY_LIMITS;
  readonly #options: Required<DirectorySinkOptions>;
  readonly #lock: SocketLock;
  readonly #pool = new BufferPool();
  readonly #housekeeper: NodeJS.Timeout;
  readonly #closing = new AbortController();
  readonly #sends = new Set<Promise<void>>();
  #waiting: Waiting[] = [];
  #turn: Promise<void> = Promise.resolve();
  #retention: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #file: ArchiveFile | undefined;

  constructor(options: Required<DirectorySinkOptions>, lock: SocketLock) {
    this.#options = options;
    this.#lock = lock;
    this.#removeExpired();
    this.#housekeeper = setInterval(() => {
      this.#removeExpired();
      void this.#inTurn(() => this.#finishEndedHour(options.now()));
    }, HOUSEKEEPING_EVERY_MS).unref();
  }

  async send(batch: Batch, signal: AbortSignal): Promise<readonly Rejected[]> {
    if (this.#closed) throw new SinkError('down', 'the archive directory is closed', { code: 'closed' });
    if (signal.aborted) throw aborted(signal);
    if (countRecords(batch) === 0) return [];
    const sent = this.#compressAndWrite(batch, signal);
    this.#sends.add(sent);
    try {
      await sent;
      return [];
    } catch (error) {
      throw toSinkError(error, this.#options.dir);
    } finally {
      this.#sends.delete(sent);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#housekeeper);
    this.#closing.abort();
    await Promise.allSettled(this.#sends);
    await this.#inTurn(() => this.#finish());
    await this.#retention;
    await this.#lock.release();
  }

  async #compressAndWrite(batch: Batch, signal: AbortSignal): Promise<void> {
    const parts = batch.map(spanBytes);
    const member = frameMember(
      await gzipParts(parts, { pool: this.#pool, expectedBytes: GZIP_SHARE * lengthOf(parts) }),
    );
    if (signal.aborted) throw aborted(signal);
    await this.#write(member, signal);
  }

  /** Resolves when the member is safe. From here on an abort need not wait for the disk: the batch's own bytes are not needed any more. */
  async #write(member: Uint8Array, signal: AbortSignal): Promise<void> {
    let abort: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const waiting = { member, resolve, reject };
        abort = () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          reject(aborted(signal));
        };
        signal.addEventListener('abort', abort);
        this.#waiting.push(waiting);
        // Whoever comes first while nobody waits starts the write that takes all who wait by then.
        if (this.#waiting.length === 1) void this.#inTurn(() => this.#writeGroup());
      });
    } finally {
      if (abort) signal.removeEventListener('abort', abort);
    }
  }

  async #writeGroup(): Promise<void> {
    const { dir, now, maxFileBytes } = this.#options;
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      const timeMs = now();
      await this.#finishEndedHour(timeMs);
      this.#file ??= await ArchiveFile.create(dir, timeMs);
      await this.#file.append(group.map(({ member }) => member));
    } catch (error) {
      const failure = toSinkError(error, dir);
      await this.#abandon();
      for (const { reject } of group) reject(failure);
      return;
    }
    for (const { resolve } of group) resolve();
    if (this.#file.length >= maxFileBytes) await this.#finish();
  }

  async #finishEndedHour(timeMs: number): Promise<void> {
    if (this.#file && this.#file.folder !== hourFolder(timeMs)) await this.#finish();
  }

  /** Ends the open file. What fails here harms nobody: its lines are safe, and the next start recovers it. */
  async #finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.finish();
    } catch (error) {
      this.#options.log.warn(
        { file: file?.path, error },
        'cannot finish a file of the archive; the next start recovers what is there of it',
      );
    }
  }

  async #abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.abandon();
    } catch (error) {
      this.#options.log.warn(
        { file: file?.path, error },
        'cannot mend a file of the archive; the next start recovers what is there of it',
      );
    }
  }

  #removeExpired(): void {
    const { dir, retentionMs, log, now } = this.#options;
    if (retentionMs === undefined || this.#retention) return;
    this.#retention = removeExpired({ dir, beforeMs: now() - retentionMs, log, signal: this.#closing.signal }).finally(
      () => {
        this.#retention = undefined;
      },
    );
  }

  /** Runs a task, which must not throw, after those before it. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(task);
    return this.#turn;
  }
}

function aborted(signal: AbortSignal): SinkError {
  return new SinkError('transient', 'the call was aborted', { code: 'aborted', cause: signal.reason });
}
