-- API keys of stores and services; integrations of network servers and their secrets.

CREATE TABLE api_keys (
    tenant_id    int NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('store', 'service')),
    site_id      uuid,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    prefix       text NOT NULL,
    sha256       bytea NOT NULL CHECK (length(sha256) = 32), -- the key itself is nowhere
    scopes       text[] NOT NULL DEFAULT '{}',
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha256),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites,
    CHECK ((kind = 'store') = (site_id IS NOT NULL))
);
CALL fence('api_keys');
GRANT SELECT (tenant_id, id, kind, site_id, sha256, scopes, expires_at, revoked_at, last_used_at) ON api_keys
    TO pulsegate_ingest;
GRANT UPDATE (last_used_at) ON api_keys TO pulsegate_ingest;
GRANT SELECT ON api_keys TO pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON api_keys TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OF expires_at, revoked_at, site_id ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

CREATE TABLE integrations (
    tenant_id   int NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    dialect     text NOT NULL CHECK (dialect IN ('generic', 'chirpstack', 'tts', 'actility')),
    auth        text NOT NULL CHECK (auth IN ('hmac', 'standard-webhooks', 'header', 'basic')),
    header_name text CHECK (header_name ~ '^[A-Za-z0-9-]{1,64}$'),
    username    text CHECK (username <> '' AND username !~ ':'),
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((auth = 'header') = (header_name IS NOT NULL)),
    CHECK ((auth = 'basic') = (username IS NOT NULL))
);
CALL fence('integrations');
GRANT SELECT ON integrations TO pulsegate_ingest, pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON integrations TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OR DELETE ON integrations
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- An HMAC key must be readable, so a hash can't serve: AES-GCM under a master key, whose id stands beside.
CREATE TABLE integration_secrets (
    tenant_id      int NOT NULL REFERENCES tenants,
    id             uuid NOT NULL,
    integration_id uuid NOT NULL,
    master_key_id  text NOT NULL,
    sealed         bytea NOT NULL CHECK (length(sealed) > 28), -- nonce, at least one byte, tag: never an empty secret
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz,
    revoked_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations
);
CREATE INDEX integration_secrets_of ON integration_secrets (tenant_id, integration_id);
CALL fence('integration_secrets');
GRANT SELECT ON integration_secrets TO pulsegate_ingest;
GRANT SELECT (tenant_id, id, integration_id, created_at, expires_at, revoked_at) ON integration_secrets
    TO pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON integration_secrets TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OR DELETE ON integration_secrets
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- A webhook names its integration alone; this says whose it is, and holds no secret.
-- Ids only, readable before a tenant is known, hence policies of its own instead of the fence.
CREATE TABLE integration_routes (
    integration_id uuid PRIMARY KEY,
    tenant_id      int NOT NULL,
    FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations
);
ALTER TABLE integration_routes ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_routes FORCE ROW LEVEL SECURITY;
CREATE POLICY pulsegate_owner_backfills ON integration_routes TO pulsegate_owner USING (true) WITH CHECK (true);
CREATE POLICY pulsegate_system_own_tenant ON integration_routes TO pulsegate_system
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
CREATE POLICY pulsegate_lookup_reads ON integration_routes FOR SELECT TO pulsegate_lookup USING (true);
GRANT SELECT ON integration_routes TO pulsegate_lookup;
GRANT SELECT, INSERT ON integration_routes TO pulsegate_system;

CREATE FUNCTION tenant_by_integration(wanted uuid)
RETURNS TABLE (id int, uuid uuid, slug text, plan text, is_active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.uuid, t.slug, t.plan, t.is_active
      FROM public.integration_routes r JOIN public.tenants t ON t.id = r.tenant_id
     WHERE r.integration_id = wanted
$$;
ALTER FUNCTION tenant_by_integration OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION tenant_by_integration FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_by_integration TO pulsegate_ingest;
