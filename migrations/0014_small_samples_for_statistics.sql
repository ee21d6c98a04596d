-- Rows of these are found by their keys, whatever else the planner knows of them, and in tables that grow all day ANALYZE would read
-- thirty thousand rows time and again: a tenth of a second of a processor, in which uplinks wait. Three thousand say enough.
DO $$
DECLARE
    named regclass;
    set_column name;
BEGIN
    FOR named, set_column IN
        SELECT a.attrelid, a.attname
          FROM pg_attribute a
         WHERE a.attrelid IN (SELECT unnest(ARRAY['uplinks', 'sample_chunks', 'uplink_keys', 'device_states', 'device_epochs']::regclass[])
                              UNION ALL
                              SELECT inhrelid FROM pg_inherits
                               WHERE inhparent IN ('uplinks'::regclass, 'sample_chunks'::regclass))
           AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget < 0
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 10', named, set_column);
    END LOOP;
END
$$;
