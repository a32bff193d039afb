import { writeSync } from 'node:fs';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogFormat, LogLevel } from './config.ts';
import { messageOf } from './errors.ts';
import { withoutSecrets } from './secrets.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** What no line may hold, besides what looks like a secret. */
  readonly secrets?: readonly string[];
  /** Takes whole lines; stderr unless told. */
  readonly write?: (line: string) => void;
}

/** A log in the forms that Prometheus has: logfmt by default, or JSON. Lines are written at once, so that a dying process keeps its last words. */
export function createLog({ level, format, secrets = [], write = writeToStderr }: LogOptions): Log {
  const print = format === 'json' ? jsonLine : logfmt;
  const destination: DestinationStream = {
    write: (line) => {
      // Here is every text of a line by itself, whoever's words it has.
      const entry = JSON.parse(line, (_key, value: unknown) =>
        typeof value === 'string' ? withoutSecrets(value, secrets) : value,
      ) as LogEntry;
      write(print(entry));
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

type LogEntry = Record<string, unknown>;

function jsonLine(entry: LogEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** One entry as logfmt: ts, level and msg first, then the rest in order. */
function logfmt({ ts, level, msg, ...rest }: LogEntry): string {
  const pairs = Object.entries({ ts, level, msg, ...rest }).filter(([, value]) => value !== undefined);
  return `${pairs.map(([key, value]) => `${key}=${logfmtValue(value)}`).join(' ')}\n`;
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // eslint-disable-next-line no-control-regex -- control characters are what must be quoted
  return /^[^\s"=\\\u0000-\u001f]+$/.test(text) ? text : JSON.stringify(text);
}
