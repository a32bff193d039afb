-- The share of its scrapes in which a target was up, and the share of the scrapes that were due of which there is a sample at all: the rest is time in
-- which nobody scraped it, or of which nothing arrived.
-- PromQL: avg_over_time(up[1h])
-- Parameters:
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   interval: seconds from one scrape to the next
-- Scans: samples (name, time, value, labels) of the metric up, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, value, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      15 /* interval */ * BIGINT '1000' AS interval_ms
    FROM samples
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, min_by(value, datehour) AS value, to_ms - from_ms AS span_ms, interval_ms
    FROM given
    WHERE name = 'up'
      AND datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
    GROUP BY labels, time, from_ms, to_ms, interval_ms
  )
SELECT
  element_at(labels, 'job') AS job,
  element_at(labels, 'instance') AS instance,
  labels,
  avg(value) AS up,
  least(1e0, CAST(count(*) AS double) * interval_ms / span_ms) AS seen,
  count(*) AS scrapes,
  count(*) - count(CASE WHEN value = 1 THEN 1 END) AS failed,
  date_add('millisecond', min(time), TIMESTAMP '1970-01-01 00:00:00.000') AS first_ts,
  date_add('millisecond', max(time), TIMESTAMP '1970-01-01 00:00:00.000') AS last_ts
FROM points
GROUP BY labels, span_ms, interval_ms
ORDER BY up, seen, job, instance
