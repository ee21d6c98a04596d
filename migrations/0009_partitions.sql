-- Partitions by periods of 30 days, counted from the Unix epoch. Processes own nothing, so an owner's function makes them.
-- A partition is made apart and then attached: creating it in place would lock out every reader of the parent.

CREATE FUNCTION make_partition(parent text, period int) RETURNS boolean
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
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', child);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', child);
    IF parent = 'sample_chunks' THEN
        EXECUTE format('ALTER TABLE public.sample_chunks ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       child, period * 2592000000000, (period + 1) * 2592000000000);
    ELSE
        EXECUTE format('ALTER TABLE public.uplinks ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       child, since, until);
    END IF;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION make_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partition TO pulsegate_system;

-- The periods around now; each process makes the coming ones long before they begin. What is older than these lies in
-- the default partitions.
DO $$
DECLARE
    this_period int := floor(extract(epoch FROM now()) / 2592000);
BEGIN
    FOR period IN this_period - 3 .. this_period + 2 LOOP
        PERFORM make_partition('sample_chunks', period);
        PERFORM make_partition('uplinks', period);
    END LOOP;
END
$$;
