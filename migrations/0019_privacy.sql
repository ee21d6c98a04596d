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
GRANT SELECT, INSERT ON export_parts TO pulsegate_query;
GRANT SELECT, DELETE ON export_parts TO pulsegate_system;

GRANT SELECT ON orphan_uplinks TO pulsegate_query;

-- Blanks what the current tenant keeps of somebody who is no member any more: in the audit log who it was, where from and what they were
-- called; their id stays, so that entries of one person still belong together. Nothing else may change an entry. The person's row goes
-- when no tenant has them.
CREATE FUNCTION erase_person(person uuid) RETURNS boolean -- whether anything was known
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
    known_as text;
    touched bigint;
    more bigint;
BEGIN
    IF EXISTS (SELECT FROM memberships m WHERE m.tenant_id = tenant AND m.user_id = person) THEN
        RAISE EXCEPTION 'a member is not erased' USING ERRCODE = '55000';
    END IF;
    SELECT coalesce((SELECT u.email FROM users u WHERE u.id = person),
                    (SELECT a.actor_name FROM audit_logs a
                      WHERE a.tenant_id = tenant AND a.actor_kind = 'user' AND a.actor_id = person LIMIT 1))
      INTO known_as;
    UPDATE audit_logs a SET actor_name = 'erased', address = NULL, user_agent = NULL
     WHERE a.tenant_id = tenant AND a.actor_kind = 'user' AND a.actor_id = person AND a.actor_name <> 'erased';
    GET DIAGNOSTICS touched = ROW_COUNT;
    UPDATE audit_logs a
       SET before = CASE WHEN before ? 'email' THEN before || '{"email": "erased", "name": "erased"}' ELSE before END,
           after = CASE WHEN after ? 'email' THEN after || '{"email": "erased", "name": "erased"}' ELSE after END
     WHERE a.tenant_id = tenant AND a.resource_type = 'user'
       AND (a.resource_id = person::text OR a.before ->> 'email' = known_as OR a.after ->> 'email' = known_as);
    GET DIAGNOSTICS more = ROW_COUNT;
    DELETE FROM invitations i WHERE i.tenant_id = tenant AND i.email = known_as;
    IF touched + more > 0 AND NOT EXISTS (SELECT FROM memberships m WHERE m.user_id = person) THEN
        DELETE FROM users u WHERE u.id = person;
    END IF;
    RETURN touched + more > 0;
END
$$;
REVOKE ALL ON FUNCTION erase_person FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person TO pulsegate_query;
