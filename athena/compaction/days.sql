-- The days of samples that an arrival day's lines belong to, which are the partitions that its compaction writes anew: the UTC day of `time`
-- from 1970 to 2199, else 'other'. It reads the arrival day's lines.
-- ARRIVAL_DAY is a folder of a day, as 2026/11/20.
SELECT DISTINCT
  CASE WHEN time BETWEEN 0 AND 7258118399999
    THEN CAST(CAST(date_add('millisecond', time, TIMESTAMP '1970-01-01 00:00:00.000') AS date) AS varchar) ELSE 'other' END AS day
FROM lines
WHERE datehour BETWEEN 'ARRIVAL_DAY/00' AND 'ARRIVAL_DAY/23'
ORDER BY 1
