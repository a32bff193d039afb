import { archiveDirOrDefault } from '../config.ts';
import { CommandError } from '../errors.ts';
import type { AthenaQueryOptions } from './athena_query.ts';
import type { QueryOptions } from './query.ts';
import { firstFolder, QUERY_OPTIONS, resolveTimeRange, type TimeRange } from './query_options.ts';

type OptionName = keyof typeof QUERY_OPTIONS;

/** Values as the command line and the environment gave them, defaults filled in. */
export type GivenQuery = {
  readonly [Name in OptionName]?: ReturnType<(typeof QUERY_OPTIONS)[Name]['parse']>;
} & { readonly archiveDir?: string };

export type QuerySettings =
  | ({ readonly engine: 'duckdb' } & Omit<QueryOptions, 'signal'>)
  | ({ readonly engine: 'athena' } & Omit<AthenaQueryOptions, 'signal'>);

const ATHENA_ONLY = ['workgroup', 'database', 'outputLocation', 'region', 'endpointUrl'] as const;

/**
 * Checks the settings against each other. What the environment says to the engine that is not asked is no mistake.
 *
 * @param isTyped whether an option stands on the command line
 * @throws CommandError naming the options and the mend
 */
export function resolveQuery(
  given: GivenQuery,
  isTyped: (name: OptionName | 'archiveDir') => boolean,
  nowMs: number,
): QuerySettings {
  return given.athena === true ? resolveAthena(given, isTyped, nowMs) : resolveLocal(given, isTyped);
}

function resolveLocal(given: GivenQuery, isTyped: (name: OptionName) => boolean): QuerySettings {
  const typed = ATHENA_ONLY.find(isTyped);
  if (typed !== undefined) {
    throw new CommandError(`${QUERY_OPTIONS[typed].flag} works with --athena only; give that too, or leave it out`);
  }
  const { sinceMs, fromMs, toMs } = given;
  return {
    engine: 'duckdb',
    archiveDir: archiveDirOrDefault(given.archiveDir),
    format: withDefault(given, 'format'),
    memoryLimitBytes: withDefault(given, 'memoryLimitBytes'),
    sinceMs,
    fromMs,
    toMs,
  };
}

function resolveAthena(
  given: GivenQuery,
  isTyped: (name: OptionName | 'archiveDir') => boolean,
  nowMs: number,
): QuerySettings {
  if (isTyped('archiveDir')) {
    throw new CommandError('--archive-dir and --athena name two archives; leave one of them out');
  }
  if (isTyped('memoryLimitBytes')) {
    throw new CommandError(
      '--memory-limit is for the local engine and does nothing with --athena; leave one of them out',
    );
  }
  refuseTimes(given, nowMs);
  const { outputLocation, region, endpointUrl } = given;
  return {
    engine: 'athena',
    format: withDefault(given, 'format'),
    workgroup: withDefault(given, 'workgroup'),
    database: withDefault(given, 'database'),
    outputLocation,
    region,
    endpointUrl,
  };
}

/** Athena's views are made once for all queries, so that only the SQL can cut them. */
function refuseTimes(given: GivenQuery, nowMs: number): void {
  const { sinceMs, fromMs, toMs } = given;
  const flags = (['sinceMs', 'fromMs', 'toMs'] as const)
    .filter((name) => given[name] !== undefined)
    .map((name) => QUERY_OPTIONS[name].flag);
  if (flags.length === 0) return;
  const predicate = predicateOf(resolveTimeRange({ sinceMs, fromMs, toMs }, nowMs));
  throw new CommandError(
    `${flags.join(' and ')} cannot cut what Athena reads; leave ${flags.length === 1 ? 'it' : 'them'} out, and put this after WHERE:\n${predicate}`,
  );
}

function predicateOf({ fromMs, toMs }: TimeRange): string {
  return [
    ...(fromMs === undefined ? [] : [`time >= ${fromMs}`]),
    ...(toMs === undefined ? [] : [`time < ${toMs}`]),
    ...(fromMs === undefined ? [] : [`datehour >= '${firstFolder(fromMs)}'`]),
  ].join(' AND ');
}

function withDefault<Name extends OptionName>(
  given: GivenQuery,
  name: Name,
): ReturnType<(typeof QUERY_OPTIONS)[Name]['parse']> {
  const { default: preset, parse } = QUERY_OPTIONS[name] as { default?: string; parse: (text: string) => unknown };
  return (given[name] ?? parse(preset ?? '')) as ReturnType<(typeof QUERY_OPTIONS)[Name]['parse']>;
}
