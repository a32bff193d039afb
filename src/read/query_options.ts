/** What users may add to `query "<sql>"`. Kept apart from the command, so that `--help` needs no database engine. */

import { CommandError, ConfigError } from '../errors.ts';
import { hourFolder } from '../archive.ts';
import { OPTIONS } from '../config.ts';
import { bytes, duration, flag, matching, oneOf, option } from '../option.ts';

// https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html, and what it refers to.
const WORKGROUP = /^[a-zA-Z0-9._-]{1,128}$/;
const DATABASE = /^[^\p{Cc}]{1,255}$/u;
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const OUTPUT_LOCATION = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[^\p{Cc}]{0,900})?$/u;

/** The options of `query`, besides `--archive-dir`. README's table is tested against this. */
export const QUERY_OPTIONS = {
  format: option({
    flag: '--format',
    placeholder: '<format>',
    default: 'table',
    help: 'table, csv (RFC 4180) or json (one object per line)',
    parse: oneOf(['table', 'csv', 'json']),
  }),
  sinceMs: option({
    flag: '--since',
    placeholder: '<duration>',
    unset: 'all times',
    help: 'as --from, that long ago, such as 2h',
    parse: duration('1s', '36500d'),
  }),
  fromMs: option({
    flag: '--from',
    placeholder: '<time>',
    unset: 'all times',
    help:
      'only samples, histograms and exemplars of this time or later: RFC 3339, a UTC day, or epoch seconds (up to 11 digits) or milliseconds (12 and more); ' +
      'folders, with their metadata, are read from an hour before it',
    parse: parseTime,
  }),
  toMs: option({
    flag: '--to',
    placeholder: '<time>',
    unset: 'all times',
    help: 'only samples, histograms and exemplars before this time; all later folders are read, for what arrived late, and their metadata stays',
    parse: parseTime,
  }),
  memoryLimitBytes: option({
    flag: '--memory-limit',
    placeholder: '<bytes>',
    default: '1GiB',
    help: 'memory of the database engine; what needs more spills to a temporary folder (TMPDIR)',
    parse: bytes('256MiB', '1024GiB'),
  }),
  athena: flag('--athena', "query Amazon Athena instead of the local archive, in Athena's dialect of SQL"),
  workgroup: option({
    flag: '--workgroup',
    env: 'ATHENA_WORKGROUP',
    placeholder: '<name>',
    default: 'prometheus',
    help: 'with --athena: the workgroup that runs the query',
    parse: matching(WORKGROUP, 'expected the name of a workgroup: 1 to 128 of a-z A-Z 0-9 . _ -'),
  }),
  database: option({
    flag: '--database',
    env: 'ATHENA_DATABASE',
    placeholder: '<name>',
    default: 'prometheus',
    help: 'with --athena: the Glue database that has the tables and views',
    parse: matching(DATABASE, 'expected the name of a database: 1 to 255 characters'),
  }),
  outputLocation: option({
    flag: '--output-location',
    env: 'ATHENA_OUTPUT_LOCATION',
    placeholder: '<s3 url>',
    unset: "the workgroup's own",
    help: 'with --athena: where in S3 Athena puts its result, from which it is read',
    parse: matching(OUTPUT_LOCATION, 'expected a place in S3, such as s3://bucket/prefix/'),
  }),
  region: option({ ...OPTIONS.region, help: 'with --athena: its AWS region' }),
  endpointUrl: option({
    ...OPTIONS.endpointUrl,
    help: 'with --athena: its endpoint, such as a PrivateLink address',
  }),
} as const;

export type QueryFormat = ReturnType<typeof QUERY_OPTIONS.format.parse>;

/** Times of samples, histograms and exemplars in milliseconds since the epoch: `fromMs` is the first, `toMs` one past the last. */
export interface TimeRange {
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/**
 * The times that `--since`, `--from` and `--to` choose together.
 *
 * @throws CommandError when they contradict each other
 */
export function resolveTimeRange(
  given: TimeRange & { readonly sinceMs: number | undefined },
  nowMs: number,
): TimeRange {
  const { sinceMs, fromMs, toMs } = given;
  if (sinceMs !== undefined && fromMs !== undefined) {
    throw new CommandError('--since and --from both say where the time begins; leave one of them out');
  }
  const firstMs = sinceMs === undefined ? fromMs : nowMs - sinceMs;
  if (firstMs !== undefined && toMs !== undefined && firstMs >= toMs) {
    const begin = new Date(firstMs).toISOString();
    throw new CommandError(
      `no time is left: it begins at ${begin}, and --to ${new Date(toMs).toISOString()} is not after that`,
    );
  }
  return { fromMs: firstMs, toMs };
}

/** Folders are hours of arrival, and a sender's clock may be ahead of the receiver's by this much. */
const CLOCK_SLACK_MS = 3_600_000;

/** The first folder that can hold what was sampled at a time or later; before all folders where there is no such time. */
export function firstFolder(fromMs: number | undefined): string {
  return fromMs === undefined ? '' : hourFolder(Math.max(0, fromMs - CLOCK_SLACK_MS));
}

/** RFC 3339 has four digits for the year. */
const END_OF_9999_MS = Date.UTC(10_000, 0) - 1;
const EPOCH_SECONDS = /^(\d{1,11})(?:\.(\d+))?$/;
const EPOCH_MILLISECONDS = /^\d{12,15}$/;
// RFC 3339 §5.6, date-time with a zone; the day alone is ours.
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[-+]\d{2}:\d{2}))?$/;

/**
 * Milliseconds since the epoch of a time as users write it. Finer digits round up, which chooses the same whole milliseconds for a first
 * time and for one past the last.
 *
 * @throws ConfigError when it is none
 */
export function parseTime(text: string): number {
  const ms = epochMs(text) ?? dateTimeMs(text);
  if (ms === undefined || Number.isNaN(ms) || ms > END_OF_9999_MS) {
    throw new ConfigError(
      'expected RFC 3339 such as 2026-11-20T10:45:13Z, a UTC day such as 2026-11-20, ' +
        'epoch seconds (up to 11 digits, 1795171513.5) or epoch milliseconds (12 digits or more, 1795171513500)',
    );
  }
  return ms;
}

function epochMs(text: string): number | undefined {
  if (EPOCH_MILLISECONDS.test(text)) return Number(text);
  const parts = EPOCH_SECONDS.exec(text);
  return parts ? Number(parts[1]) * 1_000 + fractionMs(parts[2]) : undefined;
}

function dateTimeMs(text: string): number | undefined {
  const [, day, time = '00:00:00', fraction, zone = 'Z'] = DATE_TIME.exec(text) ?? [];
  if (day === undefined) return undefined;
  const local = new Date(`${day}T${time}Z`);
  // Date takes 2026-02-30 for 2 March.
  if (Number.isNaN(local.getTime()) || local.toISOString().slice(0, 19) !== `${day}T${time}`) return undefined;
  const startMs = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  return startMs + fractionMs(fraction);
}

function fractionMs(digits = ''): number {
  const finer = /[1-9]/.test(digits.slice(3)) ? 1 : 0;
  return Number(digits.slice(0, 3).padEnd(3, '0')) + finer;
}
