-- A quantile of what a histogram with classic buckets (le) observed in a window, for each value of a label, at each step of a span: interpolated
-- in the bucket as Prometheus does it.
-- PromQL: histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))
-- Parameters:
--   metric: the name of the buckets' series, which ends in _bucket
--   datehour: the first folder that is read, at the latest that of `from` less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   step: seconds from one evaluation to the next
--   window: seconds that an evaluation looks back; less than 10,000 steps, which is all that Athena counts to at once
--   quantile: from 0 to 1
--   by: the label; series without it count as those whose value is empty
--   prometheus: 3 as Prometheus 3 has it; 2 as Prometheus 2.42: as in rate.sql, and no difference between buckets is too small
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
    WHERE name = 'http_request_duration_seconds_bucket' /* metric */
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
  ),
  -- A bucket whose bound is no number is none.
  buckets AS (
    SELECT label, t, upper, version, sum(rate) AS n
    FROM (
      SELECT
        coalesce(element_at(labels, 'job' /* by */), '') AS label,
        t,
        CASE
          WHEN element_at(labels, 'le') IN ('+Inf', 'Inf', 'inf', '+inf') THEN CAST('Infinity' AS double)
          ELSE TRY_CAST(element_at(labels, 'le') AS double)
        END AS upper,
        gain * (factor / seconds) AS rate,
        version
      FROM increases
    )
    WHERE upper IS NOT NULL
    GROUP BY label, t, upper, version
  ),
  -- A bucket that holds less than one below it holds as much.
  ordered AS (
    SELECT label, t, upper, version,
      row_number() OVER (PARTITION BY label, t ORDER BY upper) AS i,
      count(*) OVER (PARTITION BY label, t) AS last_i,
      max(upper) OVER (PARTITION BY label, t) AS highest_upper,
      max(n) OVER (PARTITION BY label, t ORDER BY upper ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n
    FROM buckets
  ),
  -- Prometheus 3 takes a difference of less than 10^-12 to be one of rounding, and the bucket to hold no more than the one below it.
  risen AS (
    SELECT label, t, upper, i, last_i, highest_upper, n,
      sum(CASE WHEN (n - below) / (n + below) < CASE version WHEN 2 THEN 0e0 ELSE 1e-12 END THEN 0 WHEN n = below THEN 0 ELSE 1 END)
        OVER (PARTITION BY label, t ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS level
    FROM (SELECT ordered.*, lag(n) OVER (PARTITION BY label, t ORDER BY i) AS below FROM ordered)
  ),
  levelled AS (
    SELECT label, t, upper, i, last_i, highest_upper, min(n) OVER (PARTITION BY label, t, level) AS n
    FROM risen
  ),
  ranked AS (
    SELECT label, t, upper, i, last_i, highest_upper, n,
      lag(upper) OVER (PARTITION BY label, t ORDER BY i) AS lower,
      lag(n) OVER (PARTITION BY label, t ORDER BY i) AS below,
      max(n) OVER (PARTITION BY label, t) AS observations,
      0.99e0 /* quantile */ AS quantile
    FROM levelled
  ),
  -- The first bucket but the last with which the rank is reached, or else the last.
  found AS (
    SELECT label, t, upper, lower, i, last_i, highest_upper, n, below, observations, quantile,
      coalesce(min(CASE WHEN i < last_i AND n >= quantile * observations THEN i END) OVER (PARTITION BY label, t), last_i) AS found_i
    FROM ranked
  )
SELECT
  date_add('millisecond', t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  t AS time,
  label,
  CASE
    WHEN quantile < 0 THEN CAST('-Infinity' AS double)
    WHEN quantile > 1 THEN CAST('Infinity' AS double)
    WHEN highest_upper < CAST('Infinity' AS double) OR last_i < 2 OR observations = 0 THEN CAST('NaN' AS double)
    WHEN i = last_i THEN lower
    WHEN i = 1 AND upper <= 0 THEN upper
    ELSE coalesce(lower, 0e0) + (upper - coalesce(lower, 0e0)) * ((quantile * observations - coalesce(below, 0e0)) / (n - coalesce(below, 0e0)))
  END AS quantile
FROM found
WHERE i = found_i
ORDER BY t, label
