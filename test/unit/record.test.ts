import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bitsOf,
  doubleOf,
  doubleToken,
  encodeRecord,
  KINDS,
  METRIC_TYPES,
  ORDINARY_NAN,
  RESET_HINTS,
  SAMPLE_COLUMNS,
  sortLabels,
  STALE_NAN,
  type ArchiveRecord,
  type Label,
  type NativeHistogram,
} from '../../src/record.ts';
import { decodeRecord } from '../../src/record_decode.ts';
import { doubleBits, int64, unicodeText } from '../support/arbitrary_values.ts';

const up: readonly Label[] = [
  { name: '__name__', value: 'up' },
  { name: 'job', value: 'node' },
];
const x: readonly Label[] = [{ name: '__name__', value: 'x' }];
const time = 1_513_264_725_773n;

const histogram: NativeHistogram = {
  type: 'integer',
  count: 2n ** 64n - 1n,
  sum: bitsOf(0.5),
  schema: 3,
  zeroThreshold: bitsOf(1e-128),
  zeroCount: 2n,
  positiveSpans: [
    [-2, 1],
    [3, 2],
  ],
  positiveBuckets: [1n, -1n, 2n ** 62n],
  negativeSpans: [],
  negativeBuckets: [],
  customValues: [],
  resetHint: 'unknown',
};
const floatHistogram: NativeHistogram = {
  ...histogram,
  type: 'float',
  count: bitsOf(2.5),
  sum: 0xfff8000000000000n,
  zeroCount: bitsOf(-0),
  positiveBuckets: [bitsOf(1), ORDINARY_NAN, 0xfff8000000000000n],
  customValues: [bitsOf(0.1), bitsOf(Infinity)],
  schema: -53,
  resetHint: 'gauge',
};

/** The lines of docs/record.md, one for each form. */
const LINES: [string, ArchiveRecord, string][] = [
  [
    'a sample',
    { kind: 'sample', time, value: bitsOf(1), labels: up },
    '{"name":"up","time":1513264725773,"value":1,"labels":{"__name__":"up","job":"node"}}',
  ],
  [
    'a stale marker',
    { kind: 'sample', time, value: STALE_NAN, labels: x },
    '{"name":"x","time":1513264725773,"value":null,"stale":true,"labels":{"__name__":"x"}}',
  ],
  [
    'Prometheus’s NaN',
    { kind: 'sample', time, value: ORDINARY_NAN, labels: x },
    '{"name":"x","time":1513264725773,"value":"NaN","labels":{"__name__":"x"}}',
  ],
  [
    'another NaN',
    { kind: 'sample', time, value: 0xfff8000000000000n, labels: x },
    '{"name":"x","time":1513264725773,"value":"NaN","bits":"fff8000000000000","labels":{"__name__":"x"}}',
  ],
  [
    'infinity',
    { kind: 'sample', time, value: bitsOf(-Infinity), labels: x },
    '{"name":"x","time":1513264725773,"value":"-Infinity","labels":{"__name__":"x"}}',
  ],
  [
    'minus zero',
    { kind: 'sample', time, value: bitsOf(-0), labels: x },
    '{"name":"x","time":1513264725773,"value":-0.0,"labels":{"__name__":"x"}}',
  ],
  [
    'a start timestamp, the ends of int64, escapes',
    {
      kind: 'sample',
      time: 2n ** 63n - 1n,
      start: -(2n ** 63n),
      value: bitsOf(1e21),
      labels: [...x, { name: 'é', value: '"\n\u2028😀' }],
    },
    '{"name":"x","time":9223372036854775807,"start":-9223372036854775808,"value":1e+21,"labels":{"__name__":"x","é":"\\"\\n\u2028😀"}}',
  ],
  [
    'an exemplar',
    {
      kind: 'exemplar',
      time,
      exemplar: { value: bitsOf(0.25), labels: [{ name: 'trace_id', value: 'abc' }] },
      labels: x,
    },
    '{"kind":"exemplar","name":"x","time":1513264725773,"exemplar":{"value":0.25,"labels":{"trace_id":"abc"}},"labels":{"__name__":"x"}}',
  ],
  [
    'an exemplar without labels, with a NaN',
    { kind: 'exemplar', time, exemplar: { value: STALE_NAN, labels: [] }, labels: x },
    '{"kind":"exemplar","name":"x","time":1513264725773,"exemplar":{"value":"NaN","bits":"7ff0000000000002","labels":{}},"labels":{"__name__":"x"}}',
  ],
  [
    'an integer histogram',
    { kind: 'histogram', time, histogram, labels: x },
    '{"kind":"histogram","name":"x","time":1513264725773,"histogram":{"type":"integer","count":18446744073709551615,"sum":0.5,"schema":3,' +
      '"zero_threshold":1e-128,"zero_count":2,"positive_spans":[[-2,1],[3,2]],"positive_deltas":[1,-1,4611686018427387904],' +
      '"negative_spans":[],"negative_deltas":[],"custom_values":[],"reset_hint":"unknown"},"labels":{"__name__":"x"}}',
  ],
  [
    'a float histogram',
    { kind: 'histogram', time, histogram: floatHistogram, labels: x },
    '{"kind":"histogram","name":"x","time":1513264725773,"histogram":{"type":"float","count":2.5,"sum":"NaN","sum_bits":"fff8000000000000","schema":-53,' +
      '"zero_threshold":1e-128,"zero_count":-0.0,"positive_spans":[[-2,1],[3,2]],"positive_counts":[1,"NaN","NaN"],"positive_counts_bits":[[2,"fff8000000000000"]],' +
      '"negative_spans":[],"negative_counts":[],"custom_values":[0.1,"Infinity"],"reset_hint":"gauge"},"labels":{"__name__":"x"}}',
  ],
  [
    'a stale histogram',
    { kind: 'histogram', time, histogram: { type: 'float', stale: true }, labels: x },
    '{"kind":"histogram","name":"x","time":1513264725773,"histogram":{"type":"float","stale":true},"labels":{"__name__":"x"}}',
  ],
  [
    'metadata',
    { kind: 'metadata', name: 'x', time, metadata: { type: 'counter', help: 'A "count".', unit: 'seconds' } },
    '{"kind":"metadata","name":"x","time":1513264725773,"metadata":{"type":"counter","help":"A \\"count\\".","unit":"seconds"}}',
  ],
];

test.each(LINES)('%s', (_, record, line) => {
  expect(encodeRecord(record)).toBe(`${line}\n`);
  expect(decodeRecord(line)).toEqual(record);
});

describe('decode(encode(record)) is the record', () => {
  const text = fc.oneof(
    unicodeText({ maxLength: 8 }),
    fc.constantFrom('__proto__', '1', '12.5', 'NaN', '-1e5', 'kind', ''),
  );
  const labels = fc
    .uniqueArray(fc.record({ name: text, value: unicodeText({ minLength: 1, maxLength: 8 }) }), {
      selector: ({ name }) => name,
      maxLength: 5,
    })
    .map(sortLabels);
  const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const spans = fc.array(fc.tuple(fc.integer(), fc.nat()), { maxLength: 3 });
  const series = fc.record({ time: int64, start: int64, labels }, { requiredKeys: ['time', 'labels'] });

  function native(type: 'integer' | 'float'): fc.Arbitrary<NativeHistogram> {
    const count = type === 'float' ? doubleBits : uint64;
    const buckets = fc.array(type === 'float' ? doubleBits : int64, { maxLength: 5 });
    return fc.record({
      type: fc.constant(type),
      count,
      sum: doubleBits,
      schema: fc.integer({ min: -53, max: 8 }),
      zeroThreshold: doubleBits,
      zeroCount: count,
      positiveSpans: spans,
      positiveBuckets: buckets,
      negativeSpans: spans,
      negativeBuckets: buckets,
      customValues: fc.array(doubleBits, { maxLength: 3 }),
      resetHint: fc.constantFrom(...RESET_HINTS),
    });
  }
  const stale = fc.record({ type: fc.constantFrom('integer', 'float'), stale: fc.constant(true) });

  test.each<[string, fc.Arbitrary<ArchiveRecord>]>([
    ['sample', fc.tuple(series, doubleBits).map(([rest, value]) => ({ kind: 'sample', ...rest, value }))],
    [
      'exemplar',
      fc
        .tuple(series, fc.record({ value: doubleBits, labels }))
        .map(([rest, exemplar]) => ({ kind: 'exemplar', ...rest, exemplar })),
    ],
    [
      'histogram',
      fc
        .tuple(series, fc.oneof(native('integer'), native('float'), stale))
        .map(([rest, content]) => ({ kind: 'histogram', ...rest, histogram: content })),
    ],
    [
      'metadata',
      fc.record({
        kind: fc.constant('metadata'),
        name: text,
        time: int64,
        metadata: fc.record({ type: fc.constantFrom(...METRIC_TYPES), help: text, unit: text }),
      }),
    ],
  ])('%s', (_, records) => {
    fc.assert(
      fc.property(records, (record) => {
        const line = encodeRecord(record);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(decodeRecord(line)).toEqual(record);
        // Only a stale marker's null stands for what JSON has no token for; other readers see the same fields.
        expect(Object.keys(JSON.parse(line) as object)[0]).toBe(record.kind === 'sample' ? 'name' : 'kind');
      }),
      { numRuns: 1000 },
    );
  });

  test('with a label of the longest line that any sink takes', () => {
    for (const value of ['x'.repeat(10_000_000), '\\"'.repeat(500_000)]) {
      const record: ArchiveRecord = { kind: 'sample', time, value: bitsOf(1), labels: [...x, { name: 'y', value }] };
      expect(decodeRecord(encodeRecord(record))).toEqual(record);
    }
  });
});

describe('what is no line is a SyntaxError', () => {
  const good = encodeRecord({ kind: 'histogram', time, histogram: floatHistogram, labels: up }).trimEnd();
  test.each([
    '',
    'null',
    '1',
    '[]',
    '"x"',
    '{}',
    '{"time":1,"value":1}',
    '{"time":1.5,"value":1,"labels":{}}',
    '{"time":1,"value":"one","labels":{}}',
    '{"time":1,"value":null,"labels":{}}',
    '{"time":1,"value":"NaN","bits":"xyz","labels":{}}',
    '{"time":1,"value":1,"labels":{"a":null}}',
    '{"kind":"gauge","time":1,"value":1,"labels":{}}',
    '{"kind":"metadata","name":"x","time":1,"metadata":{"type":"money","help":"","unit":""}}',
    good.replace('"positive_spans":[[-2,1]', '"positive_spans":[5'),
    good.replace('"custom_values":[', '"custom_values":[['),
    good.replace('"gauge"', '"perhaps"'),
  ])('%s', (line) => {
    expect(() => decodeRecord(line)).toThrow(SyntaxError);
  });

  test('any line cut or changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LINES), fc.nat(), fc.string({ maxLength: 2 }), ([, , line], at, insert) => {
        const cut = at % line.length;
        for (const damaged of [line.slice(0, cut), line.slice(0, cut) + insert + line.slice(cut + 1)]) {
          try {
            decodeRecord(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('labels are sorted in the byte order of UTF-8', () => {
  const names = fc.array(unicodeText({ maxLength: 4 }));
  fc.assert(
    fc.property(names, (unsorted) => {
      const sorted = sortLabels(unsorted.map((name) => ({ name, value: 'x' }))).map(({ name }) => name);
      expect(sorted).toEqual(unsorted.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
  const ordered = [
    '',
    'A',
    '__name__',
    'a',
    'aa',
    'b',
    'é',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10001}',
    '\u{10ffff}',
  ];
  const labels = ordered.map((name) => ({ name, value: 'x' }));
  expect(sortLabels(labels.toReversed())).toEqual(labels);
});

test('doubles are their bits', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(doubleOf(bitsOf(value))).toBe(value);
      if (Number.isFinite(value)) expect(Object.is(Number(doubleToken(bitsOf(value))), value)).toBe(true);
    }),
  );
  expect(bitsOf(NaN)).toBe(ORDINARY_NAN);
});

test('the columns are the fields of samples in their order, and every kind has its lines here', () => {
  const record: ArchiveRecord = { kind: 'sample', time, start: 1n, value: 0xfff8000000000000n, labels: x };
  const stale: ArchiveRecord = { ...record, value: STALE_NAN };
  const fields = Object.keys({
    ...(JSON.parse(encodeRecord(stale)) as object),
    ...(JSON.parse(encodeRecord(record)) as object),
  });
  expect(new Set(['kind', ...fields])).toEqual(new Set(Object.keys(SAMPLE_COLUMNS)));
  expect(new Set(LINES.map(([, { kind }]) => kind))).toEqual(new Set(KINDS));
});
