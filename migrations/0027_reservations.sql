-- Reservations of spaces, the keys that make creating something twice creating it once, and calendars that people subscribe to.

-- Equality of int and uuid within a GiST index. The extension is the connecting role's to make; it is of those that an owner of the
-- database may.
RESET ROLE;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
SET ROLE pulsegate_owner;

CREATE TABLE reservations (
    tenant_id      int NOT NULL REFERENCES tenants,
    id             uuid NOT NULL,
    space_id       uuid NOT NULL,
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL, -- half-open: who comes next may begin then
    during         tstzrange NOT NULL GENERATED ALWAYS AS (tstzrange(starts_at, ends_at)) STORED,
    status         text NOT NULL DEFAULT 'confirmed' CHECK (status IN ('pending', 'confirmed', 'cancelled', 'completed', 'no_show')),
    holder_user_id uuid, -- of a member; name and address as they were then
    holder_name    text NOT NULL CHECK (length(holder_name) BETWEEN 1 AND 200),
    holder_email   text CHECK (length(holder_email) <= 254),
    holder_phone   text CHECK (length(holder_phone) <= 32),
    note           text CHECK (length(note) <= 2000),
    request_id     text CHECK (length(request_id) BETWEEN 1 AND 200),
    expires_at     timestamptz, -- when a pending one gives its place up
    checked_in_at  timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, space_id) REFERENCES spaces,
    CONSTRAINT reservations_order CHECK (starts_at < ends_at),
    CONSTRAINT reservations_length CHECK (ends_at - starts_at <= interval '30 days'),
    CONSTRAINT reservations_expiry CHECK ((status = 'pending') = (expires_at IS NOT NULL)),
    CONSTRAINT reservations_deleted CHECK (deleted_at IS NULL OR status NOT IN ('pending', 'confirmed')),
    -- Who waits for a confirmation holds the place, too. Back to back is no overlap.
    CONSTRAINT reservations_overlap EXCLUDE USING gist (tenant_id WITH =, space_id WITH =, during WITH &&)
        WHERE (status IN ('pending', 'confirmed'))
);
-- `&&` is not leakproof, so behind a policy a span is looked for by its start: no reservation is longer than 30 days.
CREATE INDEX reservations_start ON reservations (tenant_id, starts_at, id) WHERE deleted_at IS NULL;
CREATE INDEX reservations_of_space ON reservations (tenant_id, space_id, starts_at) WHERE deleted_at IS NULL;
-- Those that hold a place, which are few beside those that did.
CREATE INDEX reservations_held ON reservations (tenant_id, space_id, starts_at) WHERE status IN ('pending', 'confirmed');
-- What time may do something to.
CREATE INDEX reservations_confirmed ON reservations (tenant_id, starts_at, id) WHERE status = 'confirmed';
CREATE INDEX reservations_pending ON reservations (tenant_id, expires_at) WHERE status = 'pending';
CALL fence('reservations');
GRANT SELECT ON reservations TO pulsegate_query, pulsegate_system;
GRANT INSERT (tenant_id, id, space_id, starts_at, ends_at, status, holder_user_id, holder_name, holder_email, holder_phone, note,
              request_id, expires_at),
      UPDATE (space_id, starts_at, ends_at, status, holder_user_id, holder_name, holder_email, holder_phone, note, expires_at,
              checked_in_at, updated_at, deleted_at) ON reservations TO pulsegate_query;
GRANT UPDATE (status, expires_at, checked_in_at, updated_at) ON reservations TO pulsegate_system;

-- Pairs that hold one place at one time: none, as long as the constraint above stands.
CREATE VIEW reservation_conflicts WITH (security_invoker = true) AS
SELECT a.tenant_id, a.space_id, a.id AS reservation_id, b.id AS other_id, a.during * b.during AS shared
  FROM reservations a
  JOIN reservations b ON b.tenant_id = a.tenant_id AND b.space_id = a.space_id AND b.id > a.id
                     AND b.starts_at < a.ends_at AND b.ends_at > a.starts_at
 WHERE a.status IN ('pending', 'confirmed') AND b.status IN ('pending', 'confirmed');
GRANT SELECT ON reservation_conflicts TO pulsegate_query, pulsegate_system;

-- What a key that a client chose was used for, with the answer it got. Written in the transaction of what it made, so there is
-- one for a success only.
CREATE TABLE idempotency_keys (
    tenant_id  int NOT NULL,
    operation  text NOT NULL, -- the resource that it makes
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    payload    bytea NOT NULL CHECK (length(payload) = 32), -- SHA-256 of what was asked for
    answer     text, -- NULL only within the transaction
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, operation, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, created_at);
CALL fence('idempotency_keys');
GRANT SELECT, INSERT (tenant_id, operation, key, payload), UPDATE (answer) ON idempotency_keys TO pulsegate_query;
GRANT SELECT, DELETE ON idempotency_keys TO pulsegate_system;

-- A calendar of reservations at a secret address, with the rights that its member has when it is read.
CREATE TABLE calendar_feeds (
    tenant_id  int NOT NULL,
    id         uuid NOT NULL,
    user_id    uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    site_id    uuid,
    space_id   uuid,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha256),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships,
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites,
    FOREIGN KEY (tenant_id, space_id) REFERENCES spaces
);
CREATE INDEX calendar_feeds_of_user ON calendar_feeds (tenant_id, user_id, id);
CALL fence('calendar_feeds');
GRANT SELECT, INSERT, DELETE ON calendar_feeds TO pulsegate_query;

-- Whether what was kept of a reservation names this person.
CREATE FUNCTION is_held_by(reservation jsonb, person uuid, known_as text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(reservation -> 'holder' ->> 'user_id' = person::text
                    OR lower(reservation -> 'holder' ->> 'email') = known_as, false)
$$;

-- As before, and of their reservations who they were and what they wrote.
CREATE OR REPLACE FUNCTION erase_person(person uuid, known_as text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
BEGIN
    IF EXISTS (SELECT FROM memberships m LEFT JOIN users u ON u.id = m.user_id
                WHERE m.tenant_id = tenant AND (m.user_id = person OR u.email = known_as)) THEN
        RAISE EXCEPTION 'a member is not erased' USING ERRCODE = '55000';
    END IF;
    known_as := coalesce(known_as, (SELECT u.email FROM users u WHERE u.id = person),
                         (SELECT a.actor_name FROM audit_logs a
                           WHERE a.tenant_id = tenant AND a.actor_kind = 'user' AND a.actor_id = person
                             AND a.actor_name <> 'erased' LIMIT 1));
    UPDATE audit_logs a SET actor_name = 'erased', address = NULL, user_agent = NULL
     WHERE a.tenant_id = tenant AND a.actor_kind = 'user' AND a.actor_id = person;
    UPDATE audit_logs a
       SET before = CASE WHEN before ? 'email' THEN before || '{"email": "erased", "name": "erased"}' ELSE before END,
           after = CASE WHEN after ? 'email' THEN after || '{"email": "erased", "name": "erased"}' ELSE after END
     WHERE a.tenant_id = tenant AND a.resource_type = 'user'
       AND (a.resource_id = person::text OR a.before ->> 'email' = known_as OR a.after ->> 'email' = known_as);
    -- Whom an operator made the first owner.
    UPDATE audit_logs a SET after = after || '{"owner": "erased"}'
     WHERE a.tenant_id = tenant AND a.resource_type = 'tenant' AND a.after ->> 'owner' = known_as;
    -- Also where somebody else holds it by now.
    UPDATE audit_logs a
       SET before = CASE WHEN is_held_by(a.before, person, known_as)
                         THEN a.before || '{"holder": {"name": "erased"}, "note": null}' ELSE a.before END,
           after = CASE WHEN is_held_by(a.after, person, known_as)
                        THEN a.after || '{"holder": {"name": "erased"}, "note": null}' ELSE a.after END
     WHERE a.tenant_id = tenant AND a.resource_type = 'reservation'
       AND (is_held_by(a.before, person, known_as) OR is_held_by(a.after, person, known_as));
    UPDATE idempotency_keys k SET answer = (k.answer::jsonb || '{"holder": {"name": "erased"}, "note": null}')::text
     WHERE k.tenant_id = tenant AND k.operation = 'reservations' AND is_held_by(k.answer::jsonb, person, known_as);
    UPDATE reservations r
       SET holder_user_id = NULL, holder_name = 'erased', holder_email = NULL, holder_phone = NULL, note = NULL
     WHERE r.tenant_id = tenant AND (r.holder_user_id = person OR lower(r.holder_email) = known_as);
    DELETE FROM invitations i WHERE i.tenant_id = tenant AND i.email = known_as;
    IF NOT EXISTS (SELECT FROM memberships m WHERE m.user_id = person) THEN
        DELETE FROM users u WHERE u.id = person;
    END IF;
END
$$;
