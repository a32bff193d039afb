import {
  decimalValue,
  intervalValue,
  listValue,
  mapValue,
  structValue,
  timestampMillisValue,
  timestampNanosValue,
  timestampSecondsValue,
  timestampTZValue,
  timestampValue,
  unionValue,
  dateValue,
  blobValue,
  variantValue,
  arrayValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { createRenderer } from '../../../src/read/render.ts';
import type { Row as RowOf } from '../../../src/read/renderer.ts';
import { jsonOf, textOf, type DuckdbValue } from '../../../src/read/values.ts';

type Row = RowOf<DuckdbValue>;

const MICROS = BigInt(Date.UTC(2026, 10, 20, 10, 45, 13)) * 1_000n;
const LABELS = mapValue([
  { key: '__name__', value: 'up' },
  { key: 'path', value: 'a "b" \\ c' },
]);

describe('a value', () => {
  it.each<[string, Exclude<DuckDBValue, null>, string, string]>([
    ['a whole double', 1, '1', '1'],
    ['a fraction', 0.1, '0.1', '0.1'],
    ['a large double', 1e21, '1e+21', '1e+21'],
    ['zero', 0, '0', '0'],
    ['minus zero', -0, '-0.0', '-0.0'],
    ['NaN', NaN, 'NaN', '"NaN"'],
    ['infinity', Infinity, 'Infinity', '"Infinity"'],
    ['minus infinity', -Infinity, '-Infinity', '"-Infinity"'],
    ['the largest BIGINT', 2n ** 63n - 1n, '9223372036854775807', '9223372036854775807'],
    ['the smallest BIGINT', -(2n ** 63n), '-9223372036854775808', '-9223372036854775808'],
    ['a HUGEINT', 2n ** 100n, '1267650600228229401496703205376', '1267650600228229401496703205376'],
    ['a DECIMAL', decimalValue(-1230n, 10, 3), '-1.230', '-1.230'],
    ['a boolean', true, 'true', 'true'],
    ['text', 'a "b"\n', 'a "b"\n', '"a \\"b\\"\\n"'],
    ['a map', LABELS, '{"__name__":"up","path":"a \\"b\\" \\\\ c"}', '{"__name__":"up","path":"a \\"b\\" \\\\ c"}'],
    ['a map with other keys', mapValue([{ key: 2n, value: null }]), '{"2":null}', '{"2":null}'],
    ['a struct', structValue({ a: NaN, b: 'x' }), '{"a":"NaN","b":"x"}', '{"a":"NaN","b":"x"}'],
    ['a list', listValue([1n, null, 'x']), '[1,null,"x"]', '[1,null,"x"]'],
    ['an array', arrayValue([0.5, -0]), '[0.5,-0.0]', '[0.5,-0.0]'],
    ['a union', unionValue('number', 5), '5', '5'],
    ['a variant', variantValue(listValue([1])), '[1]', '[1]'],
    ['a timestamp', timestampValue(MICROS + 120_000n), '2026-11-20 10:45:13.120', '"2026-11-20 10:45:13.120"'],
    ['a timestamp of a whole second', timestampValue(MICROS), '2026-11-20 10:45:13.000', '"2026-11-20 10:45:13.000"'],
    [
      'a timestamp of microseconds',
      timestampValue(MICROS + 1n),
      '2026-11-20 10:45:13.000001',
      '"2026-11-20 10:45:13.000001"',
    ],
    [
      'a timestamp BC',
      timestampValue(-62_198_755_200_000_000n),
      '0002-01-01 (BC) 00:00:00.000',
      '"0002-01-01 (BC) 00:00:00.000"',
    ],
    ['an infinite timestamp', timestampValue(2n ** 63n - 1n), 'infinity', '"infinity"'],
    ['TIMESTAMPTZ in UTC', timestampTZValue(MICROS), '2026-11-20 10:45:13.000+00', '"2026-11-20 10:45:13.000+00"'],
    ['TIMESTAMP_S', timestampSecondsValue(MICROS / 1_000_000n), '2026-11-20 10:45:13.000', '"2026-11-20 10:45:13.000"'],
    [
      'TIMESTAMP_MS',
      timestampMillisValue(MICROS / 1_000n + 5n),
      '2026-11-20 10:45:13.005',
      '"2026-11-20 10:45:13.005"',
    ],
    [
      'TIMESTAMP_NS',
      timestampNanosValue(MICROS * 1_000n + 5n),
      '2026-11-20 10:45:13.000000005',
      '"2026-11-20 10:45:13.000000005"',
    ],
    ['a date', dateValue(20_777), '2026-11-20', '"2026-11-20"'],
    ['an interval', intervalValue(0, 1, 3_600_000_000n), '1 day 01:00:00', '"1 day 01:00:00"'],
    ['a blob', blobValue('a\u0001'), 'a\\x01', '"a\\\\x01"'],
  ])('such as %s is shown exactly', (_name, value, text, json) => {
    expect(textOf(value)).toBe(text);
    expect(jsonOf(value)).toBe(json);
  });
});

const column = (name: string, isNumeric = false) => ({ name, isNumeric, textOf, jsonOf });
const COLUMNS = [column('name'), column('value', true), column('labels')];

function render(
  format: 'table' | 'csv' | 'json' | 'plan',
  batches: readonly (readonly Row[])[],
  columns = COLUMNS,
): string {
  const renderer = createRenderer(format, columns);
  return batches.map((rows) => renderer.rows(rows)).join('') + renderer.end();
}

const ROWS: Row[] = [
  ['up', 1, LABELS],
  ['node_load1', -12.5, null],
  ['日本', NaN, mapValue([])],
];

describe('a table', () => {
  it('is aligned', () => {
    expect(render('table', [ROWS.slice(0, 1), ROWS.slice(1)])).toBe(
      [
        'name       | value | labels',
        '-----------+-------+----------------------------------------',
        'up         |     1 | {"__name__":"up","path":"a \\"b\\" \\\\ c"}',
        'node_load1 | -12.5 | NULL',
        '日本       |   NaN | {}',
        '(3 rows)',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['no rows', [], 'name | value | labels\n-----+-------+-------\n(0 rows)\n'],
    ['one row', [['a', null, 'b']], 'name | value | labels\n-----+-------+-------\na    |  NULL | b\n(1 row)\n'],
  ])('may have %s', (_name, rows, expected) => {
    expect(render('table', [rows])).toBe(expected);
  });

  it('shows what would break it, or steer the terminal, as escapes', () => {
    const text = 'a\nb\tc\u001b[31m\u0000\u009b\u202ex';
    expect(render('table', [[[text]]], [column('a\nb')])).toContain(
      'a\\nb\n------------------------------------\na\\nb\\tc\\u001b[31m\\u0000\\u009b\\u202ex\n',
    );
  });

  it('is aligned by the first 1,000 rows and then flows', () => {
    const renderer = createRenderer('table', [column('n', true)]);
    const thousand = Array.from({ length: 999 }, (_, index) => [index]);
    expect(renderer.rows(thousand)).toBe('');
    expect(
      renderer
        .rows([[1234]])
        .split('\n')
        .slice(0, 3),
    ).toEqual(['   n', '----', '   0']);
    expect(renderer.rows([[5], [123456]])).toBe('   5\n123456\n');
    expect(renderer.end()).toBe('(1002 rows)\n');
  });

  it.each([
    ['accents that combine', 'e\u0301', 1],
    ['emoji', '🦆', 2],
    ['Hangul', '한', 2],
    ['full-width letters', 'Ａ', 2],
    ['Latin', 'é', 1],
  ])('knows the width of %s', (_name, text, width) => {
    const [, rule] = render('table', [[[text + '.'.repeat(5)]]], [column('n')]).split('\n');
    expect(rule).toHaveLength(width + 5);
  });
});

describe('csv', () => {
  it('follows RFC 4180', () => {
    const columns = [...COLUMNS, column('a "b", c')];
    const rows: Row[] = [
      ['up', 1, LABELS, null],
      ['', -0, null, 'line\nbreak'],
      ['a,b', Infinity, mapValue([]), '\r'],
    ];
    expect(render('csv', [rows.slice(0, 2), rows.slice(2)], columns)).toBe(
      'name,value,labels,"a ""b"", c"\r\n' +
        'up,1,"{""__name__"":""up"",""path"":""a \\""b\\"" \\\\ c""}",\r\n' +
        '"",-0.0,,"line\nbreak"\r\n' +
        '"a,b",Infinity,{},"\r"\r\n',
    );
  });

  it('of no rows has its header', () => {
    expect(render('csv', [])).toBe('name,value,labels\r\n');
  });
});

describe('json', () => {
  it('is one object a line', () => {
    expect(render('json', [ROWS.slice(0, 1), ROWS.slice(1)])).toBe(
      '{"name":"up","value":1,"labels":{"__name__":"up","path":"a \\"b\\" \\\\ c"}}\n' +
        '{"name":"node_load1","value":-12.5,"labels":null}\n' +
        '{"name":"日本","value":"NaN","labels":{}}\n',
    );
  });

  it('of no rows is empty', () => {
    expect(render('json', [])).toBe('');
  });

  it('keeps columns of one name apart', () => {
    const columns = ['a', 'a', 'a_1', 'a', '__proto__'].map((name) => column(name, true));
    expect(render('json', [[[1, 2, 3, 4, 5]]], columns)).toBe('{"a":1,"a_2":2,"a_1":3,"a_3":4,"__proto__":5}\n');
  });
});

it('a plan is printed as it is', () => {
  expect(render('plan', [[['physical_plan', '┌──┐\n└──┘']]])).toBe('┌──┐\n└──┘\n');
});
