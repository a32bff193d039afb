-- The value that every series of a metric has at a time, at each step of a span; of one time with the same from and to. It is the latest sample,
-- if that is not older than the lookback and the series has not ended since, which its stale marker says.
-- PromQL: up
-- Parameters:
--   metric: its name
--   datehour: the first folder that is read, at the latest that of `from` less the lookback less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   lookback: seconds that a value holds; 300 in Prometheus, unless it was told otherwise
--   prometheus: 3 where a value holds for less than that, as in Prometheus 3; 2 where it holds for exactly that, too
-- Scans: samples_raw (kind, name, time, value, stale, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT kind, name, labels, time, TRY_CAST(value AS double) AS value, stale, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      60 /* step */ * BIGINT '1000' AS step_ms,
      300 /* lookback */ * BIGINT '1000' AS lookback_ms,
      3 /* prometheus */ AS version
    FROM samples_raw
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, count(stale) AS markers, from_ms, to_ms, step_ms,
      lookback_ms - CASE version WHEN 2 THEN 0 ELSE 1 END AS reach_ms
    FROM given
    WHERE kind IS NULL
      AND name = 'up' /* metric */
      AND datehour >= '2026/11/20/08' /* datehour */
      AND time >= from_ms - lookback_ms AND time <= to_ms
    GROUP BY labels, time, from_ms, to_ms, step_ms, lookback_ms, version
  ),
  -- A sample holds until the next, or the marker.
  valid AS (
    SELECT labels, time, value, step_ms,
      from_ms + step_ms * CAST(ceil(CAST(greatest(time - from_ms, 0) AS double) / step_ms) AS bigint) AS first_t,
      least(to_ms, time + reach_ms, coalesce(next_time - 1, to_ms)) AS last_t
    FROM (SELECT points.*, lead(time) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS next_time FROM points)
    WHERE markers = 0
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  labels,
  value,
  time AS sample_time
FROM valid
CROSS JOIN UNNEST(sequence(first_t, greatest(first_t, last_t), step_ms)) AS evaluation (t)
WHERE t <= last_t
ORDER BY t
