import { expect, test } from 'vitest';
import { encodeRecord, OBJECT_FIELDS, type ArchiveRecord } from '../../../src/record.ts';
import { createViews } from '../../../src/read/views.ts';
import { nativeHistogram } from '../../support/native_histograms.ts';

const NAN_OF_X86 = 0xfff8000000000000n;
const series = { time: 0n, labels: [] };
const plain = { schema: 0, sum: 1 };

test.each<[keyof typeof OBJECT_FIELDS, ArchiveRecord[]]>([
  [
    'histogram',
    [
      { kind: 'histogram', ...series, histogram: nativeHistogram(plain) },
      {
        kind: 'histogram',
        ...series,
        histogram: {
          ...nativeHistogram({ ...plain, float: true }),
          count: NAN_OF_X86,
          sum: NAN_OF_X86,
          zeroThreshold: NAN_OF_X86,
          zeroCount: NAN_OF_X86,
          positiveBuckets: [NAN_OF_X86],
          negativeBuckets: [NAN_OF_X86],
          customValues: [NAN_OF_X86],
        },
      },
      { kind: 'histogram', ...series, histogram: { type: 'integer', stale: true } },
    ],
  ],
  ['exemplar', [{ kind: 'exemplar', ...series, exemplar: { value: NAN_OF_X86, labels: [] } }]],
  ['metadata', [{ kind: 'metadata', name: 'x', time: 0n, metadata: { type: 'info', help: '', unit: '' } }]],
])('the fields of %s are those of its lines', (kind, records) => {
  const fields = records.flatMap((record) =>
    Object.keys((JSON.parse(encodeRecord(record)) as Record<string, object>)[kind]!),
  );
  expect(new Set(fields)).toEqual(new Set(Object.keys(OBJECT_FIELDS[kind])));
});

test('times of samples do not cut the metadata', () => {
  const statements = createViews({ json: ['a.json.gz'], parquet: ['b.parquet'] }, { fromMs: 5, toMs: 7 });
  const ranged = statements.filter((statement) => statement.includes('"time" >= 5 AND "time" < 7'));
  expect(ranged.map((statement) => statement.split(' ', 3)[2])).toEqual(['_json_lines', '_parquet_lines']);
});
