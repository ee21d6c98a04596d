-- How many samples a row of the log and a chunk hold, so that nobody has to decompress arrays to count them: compaction looks
-- at it to decide what is worth condensing, merging to find what is still small.
-- Both columns rewrite their table; no installation holds more than a trial's data yet.
ALTER TABLE sample_log ADD COLUMN samples int NOT NULL GENERATED ALWAYS AS (cardinality(ts)) STORED;
ALTER TABLE sample_chunks ADD COLUMN samples int NOT NULL GENERATED ALWAYS AS (cardinality(value)) STORED;

-- Chunks that merging still looks at; the others are not in it.
CREATE INDEX sample_chunks_small ON sample_chunks (tenant_id, series_id, starts_at) INCLUDE (samples) WHERE samples < 350;

-- A log row lives for minutes, so what counts is how fast it is written: lz4 takes a tenth of pglz's time. Chunks keep pglz,
-- which packs numbers with two decimals closer. A server built without lz4 keeps pglz for both.
DO $$
BEGIN
    ALTER TABLE sample_log ALTER COLUMN series SET COMPRESSION lz4,
                           ALTER COLUMN ts SET COMPRESSION lz4, ALTER COLUMN value SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this server has no lz4; the log is compressed by pglz';
END
$$;

-- As before, and with generated columns: a table without them can't be attached any more.
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
        EXECUTE format('ALTER TABLE public.sample_chunks ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       child, period * 2592000000000, (period + 1) * 2592000000000);
    ELSE
        EXECUTE format('ALTER TABLE public.uplinks ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       child, since, until);
    END IF;
    RETURN true;
END
$$;

-- Sensors send once an hour and stamp it to the microsecond. Such steps don't fit an int4, and a chunk for each sample would
-- cost twenty times what it should: where one step is too wide, all of the chunk's steps are pairs, high * 2^31 + low.
DO $$
DECLARE
    relation regclass;
BEGIN
    -- Partitions have the constraint in their own right too.
    FOR relation IN SELECT 'sample_chunks'::regclass
                    UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = 'sample_chunks'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS sample_chunks_check', relation);
    END LOOP;
END
$$;
ALTER TABLE sample_chunks ADD CONSTRAINT sample_chunks_steps
    CHECK (cardinality(steps) IN (cardinality(value) - 1, 1, 2 * (cardinality(value) - 1)));

CREATE OR REPLACE FUNCTION chunk_samples(starts_at bigint, unit int, steps int[], value float8[])
RETURNS TABLE (ts bigint, value float8) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT $1 + $2::bigint * CASE WHEN cardinality($3) = 1 THEN $3[1] * (v.n - 1)
                                  ELSE coalesce(sum(CASE WHEN cardinality($3) < cardinality($4) THEN $3[v.n - 1]::bigint
                                                         ELSE ($3[2 * v.n - 3]::bigint << 31) + $3[2 * v.n - 2] END)
                                                OVER (ORDER BY v.n), 0)::bigint END,
           v.value
      FROM unnest($4) WITH ORDINALITY AS v (value, n)
$$;
