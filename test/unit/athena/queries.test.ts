import { describe, expect, test } from 'vitest';
import { athenaSql } from '../../support/athena_sql.ts';
import { LIBRARY, literalsOf } from '../../support/library.ts';
import { trinoProblems } from '../../support/trino.ts';

const README = athenaSql('README.md');
const QUERIES = [...LIBRARY.values()];

/** Queries that have parts in common, each with the parts (WITH) that it takes from the first of them. */
const COUNTER = ['given', 'points', 'neighbours', 'covered', 'windows', 'extents', 'bounded', 'increases'];
const GAUGE = ['given', 'points', 'reached'];
const SHARED: readonly (readonly [from: string, to: string, parts: readonly string[]])[] = [
  ['rate', 'increase', COUNTER],
  ['rate', 'rate_by_label', COUNTER],
  ['rate', 'histogram_quantile_classic', COUNTER],
  ['rate', 'slo_burn', ['windows', 'extents', 'bounded', 'increases']],
  ['rate', 'delta', ['given', 'points']],
  ['delta', 'over_time', GAUGE],
  ['delta', 'deriv', GAUGE],
  [
    'histogram_quantile_native',
    'histogram_quantile_native_rate',
    ['spans', 'stored', 'bounded', 'sided', 'places', 'found', 'quantiles'],
  ],
  ['restarts', 'counter_resets', ['given', 'points', 'neighbours']],
];

/** A part of a query, without the literals of its parameters. */
function partOf(name: string, part: string): string {
  const [text] = new RegExp(`^  ${part} AS \\(\\n.*?^  \\)`, 'ms').exec(LIBRARY.get(name)!.sql)!;
  return text.replaceAll(/\S+(?: '[^']*')? (\/\* \w+ \*\/)/g, '$1');
}

describe.each(QUERIES)('$name.sql', ({ name, sql, answers, promql, described, scans }) => {
  test("is Trino's grammar", () => {
    expect(trinoProblems(sql)).toEqual([]);
  });

  test('says what it answers, what each of its parameters means, and what it scans', () => {
    expect(answers).toMatch(/^[A-Z].*\.$/);
    expect(scans).toMatch(/ in the folders from datehour on\.$/);
    expect([...described.keys()].sort()).toEqual([...literalsOf(sql).keys()].sort());
    expect([...described.values()].filter((text) => text === '')).toEqual([]);
  });

  test('has one literal for each parameter, wherever it stands', () => {
    const various = [...literalsOf(sql)].filter(([, literals]) => new Set(literals).size > 1);
    expect(various).toEqual([]);
  });

  test('bounds the folders below, and not above', () => {
    const bounds = sql.match(/datehour [<>=]+ /g);
    expect(new Set(bounds)).toEqual(new Set(['datehour >= ']));
  });

  test('calls nothing but what README.md lists', () => {
    const [, list = ''] = /<!-- functions -->\n(.*?)\n\n/s.exec(README)!;
    const allowed = new Set(Array.from(list.matchAll(/`(\w+)`/g), ([, called]) => called));
    const code = sql.replaceAll(/^\s*--.*$/gm, '').replaceAll(/'[^']*'/g, "''");
    const called = new Set(Array.from(code.matchAll(/\b([a-z]\w*)\(/g), ([, text]) => text));
    expect([...called].filter((text) => !allowed.has(text))).toEqual([]);
    // What DuckDB has not, or has otherwise.
    expect(code).not.toMatch(/->|\bARRAY\b|\bIS (?:NOT )?(?:TRUE|FALSE)\b|::|\bROW\(|\[\w+ (?:for|FOR)/);
  });

  test('partitions no window by a map, which Trino has to sort for that, and cannot', () => {
    expect(sql).not.toMatch(/PARTITION BY (?:[^()]*, )?(?:\w+\.)?labels\b/);
  });

  test('stands in README.md with what it answers', () => {
    const asPromql = promql === undefined ? '' : `\`${promql}\``;
    expect(README).toContain(`| [\`${name}\`](queries/${name}.sql) | ${answers} | ${asPromql} |`);
  });
});

test('README.md has a row for every query, and for no other', () => {
  const rows = Array.from(README.matchAll(/^\| \[`(\w+)`\]\(queries\//gm), ([, name]) => name);
  expect(rows.toSorted()).toEqual(QUERIES.map(({ name }) => name));
});

test.each(SHARED)('%s and %s are the same in what they share', (from, to, parts) => {
  for (const part of parts) expect([part, partOf(to, part)]).toEqual([part, partOf(from, part)]);
});
