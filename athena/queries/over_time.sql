-- Average, least, greatest, sum, number and last of the samples of every series in a window, at each step of a span.
-- PromQL: avg_over_time(node_load1[5m]), min_over_time(node_load1[5m]), …
-- Parameters:
--   metric: its name
--   datehour: the first folder that is read, at the latest that of `from` less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   window: seconds that an evaluation looks back; less than 10,000 steps, which is all that Athena counts to at once
--   prometheus: 3 where a window begins after its first moment, as in Prometheus 3; 2 where that belongs to it, as in Prometheus 2
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      60 /* step */ * BIGINT '1000' AS step_ms,
      300 /* window */ * BIGINT '1000' AS window_ms,
      3 /* prometheus */ AS version
    FROM samples
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, from_ms, to_ms, step_ms, window_ms, version,
      window_ms - CASE version WHEN 2 THEN 0 ELSE 1 END AS reach_ms
    FROM given
    WHERE name = 'node_load1' /* metric */
      AND datehour >= '2026/11/20/08' /* datehour */
      AND time >= from_ms - window_ms AND time <= to_ms
    GROUP BY labels, time, from_ms, to_ms, step_ms, window_ms, version
  ),
  -- A row for each evaluation in whose window a sample lies.
  reached AS (
    SELECT labels, t, time, value, window_ms
    FROM (
      SELECT labels, time, value, to_ms, step_ms, window_ms, reach_ms,
        from_ms + step_ms * CAST(ceil(CAST(greatest(time - from_ms, 0) AS double) / step_ms) AS bigint) AS first_t
      FROM points
    )
    CROSS JOIN UNNEST(sequence(first_t, greatest(first_t, least(to_ms, time + reach_ms)), step_ms)) AS evaluation (t)
    WHERE t <= to_ms AND t <= time + reach_ms
  ),
  aggregates AS (
    SELECT labels, t, avg(value) AS average, sum(value) AS total, count(*) AS n, max_by(value, time) AS last_value,
      -- What is not a number counts only where nothing else is there.
      min(CASE WHEN NOT is_nan(value) THEN value END) AS least_value,
      max(CASE WHEN NOT is_nan(value) THEN value END) AS greatest_value,
      -- Where the sum is beyond what a double holds, the average need not be.
      avg(value / 1048576e0) * 1048576e0 AS scaled_average,
      max(CASE WHEN abs(value) = CAST('Infinity' AS double) THEN 1 ELSE 0 END) AS has_infinity
    FROM reached
    GROUP BY labels, t
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  labels,
  CASE WHEN abs(average) = CAST('Infinity' AS double) AND has_infinity = 0 THEN scaled_average ELSE average END AS avg_over_time,
  coalesce(least_value, CAST('NaN' AS double)) AS min_over_time,
  coalesce(greatest_value, CAST('NaN' AS double)) AS max_over_time,
  total AS sum_over_time,
  n AS count_over_time,
  last_value AS last_over_time
FROM aggregates
ORDER BY t
