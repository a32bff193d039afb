import type { Writable } from 'node:stream';

const SHOW_AFTER_MS = 1_000;
const REFRESH_EVERY_MS = 200;
/** Back to the line's start, and erase it: ECMA-48 EL. */
const ERASE_LINE = '\r\u001b[K';

/** A line of progress on a terminal. */
export interface Progress {
  /** Takes the line away, so that something else can be written; it comes back with the next refresh. */
  erase(): void;
  stop(): void;
}

/** Shows how far something is, once it takes longer than a second. `status` says it. */
export function showProgress(terminal: Writable, status: () => string): Progress {
  const startedMs = performance.now();
  let isShown = false;
  const erase = () => {
    if (isShown) terminal.write(ERASE_LINE);
    isShown = false;
  };
  const show = () => {
    // A timer may fire a fraction of a millisecond early, which is no reason to say 0 s.
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    terminal.write(`${ERASE_LINE}${status()}, ${seconds} s`);
    isShown = true;
    timer = setTimeout(show, REFRESH_EVERY_MS);
  };
  let timer = setTimeout(show, SHOW_AFTER_MS);
  return {
    erase,
    stop() {
      clearTimeout(timer);
      erase();
    },
  };
}
