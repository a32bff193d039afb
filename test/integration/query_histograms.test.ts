import { describe, expect, it } from 'vitest';
import { bitsOf, encodeRecord, type HistogramRecord, type NativeHistogram } from '../../src/record.ts';
import { temporaryDir } from '../support/archive.ts';
import { nativeHistogram } from '../support/native_histograms.ts';
import { rowsOf, runQuery, writeArchiveFile } from '../support/query_archive.ts';

const HOUR = '2026/11/20/10';
const AT = Date.UTC(2026, 10, 20, 10, 45, 13, 123);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const X = [
  { name: '__name__', value: 'x' },
  { name: 'job', value: 'node' },
];

const INTEGER = nativeHistogram({
  schema: 2,
  zero: [0.25, 2],
  positive: [
    [
      [-3, 2],
      [4, 1],
    ],
    [5, 3, 7],
  ],
  negative: [[[0, 1]], [4]],
  sum: -0.5,
});

function histogramLine(
  time: number | bigint,
  histogram: HistogramRecord['histogram'] = INTEGER,
  start?: bigint,
): string {
  return encodeRecord({
    kind: 'histogram',
    time: BigInt(time),
    ...(start !== undefined && { start }),
    labels: X,
    histogram,
  });
}

/** An archive of one hour. */
function archiveOf(...lines: string[]): { archiveDir: string } {
  const archiveDir = temporaryDir();
  if (lines.length > 0) writeArchiveFile(archiveDir, `${HOUR}/a.json.gz`, [lines]);
  return { archiveDir };
}

describe('histograms', () => {
  it('are a row each, with absolute counts', async () => {
    expect(await rowsOf('SELECT * FROM histograms', archiveOf(histogramLine(AT, INTEGER, 7n)))).toEqual([
      {
        name: 'x',
        time: AT,
        ts: '2026-11-20 10:45:13.123',
        start: 7,
        type: 'integer',
        count: 21,
        count_int: 21,
        sum: -0.5,
        schema: 2,
        zero_threshold: 0.25,
        zero_count: 2,
        positive_spans: [
          [-3, 2],
          [4, 1],
        ],
        positive_buckets: [5, 3, 7],
        negative_spans: [[0, 1]],
        negative_buckets: [4],
        custom_values: [],
        reset_hint: 'unknown',
        labels: { __name__: 'x', job: 'node' },
        datehour: HOUR,
      },
    ]);
  });

  it.each<[string, HistogramRecord['histogram'], string, string]>([
    [
      'counts of uint64 exactly',
      nativeHistogram({ schema: 0, zero: [0, 1], positive: [[[0, 2]], [INT64_MAX, INT64_MAX]] }),
      'count, count_int, zero_count, positive_buckets',
      `18446744073709552000,${UINT64_MAX},1,"[9223372036854775807,9223372036854775807]"`.replaceAll(
        '9223372036854775807',
        '9223372036854776000',
      ),
    ],
    [
      'counts of floats',
      nativeHistogram({ schema: 0, float: true, zero: [1e-9, 0.5], positive: [[[0, 1]], [1e300]] }),
      'count, count_int, zero_count, zero_threshold, positive_buckets',
      '1e+300,,0.5,1e-9,[1e+300]',
    ],
    [
      'words for doubles',
      nativeHistogram({ schema: 0, float: true, positive: [[[0, 3]], [1, Infinity, NaN]], count: NaN, sum: -Infinity }),
      'count, sum, positive_buckets',
      'NaN,-Infinity,"[1,""Infinity"",""NaN""]"',
    ],
    [
      'custom bounds',
      nativeHistogram({ schema: -53, bounds: [-0.5, 1e21], positive: [[[1, 1]], [3]] }),
      'schema, positive_spans, custom_values',
      '-53,"[[1,1]]","[-0.5,1e+21]"',
    ],
    ['a sum that is a NaN of other bits', { ...INTEGER, sum: 0xfff8000000000000n }, 'sum', 'NaN'],
    ['no buckets', nativeHistogram({ schema: 3 }), 'count, positive_buckets, negative_spans', '0,[],[]'],
  ])('have %s', async (_name, histogram, columns, expected) => {
    const text = await runQuery(`SELECT ${columns} FROM histograms`, {
      ...archiveOf(histogramLine(AT, histogram)),
      format: 'csv',
    });
    expect(text.split('\r\n')[1]).toBe(expected);
  });

  it('have no stale ones, which samples_raw has', async () => {
    const archive = archiveOf(histogramLine(AT), histogramLine(AT + 1, { type: 'float', stale: true }));
    expect(await rowsOf('SELECT type FROM histograms', archive)).toEqual([{ type: 'integer' }]);
    const sql = 'SELECT histogram.type, histogram.stale, histogram.count FROM samples_raw ORDER BY "time"';
    expect(await rowsOf(sql, archive)).toEqual([
      { type: 'integer', stale: null, count: '21' },
      { type: 'float', stale: true, count: null },
    ]);
  });

  it('are printed as JSON in cells', async () => {
    const sql = 'SELECT count_int, positive_spans, histogram_buckets(h)[1:2] AS buckets, labels FROM histograms AS h';
    const buckets = '[{"lower":-1,"upper":-0.8408964152537145,"count":4},{"lower":-0.25,"upper":0.25,"count":2}]';
    expect(await runQuery(sql, archiveOf(histogramLine(AT)))).toBe(
      [
        `count_int | positive_spans | ${'buckets'.padEnd(buckets.length)} | labels`,
        `----------+----------------+-${'-'.repeat(buckets.length)}-+-${'-'.repeat(29)}`,
        `       21 | [[-3,2],[4,1]] | ${buckets} | {"__name__":"x","job":"node"}`,
        '(1 row)',
        '',
      ].join('\n'),
    );
  });
});

describe('the macros', () => {
  it.each([
    [
      'buckets one by one',
      'SELECT unnest(histogram_buckets(h), recursive := true) FROM histograms AS h LIMIT 1',
      [{ lower: -1, upper: -0.8408964152537145, count: 4 }],
    ],
    [
      'the view as a row',
      'SELECT round(histogram_quantile(0.5, histograms), 6) AS q FROM histograms',
      [{ q: 0.584389 }],
    ],
    [
      'a quantile of each row',
      'SELECT histogram_quantile(t.q, h) AS q FROM histograms AS h, (VALUES (-1.0), (NULL)) AS t(q) ORDER BY q',
      [{ q: '-Infinity' }, { q: null }],
    ],
    ['averages', 'SELECT histogram_avg(h) AS a FROM histograms AS h', [{ a: -0.5 / 21 }]],
    [
      'fractions',
      "SELECT histogram_fraction('-inf', 0.25, h) AS f, histogram_fraction(NULL, 1, h) AS n FROM histograms AS h",
      [{ f: 6 / 21, n: null }],
    ],
  ])('take %s', async (_name, sql, rows) => {
    expect(await rowsOf(sql, archiveOf(histogramLine(AT)))).toEqual(rows);
  });

  it('answer the same for a histogram whatever rows stand around it', async () => {
    const lengths = [0, 1, 2, 3, 40, 100];
    const lines = Array.from({ length: 6_000 }, (_, index) => {
      const length = lengths[index % lengths.length]!;
      const counts = Array.from({ length }, (_, bucket) => bucket + 1);
      return histogramLine(index, nativeHistogram({ schema: 4, positive: [[[0, length]], counts] }));
    });
    const sql = `
      SELECT len(positive_buckets) AS buckets, count(DISTINCT histogram_quantile(q, h)) AS answers, count(*) AS n
      FROM histograms AS h, (VALUES (0.1), (0.9)) AS t(q) GROUP BY buckets, q ORDER BY ALL`;
    expect(await rowsOf(sql, archiveOf(...lines))).toEqual(
      lengths.flatMap((buckets) => [1, 2].map(() => ({ buckets, answers: 1, n: 1_000 }))),
    );
  });
});

// Anybody may send a line as long as it may be: it must not spoil the queries over its hour. What is quadratic takes minutes here.
describe('a histogram of 50,000 buckets', () => {
  // Some of them are more than a double holds.
  const counts = Array.from(
    { length: 50_000 },
    (_, i) => (BigInt(i) * 0x9e37_79b9_7f4a_7c15n) % 2n ** (i % 100 === 0 ? 54n : 40n),
  );
  const query = (sql: string, histogram: HistogramRecord['histogram']) =>
    rowsOf(sql, { ...archiveOf(histogramLine(AT, histogram)), signal: AbortSignal.timeout(20_000) });

  it('has exact counts', async () => {
    const histogram = nativeHistogram({ schema: 8, positive: [[[-25_000, counts.length]], counts] });
    const [row] = await query('SELECT positive_buckets, negative_buckets FROM histograms', histogram);
    expect(row).toEqual({ positive_buckets: counts.map(Number), negative_buckets: [] });
  });

  it.each([
    ['a span', [[-25_000, 50_000] as const]],
    ['a span for each', counts.map((_, i) => [i === 0 ? -25_000 : 0, 1] as const)],
  ])('in %s answers the macros', async (_name, spans) => {
    const ones = counts.map(() => 1n);
    const sql = `
      SELECT len(histogram_buckets(h)) AS n, histogram_buckets(h)[25001].upper AS upper,
        histogram_quantile(0.5, h) AS median, histogram_fraction(0, 1, h) AS below_1
      FROM histograms AS h`;
    const rows = await query(sql, nativeHistogram({ schema: 8, positive: [spans, ones] }));
    // The bucket of index i ends at 2^(i / 2^8).
    const median = expect.closeTo(2 ** (-1 / 256), 9) as number;
    expect(rows).toEqual([{ n: 50_000, upper: 1, median, below_1: expect.closeTo(25_001 / 50_000, 9) as number }]);
  });
});

describe('running sums', () => {
  it('are those of each row, whatever the lengths of the rows around it', async () => {
    const lengths = [0, 1, 63, 64, 65, 127, 128, 129, 192, 193, 700];
    const sides = Array.from({ length: 3_000 }, (_, row) =>
      Array.from({ length: lengths[row % lengths.length]! }, (__, bucket) => (row * 31 + bucket * 17) % 97),
    );
    const lines = sides.map((side, row) =>
      histogramLine(row, nativeHistogram({ schema: 4, positive: [[[0, side.length]], side] })),
    );
    const rows = await rowsOf('SELECT positive_buckets AS counts FROM histograms ORDER BY "time"', archiveOf(...lines));
    expect(rows).toEqual(sides.map((counts) => ({ counts })));
  });
});

describe('histograms that are odd', () => {
  const bits = (value: number) => bitsOf(value);
  const float: NativeHistogram = {
    type: 'float',
    count: bits(4),
    sum: bits(1),
    schema: 0,
    zeroThreshold: 0n,
    zeroCount: bits(1),
    positiveSpans: [[0, 2]],
    positiveBuckets: [bits(1), bits(2)],
    negativeSpans: [],
    negativeBuckets: [],
    customValues: [],
    resetHint: 'unknown',
  };
  const odd: Readonly<Record<string, Partial<NativeHistogram>>> = {
    'a zero threshold below 0': { zeroThreshold: bits(-1) },
    'a zero threshold of NaN': { zeroThreshold: bits(NaN) },
    'an infinite zero threshold': { zeroThreshold: bits(Infinity) },
    'bounds that are too small for a double': { schema: -4, positiveSpans: [[-200, 2]] },
    'bounds that are too large for a double': { schema: -4, positiveSpans: [[200, 2]] },
    'the largest index': { positiveSpans: [[2 ** 31 - 1, 2]] },
    'a negative side only': {
      positiveSpans: [],
      positiveBuckets: [],
      negativeSpans: [[-1080, 1]],
      negativeBuckets: [bits(3)],
    },
    'counts that are NaN': { positiveBuckets: [bits(NaN), bits(NaN)], count: bits(NaN) },
    'counts that are infinite': { positiveBuckets: [bits(Infinity), bits(1)], count: bits(Infinity) },
    'a sum that is infinite': { sum: bits(-Infinity) },
    'custom buckets without bounds': { schema: -53, zeroCount: 0n },
  };

  it.each(Object.entries(odd))('%s: no macro fails', async (_, change) => {
    const lines = [float, { ...float, ...change }].map((histogram, index) => histogramLine(index, histogram));
    const asked = [-1, 0, 0.1, 0.5, 0.9, 1, 2].map((q) => `histogram_quantile(${q}, h)`);
    const fractions = ['-1, 1', '0, 0', "'-inf'::DOUBLE, 'inf'::DOUBLE", '0.1, 1e300'];
    const rows = await rowsOf(
      `SELECT [${asked.join()}, ${fractions.map((range) => `histogram_fraction(${range}, h)`).join()}, histogram_avg(h)] AS answers, ` +
        'histogram_buckets(h) AS buckets FROM histograms AS h ORDER BY time',
      archiveOf(...lines),
    );
    expect(rows).toHaveLength(2);
    // What stands beside it is as always.
    const [plain] = await rowsOf(
      `SELECT histogram_quantile(0.5, h) AS median FROM histograms AS h`,
      archiveOf(lines[0]!),
    );
    expect((rows[0]!['answers'] as unknown[])[3]).toBe(plain!['median']);
  });

  it('have no quantile where the bounds of custom buckets are missing', async () => {
    const line = histogramLine(1, { ...float, ...odd['custom buckets without bounds'] });
    expect(
      await rowsOf(
        'SELECT count, sum, histogram_avg(h) AS mean, histogram_quantile(0.5, h) AS median, histogram_fraction(0, 1, h) AS part ' +
          'FROM histograms AS h',
        archiveOf(line),
      ),
    ).toEqual([{ count: 4, sum: 1, mean: 0.25, median: null, part: null }]);
  });
});
