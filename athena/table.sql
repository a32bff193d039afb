-- The archive as Firehose lays it down: a row a line. Put the bucket's name in the place of BUCKET, twice.
-- A line's fields are those of docs/record.md; what may be a number or a word ("NaN") is a string, because Hive's SerDe, which is the one
-- that maps need, fails a query on a word in a double column. `datehour` is the folder, an hour of arrival: a query reads only the folders
-- that its predicate on datehour lets through. The range's begin is the oldest hour that there can be.
CREATE EXTERNAL TABLE IF NOT EXISTS lines (
  `kind` string,
  `name` string,
  `time` bigint,
  `start` bigint,
  `value` string,
  `stale` boolean,
  `bits` string,
  `labels` map<string,string>,
  `histogram` struct<`type`:string,`stale`:boolean,`count`:string,`count_bits`:string,`sum`:string,`sum_bits`:string,`schema`:bigint,`zero_threshold`:string,`zero_threshold_bits`:string,`zero_count`:string,`zero_count_bits`:string,`positive_spans`:array<array<bigint>>,`positive_deltas`:array<bigint>,`positive_counts`:array<string>,`positive_counts_bits`:array<array<string>>,`negative_spans`:array<array<bigint>>,`negative_deltas`:array<bigint>,`negative_counts`:array<string>,`negative_counts_bits`:array<array<string>>,`custom_values`:array<string>,`custom_values_bits`:array<array<string>>,`reset_hint`:string>,
  `exemplar` struct<`value`:string,`bits`:string,`labels`:map<string,string>>,
  `metadata` struct<`type`:string,`help`:string,`unit`:string>
)
PARTITIONED BY (`datehour` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://BUCKET/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.datehour.type' = 'date',
  'projection.datehour.format' = 'yyyy/MM/dd/HH',
  'projection.datehour.range' = '2026/01/01/00,NOW',
  'projection.datehour.interval' = '1',
  'projection.datehour.interval.unit' = 'HOURS',
  'storage.location.template' = 's3://BUCKET/${datehour}/'
)
