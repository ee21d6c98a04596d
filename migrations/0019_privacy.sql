-- Exports of all that a tenant has, and persons who are forgotten.

-- An archive is kept in parts until it expires. One is made at a time.
CREATE TABLE exports (
    tenant_id    int NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    status       text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished', 'failed')),
    requested_by uuid,
    bytes        bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(), -- while it runs, again and again
    expires_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX exports_one_at_a_time ON exports (tenant_id) WHERE status = 'running';
CALL fence('exports');
GRANT SELECT, INSERT, UPDATE (status, bytes, updated_at, expires_at) ON exports TO pulsegate_query;
GRANT SELECT, DELETE ON exports TO pulsegate_system;

CREATE TABLE export_parts (
    tenant_id int NOT NULL,
    export_id uuid NOT NULL,
    position  int NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (tenant_id, export_id, position),
    FOREIGN KEY (tenant_id, export_id) REFERENCES exports
);
ALTER TABLE export_parts ALTER COLUMN bytes SET STORAGE EXTERNAL; -- compressed already
CALL fence('export_parts');
GRANT SELECT, INSERT, DELETE ON export_parts TO pulsegate_query;
GRANT SELECT, DELETE ON export_parts TO pulsegate_system;

GRANT SELECT ON orphan_uplinks TO pulsegate_query;

-- Blanks what the current tenant keeps of somebody who is no member any more: in the audit log who it was, where from and what they were
-- called; their id stays, so that entries of one person still belong together. Nothing else may change an entry. The person's row goes
-- when no tenant has them. `known_as` is their address, where it can't be found by the id: of somebody who was only invited.
CREATE FUNCTION erase_person(person uuid, known_as text) RETURNS void
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
    DELETE FROM invitations i WHERE i.tenant_id = tenant AND i.email = known_as;
    IF NOT EXISTS (SELECT FROM memberships m WHERE m.user_id = person) THEN
        DELETE FROM users u WHERE u.id = person;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION erase_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person TO pulsegate_query;
