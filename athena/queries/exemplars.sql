-- The exemplars of a metric with the greatest values, and the traces that they name: what the slowest requests were.
-- Parameters:
--   metric: the name of the series that have them, such as a histogram's buckets
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   above: only values greater than this
--   trace: the exemplar's label that names the trace
--   most: how many are shown
-- Scans: exemplars (all columns) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, time, value, exemplar_labels, labels, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms
    FROM exemplars
  )
SELECT
  date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS ts,
  value,
  element_at(exemplar_labels, 'trace_id' /* trace */) AS trace,
  exemplar_labels,
  labels
FROM given
WHERE name = 'http_request_duration_seconds_bucket' /* metric */
  AND datehour >= '2026/11/20/09' /* datehour */
  AND time > from_ms AND time <= to_ms
  AND value > 0.5e0 /* above */ AND NOT is_nan(value)
GROUP BY time, value, exemplar_labels, labels
ORDER BY value DESC, time DESC
LIMIT 100 /* most */
