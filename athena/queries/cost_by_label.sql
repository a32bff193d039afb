-- What each value of a label costs: its samples, their share, and an estimate of bytes stored and of dollars, for the span and, at that rate, for a
-- month of 30 days.
-- Parameters:
--   by: the label; series without it count as those whose value is empty
--   datehour: the first folder that is read, at the latest that of `from` less an hour
--   from, to: the begin, which does not belong to it, and the end of the span, in UTC
--   bytes_per_sample: bytes that a sample takes in S3
--   dollars_per_gb_month: what S3 takes for a GB (10^9 bytes) that lies there for a month
--   dollars_per_million_samples: what Kinesis and Firehose take for a million samples; the README's table of packings has it
-- Scans: samples (name, time, value, labels) of all metrics, in the folders from datehour on.
WITH
  given AS (
    SELECT name, labels, time, datehour,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 10:00:00' /* from */) AS from_ms,
      date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', TIMESTAMP '2026-11-20 11:00:00' /* to */) AS to_ms,
      15.7e0 /* bytes_per_sample */ AS bytes_per_sample,
      0.023e0 /* dollars_per_gb_month */ AS dollars_per_gb_month,
      0.05e0 /* dollars_per_million_samples */ AS dollars_per_million_samples
    FROM samples
  ),
  counts AS (
    SELECT coalesce(element_at(labels, 'job' /* by */), '') AS label, count(*) AS samples, count(DISTINCT labels) AS series,
      max(bytes_per_sample) AS bytes_per_sample, max(dollars_per_gb_month) AS dollars_per_gb_month,
      max(dollars_per_million_samples) AS dollars_per_million_samples,
      2592000000e0 / max(to_ms - from_ms) AS spans_a_month
    FROM given
    WHERE datehour >= '2026/11/20/09' /* datehour */
      AND time > from_ms AND time <= to_ms
    GROUP BY coalesce(element_at(labels, 'job' /* by */), '')
  )
SELECT label, series, samples,
  CAST(samples AS double) / sum(samples) OVER () AS share,
  samples * bytes_per_sample AS bytes,
  samples / 1e6 * dollars_per_million_samples AS dollars_to_bring,
  samples * spans_a_month / 1e6 * dollars_per_million_samples AS dollars_to_bring_a_month,
  samples * spans_a_month * bytes_per_sample / 1e9 * dollars_per_gb_month AS dollars_to_keep_a_month_of_it
FROM counts
ORDER BY samples DESC, label
