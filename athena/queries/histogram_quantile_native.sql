-- A quantile of every native histogram that a series stored in a span: of all that was observed since the histogram began, where it is that of a
-- counter. Exponential and custom buckets, interpolated as Prometheus 3 does it.
-- PromQL: histogram_quantile(0.99, http_request_duration_seconds)
-- Parameters:
--   metric: the histogram's name
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the first and the last time of the histograms, in UTC
--   quantile: from 0 to 1
-- Scans: histograms (all columns but type and start) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour, count, sum, schema, zero_threshold, zero_count, positive_spans, positive_buckets, negative_spans,
      negative_buckets, custom_values,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      0.99e0 /* quantile */ AS quantile
    FROM histograms
  ),
  -- Each histogram once: copies of it can have arrived in several hours.
  points AS (
    SELECT *
    FROM (
      SELECT given.*, row_number() OVER (PARTITION BY array_sort(map_entries(labels)), time ORDER BY datehour) AS copy
      FROM given
      WHERE name = 'http_request_duration_seconds' /* metric */
        AND datehour >= '2026/11/20/09' /* datehour */
        AND time >= from_ms AND time <= to_ms
    )
    WHERE copy = 1
  ),
  -- The index of a span's first bucket is the sum of all offsets up to it and of all lengths before it.
  spans AS (
    SELECT labels, time, schema, side, counts, length,
      CAST(sum(gap) OVER (PARTITION BY array_sort(map_entries(labels)), time, side ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bigint) AS gaps,
      CAST(sum(length) OVER (PARTITION BY array_sort(map_entries(labels)), time, side ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bigint) AS last_place
    FROM (
      SELECT labels, time, schema, side, counts, k, span[1] AS gap, span[2] AS length
      FROM (
        SELECT labels, time, schema, 1 AS side, positive_spans AS spans, positive_buckets AS counts FROM points
        UNION ALL
        SELECT labels, time, schema, -1 AS side, negative_spans AS spans, negative_buckets AS counts FROM points
      )
      CROSS JOIN UNNEST(spans) WITH ORDINALITY AS numbered (span, k)
    )
  ),
  stored AS (
    SELECT labels, time, schema, side, gaps + place - 1 AS bucket, element_at(counts, place) AS n
    FROM spans
    CROSS JOIN UNNEST(sequence(last_place - length + 1, greatest(last_place, last_place - length + 1))) AS places (place)
    WHERE place <= last_place
  ),
  wholes AS (
    SELECT array_sort(map_entries(labels)) AS who, time AS t, schema, zero_threshold, custom_values, quantile, count AS total, sum AS observed_sum
    FROM points
  ),
  buckets AS (
    SELECT array_sort(map_entries(labels)) AS who, time AS t, side, bucket, n FROM stored
    UNION ALL
    SELECT array_sort(map_entries(labels)) AS who, time AS t, 0 AS side, BIGINT '0' AS bucket, zero_count AS n
    FROM points
    WHERE zero_count > 0 AND NOT is_nan(zero_count)
  ),
  -- The bounds of exponential buckets are powers of 2; in the place of 2^1024 it is the largest double.
  bounded AS (
    SELECT b.who, b.t, b.side, b.bucket, b.n, h.schema, h.zero_threshold, h.total, h.observed_sum, h.quantile,
      h.quantile < 0.5e0 OR is_nan(h.observed_sum) AS from_below,
      h.schema = -53 AND element_at(h.custom_values, 1) IS NULL AND count(*) OVER (PARTITION BY b.who, b.t) > 1 AS lacks_bounds,
      count(CASE WHEN b.side = 1 THEN 1 END) OVER (PARTITION BY b.who, b.t) AS positives,
      count(CASE WHEN b.side = -1 THEN 1 END) OVER (PARTITION BY b.who, b.t) AS negatives,
      CASE
        WHEN h.schema <> -53 THEN
          CASE (b.bucket - 1) * power(2e0, CAST(-h.schema AS double)) WHEN 1024e0 THEN 1.7976931348623157e308
          ELSE power(2e0, (b.bucket - 1) * power(2e0, CAST(-h.schema AS double))) END
        WHEN b.bucket = 0 THEN CAST('-Infinity' AS double)
        ELSE coalesce(element_at(h.custom_values, b.bucket), CAST('-Infinity' AS double))
      END AS near_bound,
      CASE
        WHEN h.schema <> -53 THEN
          CASE b.bucket * power(2e0, CAST(-h.schema AS double)) WHEN 1024e0 THEN 1.7976931348623157e308
          ELSE power(2e0, b.bucket * power(2e0, CAST(-h.schema AS double))) END
        ELSE coalesce(element_at(h.custom_values, b.bucket + 1), CAST('Infinity' AS double))
      END AS far_bound
    FROM buckets AS b
    JOIN wholes AS h ON h.who = b.who AND h.t = b.t
  ),
  -- A bucket that overlaps with the zero bucket begins where that ends, and the zero bucket ends at 0 on a side that has no other bucket.
  sided AS (
    SELECT who, t, side, n, schema, total, observed_sum, quantile, from_below, lacks_bounds,
      CASE WHEN from_below THEN quantile * total ELSE (1e0 - quantile) * total END AS wanted,
      row_number() OVER (PARTITION BY who, t ORDER BY side, side * bucket) AS place,
      -zero_threshold AS zero_low,
      zero_threshold AS zero_high,
      CASE
        WHEN side = 0 THEN CASE WHEN negatives = 0 AND positives > 0 THEN 0e0 ELSE -zero_threshold END
        WHEN side = -1 THEN -far_bound
        WHEN near_bound > 0 AND near_bound < zero_threshold THEN zero_threshold
        ELSE near_bound
      END AS low,
      CASE
        WHEN side = 0 THEN CASE WHEN positives = 0 AND negatives > 0 THEN 0e0 ELSE zero_threshold END
        WHEN side = 1 THEN far_bound
        WHEN near_bound > 0 AND near_bound < zero_threshold THEN -zero_threshold
        ELSE -near_bound
      END AS high
    FROM bounded
  ),
  -- Counted from the nearer end; from below where NaN was observed, which is in no bucket.
  places AS (
    SELECT sided.*, CASE WHEN from_below THEN place ELSE -place END AS i,
      sum(n) OVER (
        PARTITION BY who, t ORDER BY CASE WHEN from_below THEN place ELSE -place END ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS reached,
      max(high) OVER (PARTITION BY who, t) AS highest,
      max_by(CASE WHEN side = 0 THEN zero_low ELSE low END, place) OVER (PARTITION BY who, t) AS last_low,
      max_by(CASE WHEN side = 0 THEN zero_high ELSE high END, place) OVER (PARTITION BY who, t) AS last_high,
      max_by(n, place) OVER (PARTITION BY who, t) AS last_n
    FROM sided
  ),
  -- The first bucket with which the rank is reached, or else the last; `rest` is how far the rank lies in it. Where the sum is NaN, Prometheus 3.5
  -- interpolates in the last bucket all the same.
  found AS (
    SELECT who, t, lacks_bounds, wanted, reached, counted, low, high,
      CASE WHEN from_below THEN wanted - (counted - n) ELSE counted - wanted END
        / CASE WHEN is_nan(observed_sum) AND high < highest THEN last_n ELSE n END AS rest,
      CASE WHEN is_nan(observed_sum) AND high < highest THEN last_low ELSE low END AS from_value,
      CASE WHEN is_nan(observed_sum) AND high < highest THEN last_high ELSE high END AS to_value
    FROM (
      SELECT places.*,
        -- Rounding may have made it more than all.
        CASE WHEN reached > total THEN total ELSE reached END AS counted,
        coalesce(
          min(CASE WHEN n <> 0 AND reached >= wanted AND NOT is_nan(reached) THEN i END) OVER (PARTITION BY who, t),
          max(i) OVER (PARTITION BY who, t)) AS found_i
      FROM places
    )
    WHERE i = found_i
  ),
  quantiles AS (
    SELECT h.who, h.t,
      CASE
        WHEN f.lacks_bounds THEN CAST(NULL AS double)
        WHEN h.quantile < 0 THEN CAST('-Infinity' AS double)
        WHEN h.quantile > 1 THEN CAST('Infinity' AS double)
        WHEN h.total = 0 THEN CAST('NaN' AS double)
        WHEN f.who IS NULL THEN CASE WHEN is_nan(h.observed_sum) THEN CAST('NaN' AS double) ELSE 0e0 END
        WHEN h.schema = -53 AND f.low = CAST('-Infinity' AS double) AND f.high <= 0 THEN f.high
        WHEN h.schema = -53 AND f.low > CAST('-Infinity' AS double) AND f.high = CAST('Infinity' AS double) THEN f.low
        WHEN is_nan(f.reached) OR is_nan(f.wanted) THEN CAST('NaN' AS double)
        WHEN f.counted < f.wanted THEN CASE WHEN is_nan(h.observed_sum) THEN CAST('NaN' AS double) ELSE f.high END
        WHEN h.schema = -53 AND f.from_value = CAST('-Infinity' AS double) THEN f.to_value * f.rest
        WHEN h.schema = -53 OR f.from_value <= 0 AND f.to_value >= 0 THEN f.from_value + (f.to_value - f.from_value) * f.rest
        -- On a logarithmic scale exponential buckets are of one width.
        WHEN f.from_value > 0 THEN power(2e0, log2(f.from_value) + (log2(f.to_value) - log2(f.from_value)) * f.rest)
        ELSE -power(2e0, log2(-f.to_value) + (log2(-f.from_value) - log2(-f.to_value)) * (1e0 - f.rest))
      END AS quantile
    FROM wholes AS h
    LEFT JOIN found AS f ON f.who = h.who AND f.t = h.t
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  map_from_entries(who) AS labels,
  quantile
FROM quantiles
ORDER BY t
