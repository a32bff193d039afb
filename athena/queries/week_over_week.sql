-- Every series of a metric beside itself a week before: the averages of the same hour of both weeks, and by how much it grew.
-- PromQL: avg_over_time(node_load1[1h]) / avg_over_time(node_load1[1h] offset 1w)
-- Parameters:
--   metric: its name
--   datehour: the first folder that is read, at the latest that of `from` less the period less the window less an hour
--   from, to: the first and the last time to evaluate at, in UTC
--   window: seconds that an evaluation looks back; the next is that much later
--   period: seconds to what it is compared with, a multiple of the window
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      3600 /* window */ * BIGINT '1000' AS window_ms,
      604800 /* period */ * BIGINT '1000' AS period_ms
    FROM samples
  ),
  -- Each sample once: copies of it can have arrived in several hours. It lies in one window, which ends at t.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, from_ms, to_ms, period_ms,
      from_ms + window_ms * CAST(ceil(CAST(time - from_ms AS double) / window_ms) AS bigint) AS t
    FROM given
    WHERE name = 'node_load1' /* metric */
      AND datehour >= '2026/11/13/08' /* datehour */
      AND time > from_ms - period_ms - window_ms AND time <= to_ms
    GROUP BY labels, time, from_ms, to_ms, period_ms, window_ms
  ),
  averages AS (
    SELECT labels, t, from_ms, to_ms, period_ms, avg(value) AS average FROM points GROUP BY labels, t, from_ms, to_ms, period_ms
  )
SELECT
  date_add('millisecond', later.t, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  later.t AS time,
  later.labels,
  later.average,
  earlier.average AS average_before,
  later.average / earlier.average AS ratio
FROM averages AS later
LEFT JOIN averages AS earlier ON earlier.labels = later.labels AND earlier.t = later.t - later.period_ms
WHERE later.t >= later.from_ms AND later.t <= later.to_ms
ORDER BY later.t
