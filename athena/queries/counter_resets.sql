-- When the series of a counter were reset, and what was lost of them: restarts, where nothing tells start times.
-- PromQL: resets(http_requests_total[1h])
-- Parameters:
--   metric: the counter's name
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
    WHERE name = 'http_requests_total' /* metric */
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
  date_add('millisecond', previous_time, TIMESTAMP '1970-01-01 00:00:00.000') AS after_ts,
  date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS before_ts,
  labels,
  previous_value AS value_before,
  value AS value_after
FROM neighbours
WHERE value < previous_value AND NOT is_nan(value) AND NOT is_nan(previous_value)
ORDER BY time
