-- Claiming an orphan over the API: the query process may do that, and no more with uplinks and samples than that. Both functions work in
-- the current tenant.

GRANT UPDATE (ignored_at) ON orphan_devices TO pulsegate_query;

-- The orphans among these EUIs, locked until the transaction ends. The advisory lock is that of ingest's making of orphans, so none is
-- made behind our back; then their states, in the order of owners, as ingest locks them before it decides an uplink; and only then, in a
-- statement that begins with the locks held, what is there.
CREATE FUNCTION lock_orphans(euis text[]) RETURNS TABLE (device_eui text, owner_id int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
    owners int[];
BEGIN
    PERFORM pg_advisory_xact_lock(7310003, tenant);
    owners := ARRAY(SELECT o.owner_id FROM orphan_devices o WHERE o.tenant_id = tenant AND o.device_eui = ANY (euis));
    PERFORM FROM device_states s WHERE s.tenant_id = tenant AND s.owner_id = ANY (owners) ORDER BY s.owner_id FOR UPDATE;
    RETURN QUERY
    SELECT o.device_eui, o.owner_id FROM orphan_devices o
     WHERE o.tenant_id = tenant AND o.owner_id = ANY (owners) ORDER BY o.owner_id FOR UPDATE;
END
$$;
REVOKE ALL ON FUNCTION lock_orphans FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_orphans TO pulsegate_query, pulsegate_system;

-- Makes readings of what was kept of orphans that became devices under the same owner ids; to be called with their locks held. Their
-- numbers become samples as far as `max_series` of the tenant allow, as at ingest. Returns how many uplinks became readings.
CREATE FUNCTION adopt_orphans(claimed int[], max_series int) RETURNS TABLE (owner_id int, uplinks bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
    owners int[] := ARRAY(SELECT d.owner_id FROM devices d
                           WHERE d.tenant_id = tenant AND d.owner_id = ANY (claimed) AND d.deleted_at IS NULL
                           ORDER BY d.owner_id);
    room int;
    made int;
BEGIN
    INSERT INTO series_counts (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    SELECT greatest(0, max_series - c.count) INTO room FROM series_counts c WHERE c.tenant_id = tenant FOR UPDATE;
    -- A series without labels: its identity is the first 16 bytes of SHA-256 over its metric's name.
    INSERT INTO series (tenant_id, owner_id, metric, identity)
    SELECT tenant, w.owner_id, w.metric, w.identity
      FROM (SELECT DISTINCT u.owner_id, l.metric,
                   encode(substring(sha256(convert_to(l.metric, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid AS identity
              FROM orphan_uplinks u, LATERAL jsonb_object_keys(u.leaves) AS l (metric)
             WHERE u.tenant_id = tenant AND u.owner_id = ANY (owners)) w
     WHERE NOT EXISTS (SELECT FROM series s
                        WHERE s.tenant_id = tenant AND s.owner_id = w.owner_id AND s.identity = w.identity)
     ORDER BY w.owner_id, w.metric
     LIMIT room;
    GET DIAGNOSTICS made = ROW_COUNT;
    UPDATE series_counts c SET count = c.count + made WHERE c.tenant_id = tenant AND made > 0;
    -- One row of the log for each device, its samples in the order of arrival, of which the first counts.
    INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
    SELECT tenant, w.owner_id, array_agg(s.id ORDER BY w.id, s.id), array_agg(w.ts ORDER BY w.id, s.id),
           array_agg(w.value ORDER BY w.id, s.id)
      FROM (SELECT u.owner_id, u.id, (extract(epoch FROM u.received_at) * 1000000)::bigint AS ts, l.metric,
                   l.value::float8 AS value
              FROM orphan_uplinks u, LATERAL jsonb_each_text(u.leaves) AS l (metric, value)
             WHERE u.tenant_id = tenant AND u.owner_id = ANY (owners)) w
      JOIN series s ON s.tenant_id = tenant AND s.owner_id = w.owner_id
                   AND s.identity = encode(substring(sha256(convert_to(w.metric, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
     GROUP BY w.owner_id;
    PERFORM refresh_occupancy(owners);
    RETURN QUERY
    WITH kept AS (
        DELETE FROM orphan_uplinks u WHERE u.tenant_id = tenant AND u.owner_id = ANY (owners) RETURNING *
    ), moved AS (
        INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr, session,
                             uplink_id, rssi, snr, gateway_id, gateways, duplicates, payload, data, integration_id)
        SELECT k.tenant_id, k.owner_id, k.received_at, k.epoch, k.fcnt, k.arrived_at, k.clock_used, k.f_port, k.dev_addr, k.session,
               k.uplink_id, k.rssi, k.snr, k.gateway_id, k.gateways, k.duplicates, k.payload, k.data, k.integration_id
          FROM kept k
    )
    SELECT k.owner_id, count(*) FROM kept k GROUP BY k.owner_id;
    DELETE FROM orphan_devices o WHERE o.tenant_id = tenant AND o.owner_id = ANY (owners);
END
$$;
REVOKE ALL ON FUNCTION adopt_orphans FROM PUBLIC;
GRANT EXECUTE ON FUNCTION adopt_orphans TO pulsegate_query, pulsegate_system;
