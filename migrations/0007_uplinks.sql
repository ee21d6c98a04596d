-- Uplinks of devices: readings, what tells a duplicate from a restarted counter, orphans, quarantine.

-- The newest state of a device or an orphan, and the row that is locked while its uplinks are decided: always locked
-- first, in the order of owner ids.
CREATE TABLE device_states (
    tenant_id      int NOT NULL,
    owner_id       int NOT NULL,
    epochs         int NOT NULL DEFAULT 0, -- how many were allocated: the next one's number
    newest_at      timestamptz,            -- network time of the newest reading: what follows is that reading's
    session        text,
    battery        float8,
    rssi           float8,
    snr            float8,
    occupied       boolean,
    occupied_since timestamptz,
    PRIMARY KEY (tenant_id, owner_id)
) WITH (fillfactor = 50);
CALL fence('device_states');
GRANT SELECT, INSERT, UPDATE ON device_states TO pulsegate_ingest, pulsegate_system;
GRANT SELECT ON device_states TO pulsegate_query;

-- An epoch is one life of a device's frame counter: a session, or the time between two restarts within a session.
CREATE TABLE device_epochs (
    tenant_id    int NOT NULL,
    owner_id     int NOT NULL,
    epoch        int NOT NULL,
    reference    text NOT NULL, -- the session's: `session`, else `dev_addr`, else ''
    highest_fcnt bigint NOT NULL,
    highest_at   timestamptz,   -- network time of the highest counter, where one was given
    PRIMARY KEY (tenant_id, owner_id, epoch)
) WITH (fillfactor = 70);
CREATE INDEX device_epochs_reference ON device_epochs (tenant_id, owner_id, reference, epoch);
CALL fence('device_epochs');
GRANT SELECT, INSERT, UPDATE ON device_epochs TO pulsegate_ingest;
GRANT SELECT ON device_epochs TO pulsegate_query, pulsegate_system;

-- The key that makes an uplink one. Apart from `uplinks`, whose partitions by time could not enforce it.
CREATE TABLE uplink_keys (
    tenant_id    int NOT NULL,
    owner_id     int NOT NULL,
    epoch        int NOT NULL,
    fcnt         bigint NOT NULL CHECK (fcnt BETWEEN 0 AND 4294967295),
    f_port       smallint,
    payload_hash uuid NOT NULL,
    network_at   timestamptz,          -- as the network gave it
    received_at  timestamptz NOT NULL, -- where the reading lies
    PRIMARY KEY (tenant_id, owner_id, epoch, fcnt)
);
CALL fence('uplink_keys');
GRANT SELECT, INSERT ON uplink_keys TO pulsegate_ingest;
GRANT SELECT ON uplink_keys TO pulsegate_system;

-- The network servers' own ids of uplinks, hashed: known in any epoch of a device.
CREATE TABLE uplink_ids (
    tenant_id int NOT NULL,
    owner_id  int NOT NULL,
    id_hash   uuid NOT NULL,
    epoch     int NOT NULL,
    fcnt      bigint NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, id_hash)
);
CALL fence('uplink_ids');
GRANT SELECT, INSERT ON uplink_ids TO pulsegate_ingest;

-- Ids of Standard Webhooks messages, written in the transaction of what they brought.
CREATE TABLE webhook_messages (
    tenant_id      int NOT NULL,
    integration_id uuid NOT NULL,
    id_hash        uuid NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, integration_id, id_hash)
);
CREATE INDEX webhook_messages_age ON webhook_messages (tenant_id, received_at);
CALL fence('webhook_messages');
GRANT SELECT, INSERT ON webhook_messages TO pulsegate_ingest;
GRANT SELECT, DELETE ON webhook_messages TO pulsegate_system;

CREATE TABLE uplinks (
    tenant_id      int NOT NULL,
    owner_id       int NOT NULL,
    received_at    timestamptz NOT NULL, -- network time, or our clock where that was absent or absurd
    epoch          int NOT NULL,
    fcnt           bigint NOT NULL,
    arrived_at     timestamptz NOT NULL,
    clock_used     boolean NOT NULL, -- received_at is our clock's
    f_port         smallint,
    dev_addr       text,
    session        text,
    uplink_id      text,
    rssi           float8,
    snr            float8,
    gateway_id     text,
    gateways       text[] NOT NULL DEFAULT '{}', -- every gateway that brought it, also by duplicates
    duplicates     int NOT NULL DEFAULT 0,
    payload        jsonb,
    data           bytea,
    integration_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, received_at, epoch, fcnt)
) PARTITION BY RANGE (received_at);
CREATE TABLE uplinks_rest PARTITION OF uplinks DEFAULT;
CALL fence('uplinks');
CALL fence('uplinks_rest');
GRANT INSERT ON uplinks TO pulsegate_ingest;
-- What merging a duplicate's gateway needs, no reading.
GRANT SELECT (tenant_id, owner_id, received_at, epoch, fcnt, gateways, duplicates), UPDATE (gateways, duplicates)
    ON uplinks TO pulsegate_ingest;
GRANT SELECT ON uplinks TO pulsegate_query;
GRANT SELECT, INSERT ON uplinks TO pulsegate_system;

CREATE TABLE orphan_devices (
    tenant_id      int NOT NULL,
    id             uuid NOT NULL,
    owner_id       int NOT NULL DEFAULT nextval('owner_ids'),
    device_eui     text NOT NULL CHECK (device_eui ~ '^[0-9a-f]{16}$'),
    integration_id uuid NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    last_seen_at   timestamptz NOT NULL,
    uplink_count   bigint NOT NULL DEFAULT 0,
    last_payload   jsonb,
    last_rssi      float8,
    last_snr       float8,
    ignored_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner_id),
    UNIQUE (tenant_id, device_eui)
) WITH (fillfactor = 70);
CREATE INDEX orphan_devices_quiet ON orphan_devices (tenant_id, last_seen_at);
CALL fence('orphan_devices');
GRANT SELECT, INSERT, UPDATE ON orphan_devices TO pulsegate_ingest;
GRANT SELECT ON orphan_devices TO pulsegate_query;
GRANT SELECT, UPDATE, DELETE ON orphan_devices TO pulsegate_system;

-- The last uplinks of unknown devices, as in `uplinks`, in order of arrival.
CREATE TABLE orphan_uplinks (
    tenant_id      int NOT NULL,
    owner_id       int NOT NULL,
    id             bigint GENERATED ALWAYS AS IDENTITY,
    received_at    timestamptz NOT NULL,
    epoch          int NOT NULL,
    fcnt           bigint NOT NULL,
    arrived_at     timestamptz NOT NULL,
    clock_used     boolean NOT NULL,
    f_port         smallint,
    dev_addr       text,
    session        text,
    uplink_id      text,
    rssi           float8,
    snr            float8,
    gateway_id     text,
    gateways       text[] NOT NULL DEFAULT '{}',
    duplicates     int NOT NULL DEFAULT 0,
    payload        jsonb,
    leaves         jsonb NOT NULL DEFAULT '{}', -- the payload's numbers by metric name: its samples, once it is claimed
    data           bytea,
    integration_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, id)
);
CREATE INDEX orphan_uplinks_age ON orphan_uplinks (tenant_id, arrived_at);
CALL fence('orphan_uplinks');
GRANT SELECT, INSERT, DELETE, UPDATE (gateways, duplicates) ON orphan_uplinks TO pulsegate_ingest;
GRANT SELECT, DELETE ON orphan_uplinks TO pulsegate_system;

-- Forgets orphans of the current tenant that went quiet: those beyond the bound, the quietest first, and those not heard
-- of since `silent_since`. One whose uplinks are being decided at this moment is passed over. Returns how many went.
CREATE FUNCTION forget_orphans(keep int, silent_since timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
    gone   int[];
BEGIN
    SELECT array_agg(s.owner_id) INTO gone
      FROM (SELECT st.owner_id
              FROM public.device_states st
             WHERE st.tenant_id = tenant
               AND st.owner_id IN (
                   (SELECT o.owner_id FROM public.orphan_devices o WHERE o.tenant_id = tenant AND o.ignored_at IS NULL
                     ORDER BY o.last_seen_at DESC OFFSET keep)
                   UNION ALL
                   SELECT o.owner_id FROM public.orphan_devices o
                    WHERE o.tenant_id = tenant AND o.ignored_at IS NULL AND o.last_seen_at < silent_since)
               FOR UPDATE SKIP LOCKED) s;
    DELETE FROM public.orphan_uplinks WHERE tenant_id = tenant AND owner_id = ANY (gone);
    DELETE FROM public.uplink_ids WHERE tenant_id = tenant AND owner_id = ANY (gone);
    DELETE FROM public.uplink_keys WHERE tenant_id = tenant AND owner_id = ANY (gone);
    DELETE FROM public.device_epochs WHERE tenant_id = tenant AND owner_id = ANY (gone);
    DELETE FROM public.orphan_devices WHERE tenant_id = tenant AND owner_id = ANY (gone);
    DELETE FROM public.device_states WHERE tenant_id = tenant AND owner_id = ANY (gone);
    RETURN coalesce(cardinality(gone), 0);
END
$$;
REVOKE ALL ON FUNCTION forget_orphans FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_orphans TO pulsegate_ingest, pulsegate_system;

-- Authenticated bodies that no one could read.
CREATE TABLE quarantine (
    tenant_id      int NOT NULL,
    id             uuid NOT NULL,
    integration_id uuid NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    reason         text NOT NULL,
    content_type   text,
    body           bytea NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX quarantine_age ON quarantine (tenant_id, received_at);
CALL fence('quarantine');
GRANT INSERT ON quarantine TO pulsegate_ingest;
GRANT SELECT (tenant_id, id, received_at), DELETE ON quarantine TO pulsegate_ingest;
GRANT SELECT ON quarantine TO pulsegate_query;
GRANT SELECT, DELETE ON quarantine TO pulsegate_system;

-- A space with its site, its device and the state that the device's newest reading gives it: `unknown` when there is no
-- device, no reading, no such field, or silence beyond the interval that the profile expects.
CREATE VIEW v_spaces WITH (security_invoker = true) AS
SELECT sp.tenant_id, sp.id, sp.site_id, si.code AS site_code, sp.code, sp.name, sp.kind, sp.floor, sp.capacity,
       sp.is_bookable, sp.opening_hours, sp.metadata, sp.created_at, sp.updated_at, d.device_eui,
       CASE WHEN st.occupied IS NULL THEN 'unknown'
            WHEN st.newest_at + make_interval(secs => coalesce(p.expected_interval_s, 3600)) < now() THEN 'unknown'
            WHEN st.occupied THEN 'occupied'
            ELSE 'free' END AS state,
       CASE WHEN st.occupied IS NULL THEN NULL
            WHEN st.newest_at + make_interval(secs => coalesce(p.expected_interval_s, 3600)) < now()
                THEN st.newest_at + make_interval(secs => coalesce(p.expected_interval_s, 3600))
            ELSE st.occupied_since END AS state_since
  FROM spaces sp
  JOIN sites si ON si.tenant_id = sp.tenant_id AND si.id = sp.site_id AND si.deleted_at IS NULL
  LEFT JOIN devices d ON d.tenant_id = sp.tenant_id AND d.space_id = sp.id AND d.deleted_at IS NULL
  LEFT JOIN device_profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
  LEFT JOIN device_states st ON st.tenant_id = d.tenant_id AND st.owner_id = d.owner_id
 WHERE sp.deleted_at IS NULL;
GRANT SELECT ON v_spaces TO pulsegate_query;
