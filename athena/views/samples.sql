-- A row a sample, without stale markers and duplicates. `datehour` belongs to what makes a row distinct, because only so a predicate on it
-- reaches the folders; copies in two hours of arrival stay two until they are compacted. `ts` is NULL outside of the years 1 to 9999.
-- '2000/01/01/00' is the hour from which on the lines are not compacted yet: compaction makes the view anew with a later one.
CREATE OR REPLACE VIEW samples AS
SELECT
  name,
  time,
  CASE WHEN time BETWEEN -62135596800000 AND 253402300799999
    THEN date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') END AS ts,
  value,
  labels,
  datehour
FROM (
  SELECT DISTINCT name, time, TRY_CAST(value AS double) AS value, labels, datehour
  FROM lines
  WHERE kind IS NULL AND stale IS NULL AND datehour >= '2000/01/01/00'
  UNION ALL
  SELECT name, time, value, labels, datehour
  FROM compacted
  WHERE kind IS NULL AND stale IS NULL AND datehour < '2000/01/01/00'
)
