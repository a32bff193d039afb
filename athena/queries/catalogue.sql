-- What metrics there are: type, help and unit of each, how many series and samples it has, and when it was seen.
-- Parameters:
--   pattern: of names, for LIKE, in which _ is any character
--   datehour: the first folder that is read, at the latest that of `from` less an hour; metadata is written once an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
-- Scans: samples and histograms (name, time, labels), metadata (all columns), in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, kind,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms
    FROM (
      SELECT name, labels, time, 'sample' AS kind FROM samples WHERE datehour >= '2026/11/20/09' /* datehour */
      UNION ALL
      SELECT name, labels, time, 'native histogram' AS kind FROM histograms WHERE datehour >= '2026/11/20/09' /* datehour */
    )
    WHERE name LIKE '%' /* pattern */
  ),
  -- Remote write 1.0 has metadata by the name of the family, 2.0 by that of the series.
  metrics AS (
    SELECT name, regexp_replace(name, '_(bucket|sum|count|total)$', '') AS family, min(kind) AS kind,
      count(DISTINCT labels) AS series, count(*) AS samples, min(time) AS first_time, max(time) AS last_time
    FROM given
    WHERE time > from_ms AND time <= to_ms
    GROUP BY name
  ),
  described AS (
    SELECT name, max_by(type, time) AS type, max_by(help, time) AS help, max_by(unit, time) AS unit
    FROM metadata
    WHERE datehour >= '2026/11/20/09' /* datehour */
    GROUP BY name
  )
SELECT m.name, m.kind,
  coalesce(own.type, family.type, 'unknown') AS type,
  coalesce(own.help, family.help, '') AS help,
  coalesce(own.unit, family.unit, '') AS unit,
  m.series, m.samples,
  date_add('millisecond', m.first_time, TIMESTAMP '1970-01-01 00:00:00.000') AS first_ts,
  date_add('millisecond', m.last_time, TIMESTAMP '1970-01-01 00:00:00.000') AS last_ts
FROM metrics AS m
LEFT JOIN described AS own ON own.name = m.name
LEFT JOIN described AS family ON family.name = m.family
ORDER BY m.name
