-- People, their memberships and their sign-ins. A person is one row, whatever the number of tenants.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email) AND email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 254),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    password_hash text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz
);

CREATE TABLE memberships (
    tenant_id  int NOT NULL REFERENCES tenants,
    user_id    uuid NOT NULL REFERENCES users,
    role       text NOT NULL,
    site_ids   uuid[] NOT NULL DEFAULT '{}', -- empty: every site
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX memberships_of_user ON memberships (user_id);
CALL fence('memberships');
CREATE POLICY pulsegate_lookup_reads ON memberships FOR SELECT TO pulsegate_lookup USING (true);
GRANT SELECT (tenant_id, user_id, role) ON memberships TO pulsegate_lookup;
GRANT SELECT ON memberships TO pulsegate_query;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO pulsegate_system;

-- users has no tenant: a row is visible through a membership in the current one.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY pulsegate_query_members ON users TO pulsegate_query
    USING (EXISTS (SELECT FROM memberships m
                    WHERE m.tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int)
                      AND m.user_id = users.id));
CREATE POLICY pulsegate_system_all_users ON users TO pulsegate_system USING (true) WITH CHECK (true);
CREATE POLICY pulsegate_owner_backfills ON users TO pulsegate_owner USING (true) WITH CHECK (true);
CREATE POLICY pulsegate_lookup_reads ON users FOR SELECT TO pulsegate_lookup USING (true);
GRANT SELECT (id, email, name, password_hash) ON users TO pulsegate_lookup;
GRANT SELECT (id, email, name, created_at, updated_at, last_login_at) ON users TO pulsegate_query;
GRANT UPDATE (password_hash, last_login_at) ON users TO pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON users TO pulsegate_system;

-- Sign-in knows an e-mail only; one row per membership, or one without tenant for a person who has none.
CREATE FUNCTION sign_in_by_email(wanted text)
RETURNS TABLE (user_id uuid, password_hash text, tenant_id int, tenant_uuid uuid, tenant_slug text, tenant_name text,
               plan text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.password_hash, t.id, t.uuid, t.slug, t.name, t.plan, m.role
      FROM public.users u
      LEFT JOIN (public.memberships m JOIN public.tenants t ON t.id = m.tenant_id AND t.is_active) ON m.user_id = u.id
     WHERE u.email = lower(wanted)
     ORDER BY t.slug
$$;
ALTER FUNCTION sign_in_by_email OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION sign_in_by_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_by_email TO pulsegate_query;

CREATE TABLE sessions (
    tenant_id  int NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    user_id    uuid NOT NULL,
    address    text,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships
);
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id);
CALL fence('sessions');
GRANT SELECT, INSERT, UPDATE ON sessions TO pulsegate_query;
GRANT SELECT, UPDATE, DELETE ON sessions TO pulsegate_system;

CREATE TABLE refresh_tokens (
    tenant_id  int NOT NULL,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    session_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (tenant_id, sha256),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions
);
CALL fence('refresh_tokens');
GRANT SELECT, INSERT, UPDATE ON refresh_tokens TO pulsegate_query;
GRANT SELECT, DELETE ON refresh_tokens TO pulsegate_system;
