-- Makes a partition known that is new. Where it is known already this does nothing, and move.sql, which follows, does it all.
-- TABLE_NAME is compacting, until the folder is verified, then compacted; SAMPLE_DAY and RUN_ID are those of write.sql.
ALTER TABLE TABLE_NAME ADD IF NOT EXISTS PARTITION (day = 'SAMPLE_DAY') LOCATION 's3://BUCKET/compacted/day=SAMPLE_DAY/run=RUN_ID/'
