-- A row an exemplar, without duplicates. `labels` are those of its series, `exemplar_labels` its own.
-- '2000/01/01/00' is the hour from which on the lines are not compacted yet: compaction makes the view anew with a later one.
CREATE OR REPLACE VIEW exemplars AS
SELECT
  name,
  time,
  CASE WHEN time BETWEEN -62135596800000 AND 253402300799999
    THEN date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') END AS ts,
  value,
  exemplar_labels,
  labels,
  datehour
FROM (
  SELECT DISTINCT name, time, TRY_CAST(exemplar.value AS double) AS value, exemplar.labels AS exemplar_labels, labels, datehour
  FROM (
    SELECT kind, name, time, exemplar, labels, datehour FROM lines WHERE datehour >= '2000/01/01/00'
    UNION ALL
    SELECT kind, name, time, exemplar, labels, datehour FROM compacted WHERE datehour < '2000/01/01/00'
  )
  WHERE kind = 'exemplar'
)
