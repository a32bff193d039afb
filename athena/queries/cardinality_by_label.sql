-- The labels of a metric, how many values each has, and how many series would be left without it: what to drop, if there are too many.
-- Parameters:
--   metric: its name
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms
    FROM samples
  ),
  series AS (
    SELECT DISTINCT labels
    FROM given
    WHERE name = 'http_requests_total' /* metric */
      AND datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
  )
SELECT label, count(DISTINCT element_at(labels, label)) AS label_values, count(*) AS series, min(element_at(labels, label)) AS an_example
FROM series
CROSS JOIN UNNEST(map_keys(labels)) AS names (label)
GROUP BY label
ORDER BY label_values DESC, label
