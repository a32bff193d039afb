-- What compaction made of the lines of whole days: no two rows the same, `value` a number, a partition a day of samples (UTC), which is not
-- the day of arrival. `datehour` is the first hour in which a line arrived. Put the bucket's name in the place of BUCKET.
-- `compacted_before` is the hour from which on the lines are not compacted yet; compaction sets it.
CREATE EXTERNAL TABLE IF NOT EXISTS compacted (
  `kind` string,
  `name` string,
  `time` bigint,
  `start` bigint,
  `value` double,
  `stale` boolean,
  `bits` string,
  `labels` map<string,string>,
  `histogram` struct<`type`:string,`stale`:boolean,`count`:string,`count_bits`:string,`sum`:string,`sum_bits`:string,`schema`:bigint,`zero_threshold`:string,`zero_threshold_bits`:string,`zero_count`:string,`zero_count_bits`:string,`positive_spans`:array<array<bigint>>,`positive_deltas`:array<bigint>,`positive_counts`:array<string>,`positive_counts_bits`:array<array<string>>,`negative_spans`:array<array<bigint>>,`negative_deltas`:array<bigint>,`negative_counts`:array<string>,`negative_counts_bits`:array<array<string>>,`custom_values`:array<string>,`custom_values_bits`:array<array<string>>,`reset_hint`:string>,
  `exemplar` struct<`value`:string,`bits`:string,`labels`:map<string,string>>,
  `metadata` struct<`type`:string,`help`:string,`unit`:string>,
  `datehour` string
)
PARTITIONED BY (`day` string)
STORED AS PARQUET
LOCATION 's3://BUCKET/compacted/'
TBLPROPERTIES ('compacted_before' = '2000/01/01/00')
