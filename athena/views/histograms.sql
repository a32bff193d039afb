-- A row a native histogram, without stale ones and duplicates. `positive_buckets` and `negative_buckets` are absolute counts, of integer
-- histograms too, whose lines have the difference of each bucket to the one before it. `count_int` is exact; NULL for a float histogram.
-- '2000/01/01/00' is the hour from which on the lines are not compacted yet: compaction makes the view anew with a later one.
CREATE OR REPLACE VIEW histograms AS
SELECT
  name,
  time,
  CASE WHEN time BETWEEN -62135596800000 AND 253402300799999
    THEN date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') END AS ts,
  start,
  histogram.type AS type,
  TRY_CAST(histogram.count AS double) AS count,
  CASE WHEN histogram.type = 'integer' THEN TRY_CAST(histogram.count AS decimal(20,0)) END AS count_int,
  TRY_CAST(histogram.sum AS double) AS sum,
  histogram.schema AS schema,
  TRY_CAST(histogram.zero_threshold AS double) AS zero_threshold,
  TRY_CAST(histogram.zero_count AS double) AS zero_count,
  histogram.positive_spans AS positive_spans,
  CASE
    WHEN histogram.type = 'float' THEN transform(histogram.positive_counts, n -> TRY_CAST(n AS double))
    WHEN cardinality(histogram.positive_deltas) = 0 THEN CAST(ARRAY[] AS array(double))
    -- sequence(1, 0) would be [1, 0]. A sum of deltas can be beyond bigint.
    ELSE transform(
      sequence(1, cardinality(histogram.positive_deltas)),
      i -> CAST(reduce(slice(histogram.positive_deltas, 1, i), CAST(0 AS decimal(38,0)), (total, delta) -> total + delta, total -> total) AS double))
  END AS positive_buckets,
  histogram.negative_spans AS negative_spans,
  CASE
    WHEN histogram.type = 'float' THEN transform(histogram.negative_counts, n -> TRY_CAST(n AS double))
    WHEN cardinality(histogram.negative_deltas) = 0 THEN CAST(ARRAY[] AS array(double))
    ELSE transform(
      sequence(1, cardinality(histogram.negative_deltas)),
      i -> CAST(reduce(slice(histogram.negative_deltas, 1, i), CAST(0 AS decimal(38,0)), (total, delta) -> total + delta, total -> total) AS double))
  END AS negative_buckets,
  transform(histogram.custom_values, bound -> TRY_CAST(bound AS double)) AS custom_values,
  histogram.reset_hint AS reset_hint,
  labels,
  datehour
FROM (
  SELECT DISTINCT name, time, start, histogram, labels, datehour
  FROM lines
  WHERE kind = 'histogram' AND histogram.stale IS NULL AND datehour >= '2000/01/01/00'
  UNION ALL
  SELECT name, time, start, histogram, labels, datehour
  FROM compacted
  WHERE kind = 'histogram' AND histogram.stale IS NULL AND datehour < '2000/01/01/00'
)
