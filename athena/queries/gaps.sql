-- The holes in the series of a metric: where the next sample came later than so many scrapes. Where a stale marker follows, Prometheus saw the
-- series end (a target that was down, for one); where none does, samples are missing. The last hole of a series that ended has no end.
-- Parameters:
--   metric: its name
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   interval: seconds from one scrape to the next
--   scrapes: how many of them have to be missed
-- Scans: samples_raw (kind, name, time, stale, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT kind, name, labels, time, stale, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      15 /* interval */ * BIGINT '1000' AS interval_ms,
      3 /* scrapes */ AS scrapes
    FROM samples_raw
  ),
  -- Each sample once: copies of it can have arrived in several hours.
  points AS (
    SELECT labels, time, count(stale) AS markers, to_ms, interval_ms, scrapes
    FROM given
    WHERE kind IS NULL
      AND name = 'up' /* metric */
      AND datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
    GROUP BY labels, time, to_ms, interval_ms, scrapes
  ),
  followed AS (
    SELECT labels, time, markers, to_ms, interval_ms, scrapes,
      coalesce(lead(markers) OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time), 0) > 0 AS is_marked,
      min(CASE WHEN markers = 0 THEN time END)
        OVER (PARTITION BY array_sort(map_entries(labels)) ORDER BY time ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_time
    FROM points
  )
SELECT
  date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS last_ts,
  date_add('millisecond', next_time, TIMESTAMP '1970-01-01 00:00:00.000') AS next_ts,
  labels,
  CAST(coalesce(next_time, to_ms) - time AS double) / 1000 AS seconds,
  is_marked
FROM followed
WHERE markers = 0 AND coalesce(next_time, to_ms) - time > (scrapes + 1) * interval_ms
ORDER BY time
