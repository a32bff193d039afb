-- A row a line, of every kind. `value` is the line's own text; of a compacted sample, the number's text as Athena writes it. The cheap one.
-- '2000/01/01/00' is the hour from which on the lines are not compacted yet: compaction makes the view anew with a later one.
CREATE OR REPLACE VIEW samples_raw AS
SELECT kind, name, time, start, value, stale, bits, labels, histogram, exemplar, metadata, datehour
FROM lines
WHERE datehour >= '2000/01/01/00'
UNION ALL
SELECT kind, name, time, start, CAST(value AS varchar) AS value, stale, bits, labels, histogram, exemplar, metadata, datehour
FROM compacted
WHERE datehour < '2000/01/01/00'
