-- Points a partition to the folder that write.sql wrote. Readers of compacted see it from here on; what arrived on the day that is being
-- compacted stays hidden behind the hour in their views, which come next.
-- TABLE_NAME, SAMPLE_DAY and RUN_ID are those of add.sql.
ALTER TABLE TABLE_NAME PARTITION (day = 'SAMPLE_DAY') SET LOCATION 's3://BUCKET/compacted/day=SAMPLE_DAY/run=RUN_ID/'
