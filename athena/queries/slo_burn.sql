-- How fast the error budget of a service burns, over several windows up to a time: 1 is as fast as the objective allows, 14.4 over an hour what is
-- usually paged for. For each value of a label.
-- PromQL: sum by (job) (rate(http_requests_total{code=~"5.."}[1h])) / sum by (job) (rate(http_requests_total[1h])) / (1 - 0.999)
-- Parameters:
--   metric: the counter of all requests
--   code, errors: the label that tells errors, and the pattern (LIKE) of its value
--   by: the label; series without it count as those whose value is empty
--   datehour: the first folder that is read, at the latest that of `at` less the longest window less an hour
--   at: the time to look back from, in UTC
--   window_1, window_2, window_3, window_4: seconds, the longest last
--   objective: the share of requests that are to be good
--   period: seconds that the budget is for
--   prometheus: as in rate.sql
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* at */) AS at_ms,
      3 /* prometheus */ AS version
    FROM samples
  ),
  spans (window_ms) AS (
    SELECT seconds * BIGINT '1000'
    FROM (VALUES (300 /* window_1 */), (3600 /* window_2 */), (21600 /* window_3 */), (259200 /* window_4 */)) AS v (seconds)
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, at_ms, version
    FROM given
    WHERE name = 'http_requests_total' /* metric */
      AND datehour >= '2026/11/17/08' /* datehour */
      AND time >= at_ms - (SELECT max(window_ms) FROM spans) AND time <= at_ms
    GROUP BY labels, time, at_ms, version
  ),
  neighbours AS (
    SELECT labels, time, value, at_ms, version,
      lag(time) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_time,
      lag(value) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time) AS previous_value
    FROM points
  ),
  -- A row for each window in which a sample lies. What a reset lost is what was there before it.
  covered AS (
    SELECT labels, at_ms AS t, time, value, window_ms, version,
      CASE
        WHEN previous_time >= at_ms - window_ms + CASE version WHEN 2 THEN 0 ELSE 1 END
          AND value < previous_value AND NOT is_nan(value) AND NOT is_nan(previous_value) THEN previous_value
        ELSE 0e0
      END AS lost
    FROM neighbours
    CROSS JOIN spans
    WHERE time >= at_ms - window_ms + CASE version WHEN 2 THEN 0 ELSE 1 END
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
  shares AS (
    SELECT coalesce(element_at(labels, 'job' /* by */), '') AS label, seconds,
      sum(CASE WHEN element_at(labels, 'code' /* code */) LIKE '5%' /* errors */ THEN gain * factor ELSE 0e0 END) AS errors,
      sum(gain * factor) AS requests,
      0.999e0 /* objective */ AS objective,
      2592000 /* period */ AS period
    FROM increases
    GROUP BY coalesce(element_at(labels, 'job' /* by */), ''), seconds
  )
SELECT label, seconds AS window_seconds, errors, requests,
  errors / requests AS error_rate,
  errors / requests / (1 - objective) AS burn_rate,
  errors / requests / (1 - objective) * seconds / period AS budget_spent
FROM shares
ORDER BY label, seconds
