import { writeSync } from 'node:fs';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogFormat, LogLevel } from './config.ts';
import { messageOf } from './errors.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes whole lines; stderr unless told. */
  readonly write?: (line: string) => void;
}

/** A log in the forms that Prometheus has: logfmt by default, or JSON. Lines are written at once, so that a dying process keeps its last words. */
export function createLog({ level, format, write = writeToStderr }: LogOptions): Log {
  const destination: DestinationStream = {
    write:
      format === 'json'
        ? write
        : (line) => {
            write(logfmt(line));
          },
  };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      errorKey: 'error',
      serializers: { error: messageOf },
    },
    destination,
  );
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // Nobody reads the log any more (EPIPE), or its pipe is full (EAGAIN): neither may stop delivery.
  }
}

/** One line of pino's JSON as logfmt: ts, level and msg first, then the rest in order. */
function logfmt(json: string): string {
  const { ts, level, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries({ ts, level, msg, ...rest }).filter(([, value]) => value !== undefined);
  return `${pairs.map(([key, value]) => `${key}=${logfmtValue(value)}`).join(' ')}\n`;
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // eslint-disable-next-line no-control-regex -- control characters are what must be quoted
  return /^[^\s"=\\\u0000-\u001f]+$/.test(text) ? text : JSON.stringify(text);
}
