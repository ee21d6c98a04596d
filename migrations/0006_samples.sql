-- Time series: series, the log that requests append to, and the chunks that compaction makes of it.
-- No foreign keys from log and chunks: they would lock their parents' rows at every insertion.

CREATE TABLE series (
    tenant_id  int NOT NULL,
    id         int GENERATED ALWAYS AS IDENTITY,
    owner_id   int NOT NULL,
    metric     text COLLATE "C" NOT NULL,
    labels     jsonb NOT NULL DEFAULT '{}',
    identity   uuid NOT NULL, -- first 16 bytes of SHA-256 over metric and sorted labels: jsonb is too long for an index row
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner_id, identity)
);
CREATE INDEX series_metric ON series (tenant_id, metric, id);
CALL fence('series');
GRANT SELECT, INSERT ON series TO pulsegate_ingest;
GRANT SELECT ON series TO pulsegate_query;
GRANT SELECT, INSERT ON series TO pulsegate_system;

-- Labels by key and value, since containment on jsonb is not leakproof and so would not use an index behind a policy.
CREATE TABLE series_labels (
    tenant_id int NOT NULL,
    key       text COLLATE "C" NOT NULL,
    value     text COLLATE "C" NOT NULL,
    series_id int NOT NULL,
    PRIMARY KEY (tenant_id, key, value, series_id)
);
CALL fence('series_labels');
GRANT SELECT, INSERT ON series_labels TO pulsegate_ingest, pulsegate_system;
GRANT SELECT ON series_labels TO pulsegate_query;

-- The number of a tenant's series, locked while new ones are made, so that the plan's bound is exact.
CREATE TABLE series_counts (
    tenant_id int PRIMARY KEY,
    count     int NOT NULL DEFAULT 0 CHECK (count >= 0)
) WITH (fillfactor = 50);
CALL fence('series_counts');
GRANT SELECT, INSERT, UPDATE ON series_counts TO pulsegate_ingest, pulsegate_system;
GRANT SELECT ON series_counts TO pulsegate_query;

-- One row for each accepted request. The identity is the order of acceptance: of two samples of one series and time,
-- the one in the lower id counts, and within a request the one that stands first.
CREATE TABLE sample_log (
    tenant_id   int NOT NULL,
    owner_id    int NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL DEFAULT now(),
    series      int[] NOT NULL,
    ts          bigint[] NOT NULL, -- microseconds since the Unix epoch
    value       float8[] NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, id),
    CHECK (cardinality(series) = cardinality(ts) AND cardinality(series) = cardinality(value))
) WITH (
    -- Compaction empties this table all day long; vacuum it by rows, not by a share of a size that says nothing.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000
);
CALL fence('sample_log');
GRANT INSERT ON sample_log TO pulsegate_ingest;
GRANT SELECT ON sample_log TO pulsegate_query;
GRANT SELECT, INSERT, DELETE ON sample_log TO pulsegate_system;

-- The keys of requests accepted during the last hour and the one before, apart from the payloads, in a ring of three
-- slots: the current, the one before, and an empty one that comes next.
CREATE TABLE batch_keys (
    tenant_id int NOT NULL,
    owner_id  int NOT NULL,
    key       uuid NOT NULL,
    slot      smallint NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, key, slot)
) PARTITION BY LIST (slot);
CREATE TABLE batch_keys_0 PARTITION OF batch_keys FOR VALUES IN (0);
CREATE TABLE batch_keys_1 PARTITION OF batch_keys FOR VALUES IN (1);
CREATE TABLE batch_keys_2 PARTITION OF batch_keys FOR VALUES IN (2);
CALL fence('batch_keys');
CALL fence('batch_keys_0'); -- a partition does not inherit its parent's policies; nothing is granted on it either
CALL fence('batch_keys_1');
CALL fence('batch_keys_2');
GRANT SELECT, INSERT ON batch_keys TO pulsegate_ingest, pulsegate_system;

CREATE TABLE batch_key_ring (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    slot      smallint NOT NULL CHECK (slot BETWEEN 0 AND 2),
    turned_at timestamptz NOT NULL
);
INSERT INTO batch_key_ring (slot, turned_at) VALUES (0, now());
GRANT SELECT ON batch_key_ring TO pulsegate_ingest, pulsegate_system;

-- Turns the ring when its slot is an hour old. The SHARE lock waits for every writer that may still put a key into the
-- old slot, so a writer after the turn sees all of them in the slot before its own.
CREATE FUNCTION turn_batch_key_ring() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    next_slot smallint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7310001)
       OR NOT EXISTS (SELECT FROM public.batch_key_ring WHERE turned_at < now() - interval '1 hour') THEN
        RETURN false;
    END IF;
    LOCK TABLE public.batch_keys IN SHARE MODE;
    UPDATE public.batch_key_ring SET slot = (slot + 1) % 3, turned_at = now() RETURNING slot INTO next_slot;
    EXECUTE format('TRUNCATE public.batch_keys_%s', (next_slot + 1) % 3);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION turn_batch_key_ring FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turn_batch_key_ring TO pulsegate_system;

-- Some hundreds of samples of one series, in time order, each (series, time) in one chunk only. A chunk stays within one
-- period of 30 days, so periods can be dropped whole, and a reader knows how far back a chunk can begin.
-- `steps` are the differences between neighbours in `unit` microseconds, one fewer than the values; a single step stands
-- for all of them when they are equal.
CREATE TABLE sample_chunks (
    tenant_id int NOT NULL,
    series_id int NOT NULL,
    starts_at bigint NOT NULL, -- microseconds since the Unix epoch, like ends_at
    ends_at   bigint NOT NULL,
    unit      int NOT NULL CHECK (unit IN (1, 1000)),
    steps     int[] NOT NULL,
    value     float8[] NOT NULL CHECK (cardinality(value) > 0),
    PRIMARY KEY (tenant_id, series_id, starts_at),
    CHECK (cardinality(steps) IN (cardinality(value) - 1, 1)),
    CHECK (starts_at / 2592000000000 = ends_at / 2592000000000)
) PARTITION BY RANGE (starts_at);
-- The newest chunk of a series, and those that reach into a span, without opening the others.
CREATE INDEX sample_chunks_ends ON sample_chunks (tenant_id, series_id, ends_at);
CREATE TABLE sample_chunks_rest PARTITION OF sample_chunks DEFAULT;
CALL fence('sample_chunks');
CALL fence('sample_chunks_rest');
GRANT SELECT ON sample_chunks TO pulsegate_query;
GRANT SELECT, INSERT, DELETE ON sample_chunks TO pulsegate_system;

CREATE FUNCTION chunk_samples(starts_at bigint, unit int, steps int[], value float8[])
RETURNS TABLE (ts bigint, value float8) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN cardinality($3) = 1 THEN $1 + $2::bigint * $3[1] * (v.n - 1)
                ELSE $1 + $2::bigint * coalesce(sum($3[v.n - 1]) OVER (ORDER BY v.n), 0) END,
           v.value
      FROM unnest($4) WITH ORDINALITY AS v (value, n)
$$;

-- Every sample once, for people and tools that speak SQL. Give it a tenant and a series: it cannot prune by time.
CREATE VIEW samples WITH (security_invoker = true) AS
SELECT tenant_id, series_id, to_timestamp(ts / 1e6) AS at, ts, value
  FROM (SELECT DISTINCT ON (tenant_id, series_id, ts) tenant_id, series_id, ts, value
          FROM (SELECT c.tenant_id, c.series_id, s.ts, s.value, 0::bigint AS accepted, 0::bigint AS place
                  FROM sample_chunks c, LATERAL chunk_samples(c.starts_at, c.unit, c.steps, c.value) s
                UNION ALL
                SELECT l.tenant_id, s.series_id, s.ts, s.value, l.id, s.place
                  FROM sample_log l,
                       LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS s (series_id, ts, value, place)) held
         ORDER BY tenant_id, series_id, ts, accepted, place) once;
GRANT SELECT ON samples TO pulsegate_query, pulsegate_system;

-- The same for a half-open span of time (microseconds): only chunks that can hold some of it are opened.
CREATE FUNCTION samples_between(from_ts bigint, to_ts bigint)
RETURNS TABLE (tenant_id int, series_id int, ts bigint, value float8) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (tenant_id, series_id, ts) tenant_id, series_id, ts, value
      FROM (SELECT c.tenant_id, c.series_id, s.ts, s.value, 0::bigint AS accepted, 0::bigint AS place
              FROM sample_chunks c, LATERAL chunk_samples(c.starts_at, c.unit, c.steps, c.value) s
             WHERE c.starts_at >= from_ts / 2592000000000 * 2592000000000 AND c.starts_at < to_ts AND c.ends_at >= from_ts
            UNION ALL
            SELECT l.tenant_id, s.series_id, s.ts, s.value, l.id, s.place
              FROM sample_log l,
                   LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS s (series_id, ts, value, place)) held
     WHERE ts >= from_ts AND ts < to_ts
     ORDER BY tenant_id, series_id, ts, accepted, place
$$;
