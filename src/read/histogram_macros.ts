/**
 * SQL macros over native histograms, in DuckDB's dialect. They answer what Prometheus 3 answers for the same histogram, also where that is
 * odd: test/integration/histogram_macros.test.ts compares them.
 *
 * `h` is a row of the view `histograms`, given by the view's name or alias, or any struct with its fields `count`, `sum`, `schema`,
 * `zero_threshold`, `zero_count`, `custom_values`, and the spans and buckets of both sides. A bucket is a struct of `lower`, `upper` and
 * `count`.
 *
 * A macro is text put in place of its call. `list_transform([x], lambda name: …)[1]` gives a name to what is needed more than once.
 */

const IS_CUSTOM = 'h.schema = -53';
/** Prometheus 3.5 leaves the bounds of custom buckets out of remote write 1.0. */
const LACKS_BOUNDS = `${IS_CUSTOM} AND len(h.custom_values) = 0 AND len(h.positive_buckets) > 1`;
const ZERO = 'CAST(0 AS DOUBLE)';
const NAN = "CAST('NaN' AS DOUBLE)";
const INFINITY = "CAST('Infinity' AS DOUBLE)";
const MINUS_INFINITY = "CAST('-Infinity' AS DOUBLE)";

/** The longest list that fits into a line has some 500,000 numbers, and then so few chunks that adding up their totals the simple way is cheap. */
const CHUNK_LENGTH = 64;
/** Up to here the simple way is the faster one, measured. */
const MAX_SIMPLE_LENGTH = 128;

const SUMS = {
  '_histogram_chunks(numbers)': `
    list_transform(range(1, len(numbers) + 1, ${CHUNK_LENGTH}), lambda first:
      list_transform(range(first, least(first + ${CHUNK_LENGTH}, len(numbers) + 1)), lambda i: numbers[i]))`,

  '_histogram_chunk_sums(chunks, totals)': `
    flatten(list_transform(chunks, lambda chunk, c:
      list_transform([coalesce(list_sum(totals[1:c - 1]), 0)], lambda base:
        list_transform(chunk, lambda number, i: base + list_sum(chunk[1:i])))[1]))`,

  /**
   * For each of the numbers its sum with all before it, exact. In a lambda `numbers[1:i]` copies the whole list, each time, which makes the
   * simple way quadratic and a hostile line cost minutes; `numbers[i]` copies nothing. `numbers` is to be a name:
   * an expression would be computed anew for each of them. NULL for NULL.
   */
  '_histogram_running_sums(numbers)': `
    CASE WHEN len(numbers) <= ${MAX_SIMPLE_LENGTH}
      THEN list_transform(numbers, lambda number, i: list_sum(numbers[1:i]))
      ELSE list_transform([_histogram_chunks(numbers)], lambda chunks:
        list_transform(
          [list_transform(chunks, lambda chunk: list_sum(chunk))],
          lambda totals: _histogram_chunk_sums(chunks, totals))[1])[1]
    END`,
} as const;

const BUCKETS = {
  /** As in Go; DuckDB's own aborts the query. */
  '_histogram_log2(x)': `CASE WHEN x > 0 THEN log2(x) WHEN x = 0 THEN ${MINUS_INFINITY} ELSE ${NAN} END`,

  /** The index of each bucket: the offset of a span is the distance to the end of the one before it. */
  '_histogram_indexes(spans)': `
    list_transform(
      [list_transform(spans, lambda span: list_sum(span))],
      lambda steps: list_transform(
        [CAST(_histogram_running_sums(steps) AS BIGINT[])],
        lambda ends: flatten(list_transform(spans, lambda span, i: range(ends[i] - span[2], ends[i]))))[1])[1]`,

  /**
   * The upper bound of an exponential bucket, 2^(index / 2^schema). Instead of 2^1024 it is the largest double: behind it is the bucket of
   * the infinities.
   */
  '_histogram_bound(schema, index)': `
    CASE index * pow(2.0, -schema) WHEN 1024 THEN ${Number.MAX_VALUE} ELSE pow(2.0, index * pow(2.0, -schema)) END`,

  /** A bucket that overlaps with the zero bucket begins where that ends. */
  '_histogram_lower_bound(index, h)': `
    list_transform([_histogram_bound(h.schema, index - 1)], lambda bound:
      CASE WHEN bound > 0 AND bound < h.zero_threshold THEN h.zero_threshold ELSE bound END)[1]`,

  '_histogram_exponential_buckets(h, zero_lower, zero_upper)': `
    list_reverse(list_transform(_histogram_indexes(h.negative_spans), lambda index, i: {
      'lower': -_histogram_bound(h.schema, index),
      'upper': -_histogram_lower_bound(index, h),
      'count': h.negative_buckets[i]
    }))
    || CASE WHEN h.zero_count > 0 AND NOT isnan(h.zero_count)
      THEN [{'lower': zero_lower, 'upper': zero_upper, 'count': h.zero_count}] ELSE [] END
    || list_transform(_histogram_indexes(h.positive_spans), lambda index, i: {
      'lower': _histogram_lower_bound(index, h),
      'upper': _histogram_bound(h.schema, index),
      'count': h.positive_buckets[i]
    })`,

  '_histogram_custom_buckets(h)': `
    list_transform(_histogram_indexes(h.positive_spans), lambda index, i: {
      'lower': coalesce(h.custom_values[index], ${MINUS_INFINITY}),
      'upper': coalesce(h.custom_values[index + 1], ${INFINITY}),
      'count': h.positive_buckets[i]
    })`,

  /** All buckets in order, also those that are empty. */
  'histogram_buckets(h)': `
    CASE WHEN ${IS_CUSTOM} THEN _histogram_custom_buckets(h)
    ELSE _histogram_exponential_buckets(h, -h.zero_threshold, h.zero_threshold) END`,

  /** The buckets to interpolate in: the zero bucket ends at 0 on a side where the histogram has no other bucket. */
  '_histogram_sided_buckets(h)': `
    CASE WHEN ${IS_CUSTOM} THEN _histogram_custom_buckets(h)
    ELSE _histogram_exponential_buckets(
      h,
      CASE WHEN len(h.negative_buckets) = 0 AND len(h.positive_buckets) > 0 THEN 0 ELSE -h.zero_threshold END,
      CASE WHEN len(h.positive_buckets) = 0 AND len(h.negative_buckets) > 0 THEN 0 ELSE h.zero_threshold END
    ) END`,
} as const;

const QUANTILE = {
  /**
   * Which end to count from, and how far. Observations of NaN are in no bucket, as if they were above all; they make the sum NaN, and leave
   * only the lower end to count from. Else it is the nearer end.
   */
  '_histogram_target(q, h)': `
    CASE WHEN q < 0.5 OR isnan(h.sum) THEN {'from_below': true, 'rank': q * h.count}
    ELSE {'from_below': false, 'rank': (1 - q) * h.count} END`,

  /**
   * The first bucket, empty ones aside, with which the counts come up to `rank`, or else the last one; `total` is their sum. Each bucket
   * carries the rank, because the lambda of list_reduce is given other rows' values of what stands outside of it (DuckDB 1.5.5, where lists
   * differ in length). To DuckDB NaN is more than any number.
   */
  '_histogram_find(rank, buckets)': `
    list_reduce(
      list_transform(buckets, lambda bucket: {
        'lower': bucket.lower, 'upper': bucket.upper, 'count': bucket.count,
        'rank': rank, 'total': ${ZERO}, 'is_found': false
      }),
      lambda found, bucket: CASE WHEN found.is_found THEN found ELSE {
        'lower': bucket.lower, 'upper': bucket.upper, 'count': bucket.count,
        'rank': bucket.rank,
        'total': found.total + bucket.count,
        'is_found': bucket.count <> 0 AND found.total + bucket.count >= bucket.rank
          AND NOT isnan(found.total + bucket.count)
      } END,
      {
        'lower': ${ZERO}, 'upper': ${ZERO}, 'count': ${ZERO},
        'rank': ${ZERO}, 'total': ${ZERO}, 'is_found': false
      })`,

  /** On a logarithmic scale the exponential buckets are all of one width, so there it is linear. */
  '_histogram_interpolate(bucket, fraction, h)': `
    CASE
      WHEN ${IS_CUSTOM} AND bucket.lower = ${MINUS_INFINITY} THEN bucket.upper * fraction
      WHEN ${IS_CUSTOM} OR (bucket.lower <= 0 AND bucket.upper >= 0)
        THEN bucket.lower + (bucket.upper - bucket.lower) * fraction
      WHEN bucket.lower > 0
        THEN pow(2.0, _histogram_log2(bucket.lower) + (_histogram_log2(bucket.upper) - _histogram_log2(bucket.lower)) * fraction)
      ELSE -pow(2.0, _histogram_log2(-bucket.upper) + (_histogram_log2(-bucket.lower) - _histogram_log2(-bucket.upper)) * (1 - fraction))
    END`,

  /**
   * The bucket to interpolate in, which is the found one. Only where the sum is NaN Prometheus goes on to the last bucket (3.5.3, and still
   * in 2026): it counts the observations of NaN for a warning, and loses its place. Who compares both must see the same number.
   */
  '_histogram_inside(found, h)': `
    CASE WHEN isnan(h.sum) AND found.upper < _histogram_sided_buckets(h)[-1].upper THEN histogram_buckets(h)[-1]
    ELSE {'lower': found.lower, 'upper': found.upper, 'count': found.count} END`,

  '_histogram_value(target, found, h)': `
    CASE
      WHEN ${IS_CUSTOM} AND found.lower = ${MINUS_INFINITY} AND found.upper <= 0 THEN found.upper
      WHEN ${IS_CUSTOM} AND found.lower > ${MINUS_INFINITY} AND found.upper = ${INFINITY} THEN found.lower
      WHEN isnan(found.total) OR isnan(target.rank) THEN ${NAN}
      WHEN least(found.total, h.count) < target.rank THEN CASE WHEN isnan(h.sum) THEN ${NAN} ELSE found.upper END
      ELSE list_transform(
        [CASE WHEN target.from_below THEN target.rank - (least(found.total, h.count) - found.count)
          ELSE least(found.total, h.count) - target.rank END],
        lambda rank: list_transform(
          [_histogram_inside(found, h)],
          lambda bucket: _histogram_interpolate(bucket, rank / bucket.count, h))[1])[1]
    END`,

  'histogram_quantile(q, h)': `
    CASE
      WHEN q IS NULL OR (${LACKS_BOUNDS}) THEN NULL
      WHEN isnan(CAST(q AS DOUBLE)) THEN ${NAN}
      WHEN CAST(q AS DOUBLE) < 0 THEN ${MINUS_INFINITY}
      WHEN CAST(q AS DOUBLE) > 1 THEN ${INFINITY}
      WHEN h.count = 0 THEN ${NAN}
      ELSE list_transform([_histogram_target(CAST(q AS DOUBLE), h)], lambda target:
        list_transform([_histogram_find(
          target.rank,
          CASE WHEN target.from_below THEN _histogram_sided_buckets(h) ELSE list_reverse(_histogram_sided_buckets(h)) END
        )], lambda found: _histogram_value(target, found, h))[1])[1]
    END`,
} as const;

const FRACTION = {
  /** A custom bucket around 0 is taken to begin there, as Prometheus has it. */
  '_histogram_fraction_buckets(h)': `
    list_transform(_histogram_sided_buckets(h), lambda bucket: {
      'lower': CASE WHEN ${IS_CUSTOM} AND bucket.lower <= 0 AND bucket.upper >= 0 THEN 0 ELSE bucket.lower END,
      'upper': bucket.upper,
      'count': bucket.count
    })`,

  '_histogram_count_below(value, bucket, h)': `
    CASE
      WHEN value <= bucket.lower THEN 0
      WHEN value >= bucket.upper THEN bucket.count
      WHEN ${IS_CUSTOM} OR (bucket.lower <= 0 AND bucket.upper >= 0)
        THEN bucket.count * (value - bucket.lower) / (bucket.upper - bucket.lower)
      WHEN value > 0
        THEN bucket.count * ((_histogram_log2(value) - _histogram_log2(bucket.lower)) / (_histogram_log2(bucket.upper) - _histogram_log2(bucket.lower)))
      ELSE bucket.count * (1 - (_histogram_log2(-value) - _histogram_log2(-bucket.upper)) / (_histogram_log2(-bucket.lower) - _histogram_log2(-bucket.upper)))
    END`,

  /** How many observations are below `value`; `total` where it is above all buckets. */
  '_histogram_rank(value, buckets, total, h)': `
    CASE WHEN coalesce(value > buckets[-1].lower AND value >= buckets[-1].upper, true) THEN total
    ELSE list_transform(
      [list_sum(list_transform(buckets, lambda bucket: _histogram_count_below(value, bucket, h)))],
      lambda rank: CASE WHEN isnan(rank) THEN rank ELSE least(rank, total) END)[1] END`,

  'histogram_fraction(low, high, h)': `
    CASE
      WHEN low IS NULL OR high IS NULL OR (${LACKS_BOUNDS}) THEN NULL
      WHEN isnan(CAST(low AS DOUBLE)) OR isnan(CAST(high AS DOUBLE)) OR h.count = 0 THEN ${NAN}
      WHEN CAST(low AS DOUBLE) >= CAST(high AS DOUBLE) THEN 0
      ELSE list_transform([_histogram_fraction_buckets(h)], lambda buckets:
        list_transform(
          [CASE WHEN isnan(h.sum) THEN coalesce(list_sum(list_transform(buckets, lambda bucket: bucket.count)), 0)
            ELSE h.count END],
          lambda total: _histogram_rank(CAST(high AS DOUBLE), buckets, total, h)
            - _histogram_rank(CAST(low AS DOUBLE), buckets, total, h))[1])[1] / h.count
    END`,

  'histogram_avg(h)': 'h.sum / h.count',
} as const;

/** The statements that make the macros. Those with a leading underscore are for the others. */
export const HISTOGRAM_MACROS: readonly string[] = Object.entries({
  ...SUMS,
  ...BUCKETS,
  ...QUANTILE,
  ...FRACTION,
}).map(([signature, body]) => `CREATE MACRO ${signature} AS ${body}`);
