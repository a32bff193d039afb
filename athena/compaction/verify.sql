-- How many rows of a day of samples are not as they should be in the folder that write.sql wrote, to which the table `compacting` points:
-- missing, double, strange, or of another hour, start or bits. Anything but 0 stops the compaction before a reader sees the folder.
-- ARRIVAL_DAY and SAMPLE_DAY are those of write.sql.
SELECT count(*) AS wrong
FROM (
  SELECT name
  FROM (
    SELECT
      0 AS written, kind, name, time, start, TRY_CAST(value AS double) AS value, stale, bits, labels, histogram, exemplar, metadata, datehour
    FROM lines
    WHERE datehour BETWEEN 'ARRIVAL_DAY/00' AND 'ARRIVAL_DAY/23'
      AND 'SAMPLE_DAY' = CASE WHEN time BETWEEN 0 AND 7258118399999
        THEN CAST(CAST(date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS date) AS varchar) ELSE 'other' END
    UNION ALL
    SELECT 0 AS written, kind, name, time, start, value, stale, bits, labels, histogram, exemplar, metadata, datehour
    FROM compacted
    WHERE day = 'SAMPLE_DAY'
    UNION ALL
    SELECT 1 AS written, kind, name, time, start, value, stale, bits, labels, histogram, exemplar, metadata, datehour
    FROM compacting
    WHERE day = 'SAMPLE_DAY'
  )
  GROUP BY kind, name, time, CASE WHEN kind IS NOT NULL THEN start END, value, stale, labels, histogram, exemplar, metadata
  HAVING sum(written) <> 1
    OR min(datehour) FILTER (WHERE written = 0) IS DISTINCT FROM min(datehour) FILTER (WHERE written = 1)
    OR max(start) FILTER (WHERE written = 0) IS DISTINCT FROM max(start) FILTER (WHERE written = 1)
    OR min(bits) FILTER (WHERE written = 0) IS DISTINCT FROM min(bits) FILTER (WHERE written = 1)
)
