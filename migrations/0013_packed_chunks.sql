-- Chunks in fewer bytes: steps and decimal values as integers above their smallest, each in as many bytes as the widest needs, where
-- arrays took 4 bytes a step and 8 a value before compression, which finds little in either. Older chunks stay as they are
-- until they are merged. The checks read each chunk once; no installation holds more than a trial's data yet.
ALTER TABLE sample_chunks ALTER COLUMN samples DROP EXPRESSION;
ALTER TABLE sample_chunks
    ALTER COLUMN steps DROP NOT NULL,
    ALTER COLUMN value DROP NOT NULL,
    ADD packed_steps bytea,
    ADD packed_values bytea,
    ADD CONSTRAINT sample_chunks_forms
        CHECK ((steps IS NULL) <> (packed_steps IS NULL) AND (value IS NULL) <> (packed_values IS NULL)),
    ADD CONSTRAINT sample_chunks_samples
        CHECK (samples > 0 AND samples = cardinality(value)
               AND substr(packed_steps, 3, 4) = int4send(samples - 1) AND substr(packed_values, 3, 4) = int4send(samples));
ALTER TABLE sample_chunks ALTER COLUMN packed_steps SET STATISTICS 0, ALTER COLUMN packed_values SET STATISTICS 0;

-- The nth of packed integers, counted from 1: width, scale, count (4 bytes), smallest (8 bytes), then what each has above it.
CREATE FUNCTION packed_integer(packed bytea, n int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('x' || encode(substr($1, 7, 8), 'hex'))::bit(64)::bigint
         + CASE get_byte($1, 0)
           WHEN 0 THEN 0
           WHEN 1 THEN get_byte($1, 13 + $2)
           WHEN 2 THEN (get_byte($1, 12 + 2 * $2) << 8) + get_byte($1, 13 + 2 * $2)
           WHEN 3 THEN (get_byte($1, 11 + 3 * $2) << 16) + (get_byte($1, 12 + 3 * $2) << 8) + get_byte($1, 13 + 3 * $2)
           ELSE ('x' || encode(substr($1, 15 + get_byte($1, 0) * ($2 - 1), get_byte($1, 0)), 'hex'))::bit(64)::bigint
                >> (64 - 8 * get_byte($1, 0))
                & CASE get_byte($1, 0) WHEN 4 THEN 4294967295 ELSE -1 END
           END
$$;

-- The same as the decimal that it stands for. (Powers from an array: what makes text of a number is not immutable to the planner, and
-- then the function is called for each sample instead of becoming part of the query.)
CREATE FUNCTION packed_number(packed bytea, n int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT packed_integer($1, $2)::float8
         / ('{1,1e1,1e2,1e3,1e4,1e5,1e6,1e7,1e8,1e9,1e10,1e11,1e12,1e13,1e14,1e15}'::float8[])[get_byte($1, 1) + 1]
$$;

DROP VIEW samples;
DROP FUNCTION samples_between(bigint, bigint);
DROP FUNCTION chunk_samples(bigint, int, int[], float8[]);

-- What is appended to each column is nothing; it unpacks the column once instead of once a sample. An array that is not there becomes
-- an empty one by it, so the packed columns are asked first.
CREATE FUNCTION chunk_samples(c sample_chunks) RETURNS TABLE (ts bigint, value float8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT c.starts_at + c.unit::bigint * coalesce(
               sum(CASE WHEN p.packed_steps IS NOT NULL THEN packed_integer(p.packed_steps, n - 1)
                        WHEN cardinality(p.steps) = 1 THEN p.steps[1]
                        WHEN cardinality(p.steps) < c.samples THEN p.steps[n - 1]
                        ELSE (p.steps[2 * n - 3]::bigint << 31) + p.steps[2 * n - 2] END)
               FILTER (WHERE n > 1) OVER (ORDER BY n), 0)::bigint,
           CASE WHEN p.packed_values IS NOT NULL THEN packed_number(p.packed_values, n) ELSE p.value[n] END
      FROM (SELECT c.steps || '{}'::int[] AS steps, c.packed_steps || ''::bytea AS packed_steps,
                   c.value || '{}'::float8[] AS value, c.packed_values || ''::bytea AS packed_values OFFSET 0) p,
           generate_series(1, c.samples) AS n
$$;

-- As before.
CREATE VIEW samples WITH (security_invoker = true) AS
SELECT tenant_id, series_id, to_timestamp(ts / 1e6) AS at, ts, value
  FROM (SELECT DISTINCT ON (tenant_id, series_id, ts) tenant_id, series_id, ts, value
          FROM (SELECT c.tenant_id, c.series_id, s.ts, s.value, 0::bigint AS accepted, 0::bigint AS place
                  FROM sample_chunks c, LATERAL chunk_samples(c) s
                UNION ALL
                SELECT l.tenant_id, s.series_id, s.ts, s.value, l.id, s.place
                  FROM sample_log l,
                       LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS s (series_id, ts, value, place)) held
         ORDER BY tenant_id, series_id, ts, accepted, place) once;
GRANT SELECT ON samples TO pulsegate_query, pulsegate_system;

CREATE FUNCTION samples_between(from_ts bigint, to_ts bigint)
RETURNS TABLE (tenant_id int, series_id int, ts bigint, value float8) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (tenant_id, series_id, ts) tenant_id, series_id, ts, value
      FROM (SELECT c.tenant_id, c.series_id, s.ts, s.value, 0::bigint AS accepted, 0::bigint AS place
              FROM sample_chunks c, LATERAL chunk_samples(c) s
             WHERE c.starts_at >= from_ts / 2592000000000 * 2592000000000 AND c.starts_at < to_ts AND c.ends_at >= from_ts
            UNION ALL
            SELECT l.tenant_id, s.series_id, s.ts, s.value, l.id, s.place
              FROM sample_log l,
                   LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS s (series_id, ts, value, place)) held
     WHERE ts >= from_ts AND ts < to_ts
     ORDER BY tenant_id, series_id, ts, accepted, place
$$;

-- As before, and with the parent's statistics targets whatever they are: a new table does not have its model's.
CREATE OR REPLACE FUNCTION make_partition(parent text, period int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    child text := format('%s_p%s', parent, period);
    since timestamptz := to_timestamp(period * 2592000::float8);
    until timestamptz := to_timestamp((period + 1) * 2592000::float8);
    set_column name;
    target int;
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
    FOR set_column, target IN SELECT attname, attstattarget FROM pg_attribute
                               WHERE attrelid = format('public.%I', parent)::regclass AND attnum > 0 AND NOT attisdropped
                                 AND attstattarget >= 0 LOOP
        EXECUTE format('ALTER TABLE public.%I ALTER COLUMN %I SET STATISTICS %s', child, set_column, target);
    END LOOP;
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
