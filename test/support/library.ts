import { basename } from 'node:path';
import { athenaFiles, athenaSql } from './athena_sql.ts';

/** A file of `athena/queries/`, and what its comment says of it. */
export interface LibraryQuery {
  readonly name: string;
  readonly sql: string;
  /** What it answers. */
  readonly answers: string;
  /** The expression of PromQL that has the same answer, where there is one. */
  readonly promql: string | undefined;
  /** What it says of its parameters, by their names. */
  readonly described: ReadonlyMap<string, string>;
  readonly scans: string;
}

/** A literal and, right behind it, the comment with the parameter's name. */
const PARAMETER = /(TIMESTAMP '[^']*'|'(?:[^']|'')*'|-?\d+(?:\.\d+)?(?:e-?\d+)?) \/\* (\w+) \*\//g;

/** Every query of the library, by its name. */
export const LIBRARY: ReadonlyMap<string, LibraryQuery> = new Map(
  athenaFiles('queries').map((file) => {
    const query = parse(basename(file, '.sql'), athenaSql(file));
    return [query.name, query];
  }),
);

function parse(name: string, sql: string): LibraryQuery {
  const head = /^(?:-- .*\n)+/.exec(sql)?.[0] ?? '';
  const text = head.replaceAll(/^-- /gm, '');
  const [, answers = '', promql, parameters = '', scans = ''] =
    /^(.*?)\n(?:PromQL: (.*?)\n)?Parameters:\n(.*?)\nScans: (.*)\n$/s.exec(text) ?? [];
  const described = parameters
    .replaceAll(/\n {4,}/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [, names = '', help = ''] = /^ {2}([\w, ]+): (.*)$/.exec(line) ?? [];
      return names.split(', ').map((parameter) => [parameter, help] as const);
    });
  return {
    name,
    sql,
    answers: answers.replaceAll('\n', ' '),
    promql: promql?.replaceAll('\n', ' '),
    described: new Map(described),
    scans: scans.replaceAll('\n', ' '),
  };
}

/** The literals of each parameter, in the order of the text. */
export function literalsOf(sql: string): Map<string, string[]> {
  const literals = new Map<string, string[]>();
  for (const [, literal, name] of sql.matchAll(PARAMETER)) {
    literals.set(name!, [...(literals.get(name!) ?? []), literal!]);
  }
  return literals;
}

export type Parameters = Readonly<Record<string, string | number | Date>>;

/** A query of the library with other literals for some of its parameters. */
export function libraryQuery(name: string, parameters: Parameters): string {
  const { sql } = LIBRARY.get(name)!;
  const known = literalsOf(sql);
  const unknown = Object.keys(parameters).filter((parameter) => !known.has(parameter));
  if (unknown.length > 0) throw new Error(`${name}.sql has no parameter ${unknown.join()}`);
  return sql.replace(PARAMETER, (text, _literal, parameter: string) => {
    const value = parameters[parameter];
    return value === undefined ? text : `${literalOf(value)} /* ${parameter} */`;
  });
}

function literalOf(value: string | number | Date): string {
  if (value instanceof Date) return `TIMESTAMP '${value.toISOString().replace('T', ' ').replace('Z', '')}'`;
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return Number.isInteger(value) ? String(value) : value.toExponential().replace('e+', 'e');
}

/** The same query for every metric at once: its series are told apart by the `__name__` that their labels hold. */
export function ofEveryMetric(sql: string): string {
  const one = /name = '(?:[^']|'')*' \/\* metric \*\//;
  if (!one.test(sql)) throw new Error('the query is not about one metric');
  return sql.replace(one, 'name IS NOT NULL');
}
