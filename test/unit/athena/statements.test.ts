import { describe, expect, test } from 'vitest';
import { OBJECT_FIELDS, SAMPLE_COLUMNS } from '../../../src/record.ts';
import { athenaFiles, athenaSql } from '../../support/athena_sql.ts';
import { hiveProblems, trinoProblems } from '../../support/trino.ts';

/** The columns that a CREATE TABLE declares, partition columns aside, as `name type`. */
function columnsOf(sql: string): string[] {
  const list = /\(\n(.*?)\n\)\n/s.exec(sql)![1]!;
  return list.split('\n').map((line) => line.trim().replace(/,$/, '').replaceAll('`', ''));
}

const EXPECTED_COLUMNS = [
  ...Object.entries(SAMPLE_COLUMNS).map(([name, type]) => `${name} ${type}`),
  ...Object.entries(OBJECT_FIELDS).map(([name, fields]) => {
    const members = Object.entries(fields).map(([field, type]) => `${field}:${type}`);
    return `${name} struct<${members.join()}>`;
  }),
];

describe('the tables', () => {
  test.each(['table.sql', 'compacted.sql'])("of %s are Hive's grammar", (file) => {
    expect(hiveProblems(athenaSql(file))).toEqual([]);
  });

  test('the grammar knows what is wrong', () => {
    expect(hiveProblems(athenaSql('table.sql').replace('`time`', 'time'))).not.toEqual([]);
    expect(trinoProblems('SELECT count(* FROM samples')).not.toEqual([]);
  });

  test('lines has the columns of the record', () => {
    expect(columnsOf(athenaSql('table.sql'))).toEqual(EXPECTED_COLUMNS);
  });

  test('compacted has the same, but for value, and the hour of arrival', () => {
    const expected = EXPECTED_COLUMNS.map((column) => (column === 'value string' ? 'value double' : column));
    expect(columnsOf(athenaSql('compacted.sql'))).toEqual([...expected, 'datehour string']);
  });
});

test.each(athenaFiles('views'))("%s is Trino's grammar", (file) => {
  expect(trinoProblems(athenaSql(file))).toEqual([]);
});

describe('the statements of compaction', () => {
  test.each(['days', 'verify'])("%s.sql is Trino's grammar", (name) => {
    expect(trinoProblems(athenaSql(`compaction/${name}.sql`))).toEqual([]);
  });

  test("write.sql is UNLOAD, which Trino does not have, of a query in Trino's grammar", () => {
    const [, query] = /^UNLOAD \((.*)\) TO '[^']+' WITH \([^)]*\)$/ms.exec(
      athenaSql('compaction/write.sql').trimEnd(),
    )!;
    expect(trinoProblems(query!)).toEqual([]);
  });

  test.each(['add', 'move', 'commit'])("%s.sql is Hive's grammar", (name) => {
    expect(hiveProblems(athenaSql(`compaction/${name}.sql`))).toEqual([]);
  });
});
