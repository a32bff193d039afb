-- When processes restarted: a series of start times that has another value than before.
-- PromQL: changes(process_start_time_seconds[1h])
-- Parameters:
--   metric: a gauge of start times in seconds since the epoch
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms
    FROM samples
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value
    FROM given
    WHERE name = 'process_start_time_seconds' /* metric */
      AND datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
    GROUP BY labels, time
  ),
  neighbours AS (
    SELECT labels, time, value,
      lag(time) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_time,
      lag(value) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_value
    FROM points
  )
SELECT
  date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS seen_ts,
  CASE WHEN value BETWEEN 0 AND 253402300799
    THEN date_add('millisecond', CAST(floor(value * 1000) AS bigint), TIMESTAMP '1970-01-01 00:00:00.000') END AS started_ts,
  element_at(labels, 'job') AS job,
  element_at(labels, 'instance') AS instance,
  labels,
  value AS started,
  previous_value AS started_before,
  CAST(time - previous_time AS double) / 1000 AS seconds_unseen
FROM neighbours
WHERE value <> previous_value AND NOT is_nan(value) AND NOT is_nan(previous_value)
ORDER BY time, job, instance
