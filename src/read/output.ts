import type { Writable } from 'node:stream';
import { CommandError } from '../errors.ts';
import type { Progress } from './progress.ts';

/** Where a result goes. */
export interface Output {
  /**
   * Writes a piece and waits until it is taken.
   *
   * @returns false when the reader has gone (`| head`); nothing further needs to be written
   * @throws CommandError when it cannot be written, the signal's reason when it is aborted
   */
  write(text: string): Promise<boolean>;
}

/** Codes of a reader that closed its end. */
const GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE']);

/**
 * @param signal aborting it ends a write that waits, with its reason
 * @param progress gives way to what is written: both may go to the same terminal
 */
export function createOutput(stream: Writable, signal: AbortSignal, progress?: Progress): Output {
  // Each failure is also an event, which would end the process. It may come after the command's end, so this stays.
  stream.on('error', () => undefined);
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        if (text === '') {
          resolve(true);
          return;
        }
        progress?.erase();
        const onAbort = () => {
          reject(signal.reason as Error);
        };
        // A reader that stopped reading (`| less`) must not hold up Ctrl-C.
        signal.addEventListener('abort', onAbort, { once: true });
        stream.write(text, (error) => {
          signal.removeEventListener('abort', onAbort);
          if (!error) resolve(true);
          else if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) resolve(false);
          else reject(new CommandError(`cannot write the result: ${error.message}`));
        });
      }),
  };
}
