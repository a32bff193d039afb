-- Notes the hour from which on lines are not compacted, once all views have it, and of the day before it when the run began that compacted it:
-- only objects that were there by then are known to be compacted. Compaction goes on from there.
-- STARTED is a time as 2026-11-30T00:00:00.000Z.
ALTER TABLE compacted SET TBLPROPERTIES ('compacted_before' = '2000/01/01/00', 'compacted_objects' = '2000/01/01/00 STARTED')
