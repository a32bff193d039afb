-- A quantile of what native histograms observed in a window, and how much that was per second, for each value of a label, at each step of a span:
-- resets, extrapolation, changes of resolution and interpolation as Prometheus 3 has them. It is NULL where the width of the zero bucket, or the
-- bounds of custom buckets, are not the same in all histograms that it is made of: Prometheus reconciles the former, and leaves out the latter.
-- PromQL: histogram_quantile(0.99, sum by (job) (rate(http_request_duration_seconds[5m]))), histogram_count(…)
-- Parameters:
--   metric: the histogram's name
--   datehour: the first folder that is read, at the latest that of `from` less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   window: seconds that an evaluation looks back; less than 10,000 steps, which is all that Athena counts to at once
--   quantile: from 0 to 1
--   by: the label; series without it count as those whose value is empty
-- Scans: histograms (all columns but type and start) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour, count, sum, schema, zero_threshold, zero_count, positive_spans, positive_buckets, negative_spans,
      negative_buckets, custom_values, reset_hint,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      60 /* step */ * BIGINT '1000' AS step_ms,
      300 /* window */ * BIGINT '1000' AS window_ms,
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
        AND datehour >= '2026/11/20/08' /* datehour */
        AND time > from_ms - window_ms AND time <= to_ms
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
  pairs AS (
    SELECT labels, time, schema,
      lead(time) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS next_time,
      lead(schema) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS next_schema,
      reset_hint = 'yes' OR reset_hint <> 'no' AND (
        count < lag(count) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time)
        OR schema > lag(schema) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time)
        OR (schema = -53) <> (lag(schema) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) = -53)
        OR custom_values <> lag(custom_values) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time)
        OR zero_threshold < lag(zero_threshold) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time)
        OR zero_count < lag(zero_count) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time)
      ) AS is_less,
      reset_hint
    FROM points
  ),
  -- Where a bucket holds less than in the histogram before, whose buckets may have to be merged to be compared.
  shrunk AS (
    SELECT DISTINCT labels, time
    FROM (
      SELECT labels, time, side, bucket, n AS n_now, 0e0 AS n_before FROM stored
      UNION ALL
      SELECT s.labels, p.next_time AS time, s.side,
        CASE WHEN s.schema = p.next_schema THEN s.bucket
        ELSE CAST(ceil(s.bucket / power(2e0, CAST(s.schema - p.next_schema AS double))) AS bigint) END AS bucket,
        0e0 AS n_now, s.n AS n_before
      FROM stored AS s
      JOIN pairs AS p ON p.labels = s.labels AND p.time = s.time
      WHERE p.next_schema <= s.schema
    )
    GROUP BY labels, time, side, bucket
    HAVING sum(n_before) > sum(n_now)
  ),
  neighbours AS (
    SELECT labels, time, next_time,
      coalesce(lead(is_reset) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time), false) AS next_is_reset
    FROM (
      SELECT p.labels, p.time, p.next_time, coalesce(p.is_less, false) OR p.reset_hint <> 'no' AND s.time IS NOT NULL AS is_reset
      FROM pairs AS p
      LEFT JOIN shrunk AS s ON s.labels = p.labels AND s.time = p.time
    )
  ),
  -- A row for each evaluation in whose window a histogram lies, with how often that adds to what was observed: the last once, the first less
  -- once, and once more each that a reset follows.
  covered AS (
    SELECT labels, t, time,
      CASE WHEN time = last_time THEN 1 ELSE 0 END - CASE WHEN time = first_time THEN 1 ELSE 0 END
        + CASE WHEN next_is_reset AND next_time <= t THEN 1 ELSE 0 END AS weight,
      time > first_time OR NOT (next_is_reset AND next_time <= t) AS matters
    FROM (
      SELECT p.labels, p.time, n.next_time, n.next_is_reset, t,
        min(p.time) OVER (PARTITION BY array_sort(map_entries(p.labels)), t) AS first_time,
        max(p.time) OVER (PARTITION BY array_sort(map_entries(p.labels)), t) AS last_time
      FROM (
        SELECT labels, time, to_ms, step_ms, window_ms,
          from_ms + step_ms * CAST(ceil(CAST(greatest(time - from_ms, 0) AS double) / step_ms) AS bigint) AS first_t
        FROM points
      ) AS p
      CROSS JOIN UNNEST(sequence(first_t, greatest(first_t, least(to_ms, time + window_ms - 1)), step_ms)) AS evaluation (t)
      JOIN neighbours AS n ON n.labels = p.labels AND n.time = p.time
      WHERE t <= to_ms AND t < p.time + window_ms
    )
    WHERE first_time < last_time
  ),
  -- What came before a reset right at the begin of a window does not matter.
  windows AS (
    SELECT c.labels, c.t, p.window_ms, p.quantile, count(*) AS n, min(c.time) AS first_time, max(c.time) AS last_time,
      sum(CASE WHEN c.weight <> 0 THEN c.weight * p.count ELSE 0e0 END) AS gain,
      sum(CASE WHEN c.weight <> 0 THEN c.weight * p.sum ELSE 0e0 END) AS gain_of_sum,
      sum(CASE WHEN c.weight <> 0 THEN c.weight * p.zero_count ELSE 0e0 END) AS gain_of_zero,
      min(CASE WHEN c.matters THEN p.schema END) AS schema,
      max(CASE WHEN c.matters THEN p.schema END) AS highest_schema,
      min(CASE WHEN c.matters THEN p.zero_threshold END) AS zero_threshold,
      max(CASE WHEN c.matters THEN p.zero_threshold END) AS highest_threshold,
      max_by(p.custom_values, c.time) AS custom_values,
      count(DISTINCT CASE WHEN c.matters THEN p.custom_values END) AS kinds_of_bounds
    FROM covered AS c
    JOIN points AS p ON p.labels = c.labels AND p.time = c.time
    GROUP BY c.labels, c.t, p.window_ms, p.quantile
  ),
  -- In seconds.
  extents AS (
    SELECT windows.*,
      CAST(last_time - first_time AS double) / 1000 AS sampled,
      CAST(last_time - first_time AS double) / 1000 / (n - 1) AS apart,
      CAST(first_time - (t - window_ms) AS double) / 1000 AS to_start,
      CAST(t - last_time AS double) / 1000 AS to_end
    FROM windows
  ),
  -- A series whose next histogram is missing is taken to have begun or ended half-way to it.
  rates AS (
    SELECT coalesce(element_at(labels, 'job' /* by */), '') AS who, extents.*,
      (sampled
        + CASE WHEN to_start >= apart * 1.1e0 THEN apart / 2 ELSE to_start END
        + CASE WHEN to_end >= apart * 1.1e0 THEN apart / 2 ELSE to_end END) / sampled / (CAST(window_ms AS double) / 1000) AS factor
    FROM extents
  ),
  groups AS (
    SELECT who, t, quantile, min(schema) AS schema, max(zero_threshold) AS zero_threshold, max_by(custom_values, last_time) AS custom_values,
      sum(gain * factor) AS total, sum(gain_of_sum * factor) AS observed_sum, sum(gain_of_zero * factor) AS zero_count,
      min(zero_threshold) < max(highest_threshold) OR count(DISTINCT custom_values) > 1 OR max(kinds_of_bounds) > 1
        OR min(schema) = -53 AND max(highest_schema) > -53 AS is_mixed
    FROM rates
    GROUP BY who, t, quantile
  ),
  wholes AS (
    SELECT who, t, schema, zero_threshold, custom_values, quantile, total, observed_sum, zero_count
    FROM groups
    WHERE NOT is_mixed
  ),
  -- What each series adds to each bucket, in the lowest resolution of all that are summed up.
  gains AS (
    SELECT who, t, labels, factor, side, bucket, sum(n) AS n
    FROM (
      SELECT h.who, h.t, r.labels, r.factor, s.side, c.weight * s.n AS n,
        CASE WHEN s.schema = h.schema THEN s.bucket
        ELSE CAST(ceil(s.bucket / power(2e0, CAST(s.schema - h.schema AS double))) AS bigint) END AS bucket
      FROM covered AS c
      JOIN stored AS s ON s.labels = c.labels AND s.time = c.time
      JOIN rates AS r ON r.labels = c.labels AND r.t = c.t
      JOIN wholes AS h ON h.who = r.who AND h.t = r.t
      WHERE c.weight <> 0
    )
    GROUP BY who, t, labels, factor, side, bucket
  ),
  buckets AS (
    SELECT who, t, side, bucket, sum(n * factor) AS n FROM gains GROUP BY who, t, side, bucket HAVING sum(n * factor) <> 0
    UNION ALL
    SELECT who, t, 0 AS side, BIGINT '0' AS bucket, zero_count AS n FROM wholes WHERE zero_count > 0 AND NOT is_nan(zero_count)
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
  who AS label,
  quantile,
  total AS rate
FROM (
  SELECT q.who, q.t, q.quantile, h.total
  FROM quantiles AS q
  JOIN wholes AS h ON h.who = q.who AND h.t = q.t
  UNION ALL
  SELECT who, t, CAST(NULL AS double) AS quantile, CAST(NULL AS double) AS total FROM groups WHERE is_mixed
)
ORDER BY t, label
