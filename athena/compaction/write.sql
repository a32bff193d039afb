-- Writes one day of samples anew, into a folder that nobody reads yet: what is compacted of it and what of it arrived on one day, once each.
-- Copies are lines that the view `samples` cannot tell apart, or that are the same in all they have; the first hour of arrival stays, and of
-- samples the latest start. Rows of a metric and of a series lie together: UNLOAD sorts within each of its files. Doing it again is harmless.
-- ARRIVAL_DAY is a folder of a day, as 2026/11/20; SAMPLE_DAY a partition, as 2026-11-20; RUN_ID a name that was never used before.
UNLOAD (
  SELECT
    kind, name, time, max(start) AS start, value, stale, min(bits) AS bits, labels, histogram, exemplar, metadata,
    min(datehour) AS datehour
  FROM (
    SELECT kind, name, time, start, TRY_CAST(value AS double) AS value, stale, bits, labels, histogram, exemplar, metadata, datehour
    FROM lines
    WHERE datehour BETWEEN 'ARRIVAL_DAY/00' AND 'ARRIVAL_DAY/23'
      AND 'SAMPLE_DAY' = CASE WHEN time BETWEEN 0 AND 7258118399999
        THEN CAST(CAST(date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS date) AS varchar) ELSE 'other' END
    UNION ALL
    SELECT kind, name, time, start, value, stale, bits, labels, histogram, exemplar, metadata, datehour
    FROM compacted
    WHERE day = 'SAMPLE_DAY'
  )
  GROUP BY kind, name, time, CASE WHEN kind IS NOT NULL THEN start END, value, stale, labels, histogram, exemplar, metadata
  ORDER BY name, json_format(CAST(labels AS json)), time
) TO 's3://BUCKET/compacted/day=SAMPLE_DAY/run=RUN_ID/' WITH (format = 'PARQUET', compression = 'ZSTD')
