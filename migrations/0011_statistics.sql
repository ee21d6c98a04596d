-- Of devices with a space alone. While a tenant's devices are few in the planner's eyes (a thousand may just have been imported), an
-- index of all of them is as good as the one on their EUIs or owners, and then every device is read to find one.
DROP INDEX devices_space;
CREATE UNIQUE INDEX devices_space ON devices (tenant_id, space_id) WHERE deleted_at IS NULL AND space_id IS NOT NULL;

-- Nobody searches by what stands in these columns, and ANALYZE would unpack thirty thousand rows of them and count the elements of
-- each array, which at full load takes as much time as writing them.
ALTER TABLE sample_log ALTER COLUMN series SET STATISTICS 0, ALTER COLUMN ts SET STATISTICS 0,
                       ALTER COLUMN value SET STATISTICS 0;
ALTER TABLE sample_chunks ALTER COLUMN steps SET STATISTICS 0, ALTER COLUMN value SET STATISTICS 0;
ALTER TABLE uplinks ALTER COLUMN gateways SET STATISTICS 0, ALTER COLUMN payload SET STATISTICS 0,
                    ALTER COLUMN data SET STATISTICS 0;

-- Log and keys are found by their primary keys however many there are, and are gone within minutes or hours: statistics and maps of
-- what is visible help nobody. What is deleted from the log is still vacuumed as soon as there is some.
ALTER TABLE sample_log SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000,
                            autovacuum_vacuum_insert_threshold = -1);
DO $$
DECLARE
    slot int;
BEGIN
    FOR slot IN 0..2 LOOP
        EXECUTE format('ALTER TABLE batch_keys_%s SET (autovacuum_analyze_scale_factor = 0, '
                       'autovacuum_analyze_threshold = 1000000, autovacuum_vacuum_insert_threshold = -1)', slot);
    END LOOP;
END
$$;

-- As before, and without statistics on the same columns: a new table does not have its model's targets.
CREATE OR REPLACE FUNCTION make_partition(parent text, period int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    child text := format('%s_p%s', parent, period);
    since timestamptz := to_timestamp(period * 2592000::float8);
    until timestamptz := to_timestamp((period + 1) * 2592000::float8);
BEGIN
    IF parent NOT IN ('sample_chunks', 'uplinks') OR period NOT BETWEEN 0 AND 4000 THEN
        RAISE EXCEPTION 'no partitions for % in period %', parent, period USING ERRCODE = '22023';
    END IF;
    PERFORM pg_advisory_xact_lock(7310002);
    IF to_regclass('public.' || child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)',
                   child, parent);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
    IF parent = 'sample_chunks' THEN
        EXECUTE format('ALTER TABLE public.%I ALTER COLUMN steps SET STATISTICS 0, ALTER COLUMN value SET STATISTICS 0', child);
        EXECUTE format('ALTER TABLE public.sample_chunks ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       child, period * 2592000000000, (period + 1) * 2592000000000);
    ELSE
        EXECUTE format('ALTER TABLE public.%I ALTER COLUMN gateways SET STATISTICS 0, ALTER COLUMN payload SET STATISTICS 0, '
                       'ALTER COLUMN data SET STATISTICS 0', child);
        EXECUTE format('ALTER TABLE public.uplinks ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       child, since, until);
    END IF;
    RETURN true;
END
$$;
