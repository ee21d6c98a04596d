-- A reading that says whether the space is taken holds until the next one that does, and for the interval that the profile expects at
-- most. `occupied_since` is when the run of such readings began.
ALTER TABLE device_states ADD occupied_at timestamptz; -- network time of the newest such reading
UPDATE device_states SET occupied_at = newest_at WHERE occupied IS NOT NULL;

-- What the samples of a device's field say, for whoever can't tell by the state alone: after a late reading, an adoption, another
-- profile. No row where none says anything. `look_from` is a moment by which the run may have begun; it looks back further, in growing
-- steps, until it has found where.
CREATE FUNCTION newest_occupancy(owner int, field text, expected_interval int, look_from timestamptz)
RETURNS TABLE (occupied boolean, at timestamptz, since timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant   int := nullif(current_setting('app.tenant_id', true), '')::int;
    wanted   int;
    oldest   bigint;
    newest   bigint;
    lookback bigint;
    earliest bigint;
    is_start boolean;
    began    bigint;
BEGIN
    SELECT s.id INTO wanted FROM series s
     WHERE s.tenant_id = tenant AND s.owner_id = owner AND s.metric = field AND s.labels = '{}';
    SELECT least(k.oldest, l.oldest), greatest(k.newest, l.newest) INTO oldest, newest
      FROM (SELECT (SELECT min(c.starts_at) FROM sample_chunks c WHERE c.tenant_id = tenant AND c.series_id = wanted) AS oldest,
                   (SELECT max(c.ends_at) FROM sample_chunks c WHERE c.tenant_id = tenant AND c.series_id = wanted) AS newest) k,
           (SELECT min(u.ts) AS oldest, max(u.ts) AS newest
              FROM sample_log l, LATERAL unnest(l.series, l.ts) AS u (series_id, ts)
             WHERE l.tenant_id = tenant AND l.owner_id = owner AND u.series_id = wanted) l;
    IF newest IS NULL THEN
        RETURN;
    END IF;
    lookback := greatest(coalesce(newest - (extract(epoch FROM look_from) * 1000000)::bigint, 86400000000), 1000000);
    LOOP
        earliest := newest - lookback;
        WITH held AS (
            SELECT t.ts, t.value, 0::bigint AS id, 0::bigint AS place
              FROM sample_chunks c, LATERAL chunk_samples(c) t
             WHERE c.tenant_id = tenant AND c.series_id = wanted AND c.ends_at >= earliest
               AND c.starts_at >= (earliest / 2592000000000 - 1) * 2592000000000
            UNION ALL
            SELECT u.ts, u.value, l.id, u.place
              FROM sample_log l, LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS u (series_id, ts, value, place)
             WHERE l.tenant_id = tenant AND l.owner_id = owner AND u.series_id = wanted
        ), once AS (
            SELECT DISTINCT ON (h.ts) h.ts, h.value <> 0 AS taken FROM held h WHERE h.ts >= earliest ORDER BY h.ts, h.id, h.place
        ), marked AS (
            SELECT o.ts, o.taken, lag(o.ts) OVER w AS ts_before,
                   lag(o.taken) OVER w <> o.taken OR o.ts - lag(o.ts) OVER w > expected_interval * 1000000::bigint AS starts
              FROM once o WINDOW w AS (ORDER BY o.ts)
        )
        SELECT m.taken, m.ts, m.starts INTO occupied, began, is_start
          FROM marked m WHERE m.starts OR m.ts_before IS NULL ORDER BY m.ts DESC LIMIT 1;
        EXIT WHEN is_start OR earliest <= oldest;
        lookback := lookback * 8;
    END LOOP;
    at := 'epoch'::timestamptz + newest * interval '1 microsecond';
    since := 'epoch'::timestamptz + began * interval '1 microsecond';
    RETURN NEXT;
END
$$;
REVOKE ALL ON FUNCTION newest_occupancy FROM PUBLIC;
GRANT EXECUTE ON FUNCTION newest_occupancy TO pulsegate_ingest, pulsegate_system;

-- Sets the states of these devices by their samples, as their profiles read them now.
CREATE FUNCTION refresh_occupancy(owners int[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
BEGIN
    PERFORM FROM device_states s WHERE s.tenant_id = tenant AND s.owner_id = ANY (owners) ORDER BY s.owner_id FOR UPDATE;
    UPDATE device_states s
       SET occupied = n.occupied, occupied_at = n.at, occupied_since = n.since
      FROM devices d
      LEFT JOIN device_profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
      LEFT JOIN LATERAL newest_occupancy(d.owner_id, coalesce(p.occupied_field, 'occupied'),
                                         coalesce(p.expected_interval_s, 3600), NULL) n ON true
     WHERE d.tenant_id = tenant AND d.owner_id = ANY (owners) AND d.deleted_at IS NULL
       AND s.tenant_id = tenant AND s.owner_id = d.owner_id;
END
$$;
REVOKE ALL ON FUNCTION refresh_occupancy FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_occupancy TO pulsegate_query, pulsegate_system;

-- As before, by the newest reading that tells instead of the newest of all, and only if it was said in this very space.
CREATE OR REPLACE VIEW v_spaces WITH (security_invoker = true) AS
SELECT s.tenant_id, s.id, s.site_id, s.site_code, s.code, s.name, s.kind, s.floor, s.capacity, s.is_bookable, s.opening_hours,
       s.metadata, s.created_at, s.updated_at, s.device_eui,
       CASE WHEN s.occupied IS NULL OR s.holds_until < now() THEN 'unknown'
            WHEN s.occupied THEN 'occupied'
            ELSE 'free' END AS state,
       CASE WHEN s.holds_until < now() THEN s.holds_until ELSE s.occupied_since END AS state_since,
       s.timezone
  FROM (SELECT sp.*, si.code AS site_code, si.timezone, d.device_eui, st.occupied,
               CASE WHEN st.occupied IS NOT NULL THEN greatest(st.occupied_since, h.since) END AS occupied_since,
               coalesce(st.occupied_at, st.newest_at) + make_interval(secs => coalesce(p.expected_interval_s, 3600)) AS holds_until
          FROM spaces sp
          JOIN sites si ON si.tenant_id = sp.tenant_id AND si.id = sp.site_id AND si.deleted_at IS NULL
          LEFT JOIN devices d ON d.tenant_id = sp.tenant_id AND d.space_id = sp.id AND d.deleted_at IS NULL
          LEFT JOIN space_devices h ON h.tenant_id = sp.tenant_id AND h.space_id = sp.id AND h.until IS NULL
          LEFT JOIN device_profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
          LEFT JOIN device_states st ON st.tenant_id = d.tenant_id AND st.owner_id = d.owner_id AND st.occupied IS NOT NULL
                                    AND coalesce(st.occupied_at, st.newest_at) >= h.since
         WHERE sp.deleted_at IS NULL) AS s;
GRANT SELECT ON v_spaces TO pulsegate_system;
