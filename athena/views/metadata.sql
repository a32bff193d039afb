-- A row for each distinct name, type, help, unit and hour of arrival; `time` and `ts` are its first arrival in that hour.
-- '2000/01/01/00' is the hour from which on the lines are not compacted yet: compaction makes the view anew with a later one.
CREATE OR REPLACE VIEW metadata AS
SELECT
  name,
  time,
  CASE WHEN time BETWEEN -62135596800000 AND 253402300799999
    THEN date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') END AS ts,
  type,
  help,
  unit,
  datehour
FROM (
  SELECT name, min(time) AS time, metadata.type AS type, metadata.help AS help, metadata.unit AS unit, datehour
  FROM (
    SELECT kind, name, time, metadata, datehour FROM lines WHERE datehour >= '2000/01/01/00'
    UNION ALL
    SELECT kind, name, time, metadata, datehour FROM compacted WHERE datehour < '2000/01/01/00'
  )
  WHERE kind = 'metadata'
  GROUP BY name, metadata.type, metadata.help, metadata.unit, datehour
)
