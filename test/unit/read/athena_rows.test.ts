import { describe, expect, test } from 'vitest';
import type { AthenaPage } from '../../../src/read/athena_api.ts';
import { columnsOf, firstRowsOf, isPlan, rowsOf } from '../../../src/read/athena_rows.ts';

describe('a value', () => {
  test.each([
    ['bigint', '9223372036854775807', '9223372036854775807', '9223372036854775807'],
    ['integer', '-5', '-5', '-5'],
    ['decimal', '12345678901234567890.10', '12345678901234567890.10', '12345678901234567890.10'],
    ['decimal', '0.5', '0.5', '0.5'],
    ['decimal', '.5', '.5', '".5"'],
    ['double', '1.0', '1', '1'],
    ['double', '1.0E10', '10000000000', '10000000000'],
    ['double', '1.0E21', '1e+21', '1e+21'],
    ['double', '4.9E-324', '5e-324', '5e-324'],
    // As Java wrote it before its version 19, with a digit too many.
    ['double', '2.0000000000000001E-4', '0.0002', '0.0002'],
    ['double', '-0.0', '-0.0', '-0.0'],
    ['double', '0.0', '0', '0'],
    ['double', 'NaN', 'NaN', '"NaN"'],
    ['double', 'Infinity', 'Infinity', '"Infinity"'],
    ['double', '-Infinity', '-Infinity', '"-Infinity"'],
    ['double', '', '', '""'],
    ['double', 'else', 'else', '"else"'],
    ['float', '0.1', '0.1', '0.1'],
    ['real', '0.1', '0.1', '0.1'],
    ['boolean', 'true', 'true', 'true'],
    ['boolean', 'maybe', 'maybe', '"maybe"'],
    ['timestamp', '2026-11-20 10:45:13.120', '2026-11-20 10:45:13.120', '"2026-11-20 10:45:13.120"'],
    ['timestamp', '2026-11-20 10:45:13', '2026-11-20 10:45:13.000', '"2026-11-20 10:45:13.000"'],
    ['timestamp', '2026-11-20 10:45:13.120000', '2026-11-20 10:45:13.120', '"2026-11-20 10:45:13.120"'],
    ['timestamp', '2026-11-20 10:45:13.000120', '2026-11-20 10:45:13.00012', '"2026-11-20 10:45:13.00012"'],
    ['timestamp', 'else', 'else', '"else"'],
    ['varchar', '5', '5', '"5"'],
    ['varchar', '日本 "a"\n', '日本 "a"\n', '"日本 \\"a\\"\\n"'],
    ['map', '{job=node}', '{job=node}', '"{job=node}"'],
    ['array', '[1, 2]', '[1, 2]', '"[1, 2]"'],
    [
      'timestamp with time zone',
      '2026-11-20 10:45:13.1 UTC',
      '2026-11-20 10:45:13.1 UTC',
      '"2026-11-20 10:45:13.1 UTC"',
    ],
  ])('of type %s, %o, is %o and in JSON %o', (type, value, text, json) => {
    const [column] = columnsOf([{ name: 'a', type }]);
    expect([column!.textOf(value), column!.jsonOf(value)]).toEqual([text, json]);
  });

  test.each([
    ['numbers', ['tinyint', 'smallint', 'integer', 'int', 'bigint', 'decimal', 'double', 'float', 'real'], true],
    ['others', ['varchar', 'boolean', 'timestamp', 'date', 'map', 'array', 'row', 'json'], false],
  ])('is aligned as %s are', (_, types, isNumeric) => {
    for (const type of types) expect(columnsOf([{ name: 'a', type }])).toMatchObject([{ name: 'a', isNumeric }]);
  });
});

describe('the rows of a first page', () => {
  const page = (names: readonly string[], rows: AthenaPage['rows'], updateCount = 0): AthenaPage => ({
    columns: names.map((name) => ({ name, type: 'varchar' })),
    rows,
    updateCount,
    next: undefined,
  });

  test.each<[string, AthenaPage, string, AthenaPage['rows']]>([
    [
      'SELECT, without its header',
      page(
        ['a', 'b'],
        [
          ['a', 'b'],
          ['1', null],
        ],
      ),
      'DML',
      [['1', null]],
    ],
    ['SELECT, with a row like its header', page(['a'], [['a'], ['a']]), 'DML', [['a']]],
    ['SELECT without rows', page(['a'], [['a']]), 'DML', []],
    [
      'SHOW TABLES, with a table of the name of the column',
      page(['tab_name'], [['tab_name']]),
      'UTILITY',
      [['tab_name']],
    ],
    ['EXPLAIN', page(['Query Plan'], [['Query Plan'], ['Fragment 0']]), 'DML', [['Fragment 0']]],
    [
      'EXPLAIN, if it is a utility',
      page(['Query Plan'], [['Query Plan'], ['Fragment 0']]),
      'UTILITY',
      [['Fragment 0']],
    ],
    ['EXPLAIN, if it has no header', page(['Query Plan'], [['Fragment 0']]), 'UTILITY', [['Fragment 0']]],
    ['INSERT', page(['rows'], [], 5), 'DML', [['5']]],
    ['DDL', page([], [[], []]), 'DDL', [[], []]],
    [
      'DESCRIBE, of which each is one text',
      page(
        ['col_name', 'data_type', 'comment'],
        [['name                \tstring              \t                    '], ['']],
      ),
      'UTILITY',
      [
        ['name', 'string', ''],
        ['', '', ''],
      ],
    ],
  ])('of %s', (_, first, statementType, rows) => {
    expect(firstRowsOf(first, statementType)).toEqual(rows);
  });

  test('are not those of a next one, which has no header', () => {
    expect(rowsOf(page(['a'], [['a']]))).toEqual([['a']]);
  });
});

test.each([
  ['Query Plan', true],
  ['createtab_stmt', true],
  ['Create View', true],
  ['tab_name', false],
])('a column %s holds lines of text: %o', (name, expected) => {
  expect(isPlan([{ name, type: 'varchar' }])).toBe(expected);
  expect(
    isPlan([
      { name, type: 'varchar' },
      { name, type: 'varchar' },
    ]),
  ).toBe(false);
});
