-- The slope per second of every series of a gauge by linear regression over a window, and where it leads to: when a disk is full, for one. At
-- each step of a span.
-- PromQL: deriv(node_filesystem_avail_bytes[1h]), predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600)
-- Parameters:
--   metric: the gauge's name
--   datehour: the first folder that is read, at the latest that of `from` less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   window: seconds that an evaluation looks back; less than 10,000 steps, which is all that Athena counts to at once
--   ahead: seconds from the evaluation to the time that is predicted
--   prometheus: 3 where a window begins after its first moment, as in Prometheus 3; 2 where that belongs to it, as in Prometheus 2
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      60 /* step */ * BIGINT '1000' AS step_ms,
      3600 /* window */ * BIGINT '1000' AS window_ms,
      3 /* prometheus */ AS version
    FROM samples
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, from_ms, to_ms, step_ms, window_ms, version,
      window_ms - CASE version WHEN 2 THEN 0 ELSE 1 END AS reach_ms
    FROM given
    WHERE name = 'node_filesystem_avail_bytes' /* metric */
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
  -- Of equal values the slope is 0, and not what rounding makes of it. The line goes through the average.
  lines AS (
    SELECT labels, t, avg(value) AS average, avg(CAST(time - t AS double) / 1000) AS average_time,
      CASE WHEN min(value) = max(value) THEN 0e0 * sum(value) ELSE regr_slope(value, CAST(time - t AS double) / 1000) END AS slope
    FROM reached
    GROUP BY labels, t
    HAVING count(*) > 1
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  labels,
  slope AS deriv,
  average + slope * (14400 /* ahead */ - average_time) AS predict_linear
FROM lines
ORDER BY t
