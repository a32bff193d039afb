-- What values a label of a metric had, and when: the version of a program a year ago, or the day that it changed. By the value of another label, a
-- row for each time that a value was there without a break.
-- Parameters:
--   metric: its name
--   label: the label whose values are wanted
--   by: the label that tells apart what the values are of
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   pause: seconds without a sample after which a value counts as gone
-- Scans: samples (name, time, value, labels) of the metric, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      300 /* pause */ * BIGINT '1000' AS pause_ms
    FROM samples
  ),
  points AS (
    SELECT DISTINCT
      coalesce(element_at(labels, 'instance' /* by */), '') AS who,
      coalesce(element_at(labels, 'version' /* label */), '') AS label_value,
      time,
      pause_ms
    FROM given
    WHERE name = 'prometheus_build_info' /* metric */
      AND datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
  ),
  begins AS (
    SELECT who, label_value, time,
      CASE WHEN time - lag(time) OVER (PARTITION BY who, label_value ORDER BY time) <= pause_ms THEN 0 ELSE 1 END AS is_begin
    FROM points
  ),
  runs AS (
    SELECT who, label_value, time,
      sum(is_begin) OVER (PARTITION BY who, label_value ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
    FROM begins
  )
SELECT
  who,
  label_value,
  date_add('millisecond', min(time), TIMESTAMP '1970-01-01 00:00:00.000') AS first_ts,
  date_add('millisecond', max(time), TIMESTAMP '1970-01-01 00:00:00.000') AS last_ts,
  count(*) AS times
FROM runs
GROUP BY who, label_value, run
ORDER BY who, min(time), label_value
