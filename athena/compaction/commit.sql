-- Notes the hour from which on lines are not compacted, once all views have it. Compaction goes on from there.
ALTER TABLE compacted SET TBLPROPERTIES ('compacted_before' = '2000/01/01/00')
