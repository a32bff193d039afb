-- The metrics with the most series, and how many samples of them were stored: what costs most.
-- PromQL: topk(50, count by (__name__) (last_over_time({__name__=~".+"}[1h])))
-- Parameters:
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   most: how many metrics are shown
-- Scans: samples (name, time, value, labels) of all metrics, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms
    FROM samples
  )
SELECT name, count(DISTINCT labels) AS series, count(*) AS samples
FROM given
WHERE datehour >= '2026/11/20/09' /* datehour */
  AND time > from_ms AND time <= to_ms
GROUP BY name
ORDER BY series DESC, name
LIMIT 50 /* most */
