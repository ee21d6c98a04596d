-- What happens, told to whoever wants to know: events with their webhooks, alerts, and what people are sent.

-- RFC 9562 §5.7.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                                          PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                                          FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Written in the transaction of what it tells of. Its place in line it gets afterwards, by place_events: a number that was taken before
-- COMMIT could become visible after a higher one, and whoever reads on from the higher one would never see it.
CREATE TABLE events (
    tenant_id int NOT NULL,
    id        uuid NOT NULL,
    type      text NOT NULL CHECK (length(type) <= 100),
    at        timestamptz NOT NULL DEFAULT now(),
    site_id   uuid, -- NULL: of all of the tenant
    data      jsonb NOT NULL,
    position  bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX events_position ON events (tenant_id, position) WHERE position IS NOT NULL;
CREATE INDEX events_unplaced ON events (tenant_id) WHERE position IS NULL;
CREATE INDEX events_by_type ON events (tenant_id, type, position);
CREATE INDEX events_age ON events (tenant_id, at);
CALL fence('events');
GRANT SELECT, INSERT (tenant_id, id, type, at, site_id, data) ON events TO pulsegate_query;
GRANT SELECT, INSERT (tenant_id, id, type, at, site_id, data), DELETE ON events TO pulsegate_system;
GRANT INSERT (tenant_id, id, type, at, site_id, data) ON events TO pulsegate_ingest;

CREATE TABLE event_positions (
    tenant_id int PRIMARY KEY REFERENCES tenants,
    last      bigint NOT NULL
) WITH (fillfactor = 20);
CALL fence('event_positions');
GRANT SELECT ON event_positions TO pulsegate_query, pulsegate_system;

-- Where a tenant's events are sent.
CREATE TABLE webhook_endpoints (
    tenant_id       int NOT NULL REFERENCES tenants,
    id              uuid NOT NULL,
    url             text NOT NULL CHECK (length(url) <= 2000),
    event_types     text[] NOT NULL DEFAULT '{}', -- none: all
    is_active       boolean NOT NULL DEFAULT true,
    disabled_reason text CHECK (length(disabled_reason) <= 200), -- by ourselves
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CALL fence('webhook_endpoints');
GRANT SELECT, INSERT ON webhook_endpoints TO pulsegate_query;
GRANT UPDATE (url, event_types, is_active, disabled_reason, updated_at, deleted_at) ON webhook_endpoints TO pulsegate_query;
GRANT SELECT, UPDATE (is_active, disabled_reason, updated_at) ON webhook_endpoints TO pulsegate_system;

-- What an endpoint's messages are signed with: each that counts signs.
CREATE TABLE webhook_secrets (
    tenant_id     int NOT NULL,
    id            uuid NOT NULL,
    endpoint_id   uuid NOT NULL,
    master_key_id text NOT NULL,
    sealed        bytea NOT NULL CHECK (length(sealed) BETWEEN 29 AND 1024),
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints
);
CREATE INDEX webhook_secrets_of_endpoint ON webhook_secrets (tenant_id, endpoint_id, id);
CALL fence('webhook_secrets');
GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON webhook_secrets TO pulsegate_query;
GRANT SELECT, UPDATE (master_key_id, sealed) ON webhook_secrets TO pulsegate_system;

-- One event on its way to one endpoint.
CREATE TABLE webhook_deliveries (
    tenant_id       int NOT NULL,
    id              uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    event_id        uuid NOT NULL,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    give_up_at      timestamptz NOT NULL DEFAULT now() + interval '3 days',
    last_attempt_at timestamptz,
    last_status     int, -- of HTTP; NULL where none came back
    last_error      text CHECK (length(last_error) <= 500),
    delivered_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, endpoint_id, event_id),
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints,
    FOREIGN KEY (tenant_id, event_id) REFERENCES events,
    CONSTRAINT webhook_deliveries_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, next_attempt_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (tenant_id, endpoint_id, id);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (tenant_id, event_id);
CALL fence('webhook_deliveries');
GRANT SELECT, UPDATE (status, attempts, next_attempt_at, give_up_at, last_error, delivered_at, updated_at)
    ON webhook_deliveries TO pulsegate_query;
GRANT SELECT, DELETE, UPDATE (status, attempts, next_attempt_at, last_attempt_at, last_status, last_error, delivered_at, updated_at)
    ON webhook_deliveries TO pulsegate_system;

-- Gives the current tenant's new events their places in line, one after the other, 10,000 at most at a time, and owes each to the endpoints that want it. Returns
-- the last place. Of two who call it the second waits until the first has committed, so places become visible in their order.
CREATE FUNCTION place_events() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
    reached bigint;
    placed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = tenant AND e.position IS NULL) THEN
        RETURN coalesce((SELECT p.last FROM event_positions p WHERE p.tenant_id = tenant), 0);
    END IF;
    INSERT INTO event_positions (tenant_id, last) VALUES (tenant, 0) ON CONFLICT DO NOTHING;
    SELECT p.last INTO reached FROM event_positions p WHERE p.tenant_id = tenant FOR UPDATE;
    -- A statement that begins with the lock held sees what the one before us placed.
    WITH fresh AS MATERIALIZED (
        SELECT e.id, row_number() OVER (ORDER BY e.at, e.id) AS n
          FROM (SELECT id, at FROM events WHERE tenant_id = tenant AND position IS NULL ORDER BY at, id LIMIT 10000) e
    ), told AS (
        UPDATE events e SET position = reached + f.n FROM fresh f WHERE e.tenant_id = tenant AND e.id = f.id
        RETURNING e.id, e.type
    ), owed AS (
        INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id)
        SELECT tenant, uuid_v7(), w.id, t.id
          FROM told t
          JOIN webhook_endpoints w ON w.tenant_id = tenant AND w.deleted_at IS NULL AND w.is_active
                                  AND (w.event_types = '{}' OR t.type = ANY (w.event_types))
    )
    SELECT count(*) INTO placed FROM told;
    UPDATE event_positions p SET last = reached + placed WHERE p.tenant_id = tenant;
    RETURN reached + placed;
END
$$;
REVOKE ALL ON FUNCTION place_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION place_events TO pulsegate_query, pulsegate_system;

-- An EUI that nobody registered was heard for the first time.
CREATE FUNCTION tell_of_orphan() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO events (tenant_id, id, type, data)
    VALUES (NEW.tenant_id, uuid_v7(), 'device.orphaned',
            jsonb_build_object('device_eui', NEW.device_eui, 'integration_id', NEW.integration_id,
                               'first_seen_at', to_char(NEW.first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_of_orphan AFTER INSERT ON orphan_devices FOR EACH ROW EXECUTE FUNCTION tell_of_orphan();

-- What is wrong and should be looked at. One for each thing that is wrong until that is over, whoever says meanwhile that it is resolved.
CREATE TABLE alerts (
    tenant_id       int NOT NULL REFERENCES tenants,
    id              uuid NOT NULL,
    kind            text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,49}$'),
    severity        text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject_type    text NOT NULL,
    subject_id      uuid NOT NULL,
    subject_name    text NOT NULL,
    site_id         uuid, -- NULL: of all of the tenant
    detail          jsonb NOT NULL DEFAULT '{}',
    status          text NOT NULL DEFAULT 'firing' CHECK (status IN ('firing', 'acknowledged', 'resolved')),
    raised_at       timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at     timestamptz,
    resolved_by     text, -- NULL: it was over by itself
    recovered_at    timestamptz, -- when what it tells of was over
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT alerts_resolved CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CONSTRAINT alerts_recovered CHECK (recovered_at IS NULL OR status = 'resolved')
);
CREATE UNIQUE INDEX alerts_of_subject ON alerts (tenant_id, kind, subject_id) WHERE recovered_at IS NULL;
CREATE INDEX alerts_open ON alerts (tenant_id, id) WHERE status <> 'resolved';
CREATE INDEX alerts_raised ON alerts (tenant_id, raised_at);
CALL fence('alerts');
GRANT SELECT, UPDATE (status, acknowledged_at, acknowledged_by, resolved_at, resolved_by, updated_at) ON alerts TO pulsegate_query;
GRANT SELECT, INSERT, UPDATE (status, resolved_at, recovered_at, updated_at) ON alerts TO pulsegate_system;

CREATE TABLE alert_comments (
    tenant_id  int NOT NULL,
    id         uuid NOT NULL,
    alert_id   uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_id   uuid,
    actor_name text NOT NULL,
    text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, alert_id) REFERENCES alerts
);
CREATE INDEX alert_comments_of_alert ON alert_comments (tenant_id, alert_id, id);
CALL fence('alert_comments');
GRANT SELECT, INSERT ON alert_comments TO pulsegate_query;
GRANT SELECT ON alert_comments TO pulsegate_system;

-- What people are sent, until it was taken. Letters with tokens are never here.
CREATE TABLE notifications (
    tenant_id       int NOT NULL,
    id              uuid NOT NULL,
    channel         text NOT NULL CHECK (channel IN ('email', 'whatsapp')),
    recipient       text NOT NULL CHECK (length(recipient) <= 254),
    subject         text NOT NULL CHECK (length(subject) <= 200),
    body            text NOT NULL CHECK (length(body) <= 20000),
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    give_up_at      timestamptz NOT NULL DEFAULT now() + interval '3 days',
    last_attempt_at timestamptz,
    last_error      text CHECK (length(last_error) <= 500),
    delivered_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT notifications_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL))
);
CREATE INDEX notifications_due ON notifications (tenant_id, next_attempt_at) WHERE status = 'pending';
CREATE INDEX notifications_age ON notifications (tenant_id, created_at);
CALL fence('notifications');
GRANT SELECT ON notifications TO pulsegate_query;
GRANT SELECT, INSERT, DELETE, UPDATE (status, attempts, next_attempt_at, last_attempt_at, last_error, delivered_at)
    ON notifications TO pulsegate_system;

-- Tenants that have events without a place, or something that is due to be sent.
CREATE FUNCTION tenants_with_outbox() RETURNS SETOF int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id FROM tenants t
     WHERE t.is_active
       AND (EXISTS (SELECT FROM events e WHERE e.tenant_id = t.id AND e.position IS NULL)
         OR EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = t.id AND d.status = 'pending' AND d.next_attempt_at <= now())
         OR EXISTS (SELECT FROM notifications n WHERE n.tenant_id = t.id AND n.status = 'pending' AND n.next_attempt_at <= now()))
     ORDER BY t.id
$$;
REVOKE ALL ON FUNCTION tenants_with_outbox FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_outbox TO pulsegate_system;
