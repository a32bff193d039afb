-- The increase per second of every series of a counter, at each step of a span. Resets of the counter are made good, and what lies between the
-- samples and the ends of the window is extrapolated, both as Prometheus does it.
-- PromQL: rate(http_requests_total[5m])
-- Parameters:
--   metric: the counter's name
--   datehour: the first folder that is read, at the latest that of `from` less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   window: seconds that an evaluation looks back; less than 10,000 steps, which is all that Athena counts to at once
--   prometheus: 3 as Prometheus 3 has it; 2 as Prometheus 2.42: the first moment of a window belongs to it, and a counter's zero comes before the rest
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
    WHERE name = 'http_requests_total' /* metric */
      AND datehour >= '2026/11/20/08' /* datehour */
      AND time >= from_ms - window_ms AND time <= to_ms
    GROUP BY labels, time, from_ms, to_ms, step_ms, window_ms, version
  ),
  neighbours AS (
    SELECT labels, time, value, to_ms, step_ms, window_ms, version, reach_ms,
      lag(time) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_time,
      lag(value) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_value,
      from_ms + step_ms * CAST(ceil(CAST(greatest(time - from_ms, 0) AS double) / step_ms) AS bigint) AS first_t
    FROM points
  ),
  -- A row for each evaluation in whose window a sample lies. What a reset lost is what was there before it.
  covered AS (
    SELECT labels, t, time, value, window_ms, version,
      CASE
        WHEN previous_time >= t - reach_ms AND value < previous_value AND NOT is_nan(value) AND NOT is_nan(previous_value) THEN previous_value
        ELSE 0e0
      END AS lost
    FROM neighbours
    CROSS JOIN UNNEST(sequence(first_t, greatest(first_t, least(to_ms, time + reach_ms)), step_ms)) AS evaluation (t)
    WHERE t <= to_ms AND t <= time + reach_ms
  ),
  windows AS (
    SELECT labels, t, window_ms, version, count(*) AS n, min(time) AS first_time, max(time) AS last_time, min_by(value, time) AS first_value,
      max_by(value, time) - min_by(value, time) + sum(lost) AS gain
    FROM covered
    GROUP BY labels, t, window_ms, version
    HAVING count(*) > 1
  ),
  -- In seconds.
  extents AS (
    SELECT labels, t, window_ms, version, gain, first_value,
      CAST(last_time - first_time AS double) / 1000 AS sampled,
      CAST(last_time - first_time AS double) / 1000 / (n - 1) AS apart,
      CAST(first_time - (t - window_ms) AS double) / 1000 AS to_start,
      CAST(t - last_time AS double) / 1000 AS to_end
    FROM windows
  ),
  -- No counter has begun below zero.
  bounded AS (
    SELECT labels, t, window_ms, version, gain, sampled, apart, to_start, to_end,
      CASE WHEN gain > 0 AND NOT is_nan(gain) AND first_value >= 0 AND NOT is_nan(first_value) THEN sampled * (first_value / gain) ELSE to_start END AS to_zero
    FROM extents
  ),
  -- A series whose next sample is missing is taken to have begun or ended half-way to it.
  increases AS (
    SELECT labels, t, gain, version, CAST(window_ms AS double) / 1000 AS seconds,
      (sampled
        + CASE
          WHEN version = 2 THEN CASE WHEN least(to_start, to_zero) >= apart * 1.1e0 THEN apart / 2 ELSE least(to_start, to_zero) END
          ELSE least(CASE WHEN to_start >= apart * 1.1e0 THEN apart / 2 ELSE to_start END, to_zero)
        END
        + CASE WHEN to_end >= apart * 1.1e0 THEN apart / 2 ELSE to_end END) / sampled AS factor
    FROM bounded
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  labels,
  gain * (factor / seconds) AS rate
FROM increases
ORDER BY t
