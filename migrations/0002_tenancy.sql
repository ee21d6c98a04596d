-- Tenants, and the one procedure by which every tenant table is fenced.

-- Row-level security for one table: FORCEd, a policy by name for each role that works inside one tenant, and one for
-- the owner's backfills. `app.tenant_id` is '' (not NULL) on a pooled connection after a transaction, hence nullif.
-- What a role may do at all is said by GRANTs; a policy only says on which rows.
CREATE PROCEDURE fence(relation regclass, tenant_column name DEFAULT 'tenant_id') LANGUAGE plpgsql AS $$
DECLARE
    own_rows text := format('%I = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::int)', tenant_column);
    role name;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    FOREACH role IN ARRAY ARRAY['pulsegate_ingest', 'pulsegate_query', 'pulsegate_system'] LOOP
        EXECUTE format('CREATE POLICY %I ON %s TO %I USING (%s) WITH CHECK (%s)',
                       role || '_own_tenant', relation, role, own_rows, own_rows);
    END LOOP;
    EXECUTE format('CREATE POLICY pulsegate_owner_backfills ON %s TO pulsegate_owner USING (true) WITH CHECK (true)',
                   relation);
END
$$;
REVOKE ALL ON PROCEDURE fence FROM PUBLIC;

-- Tells caches that something of a kind changed in a tenant. Ids only: channels have no access control.
-- Used on tables that people change, never on the data path (NOTIFY serialises commits).
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pulsegate_changes', TG_TABLE_NAME || ':' || coalesce(current_setting('app.tenant_id', true), ''));
    RETURN NULL;
END
$$;

CREATE TABLE tenants (
    id               int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid             uuid NOT NULL UNIQUE,
    slug             text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,48}$'),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    plan             text NOT NULL DEFAULT 'basic' CHECK (plan IN ('basic', 'premium', 'enterprise')),
    is_active        boolean NOT NULL DEFAULT true,
    max_stores       int NOT NULL DEFAULT 30 CHECK (max_stores >= 0),
    max_monthly_cost numeric(14, 2) CHECK (max_monthly_cost >= 0),
    settings         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    feature_flags    jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(feature_flags) = 'object'),
    billing_email    text,
    admin_contact    text,
    whatsapp_numbers text[] NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CALL fence('tenants', 'id');
-- Jobs and onboarding walk the tenants before they choose one.
CREATE POLICY pulsegate_system_all_tenants ON tenants TO pulsegate_system USING (true) WITH CHECK (true);
CREATE POLICY pulsegate_lookup_reads ON tenants FOR SELECT TO pulsegate_lookup USING (true);
GRANT SELECT (id, uuid, slug, name, plan, is_active) ON tenants TO pulsegate_lookup;
GRANT SELECT ON tenants TO pulsegate_ingest, pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON tenants TO pulsegate_system;

CREATE FUNCTION notify_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('pulsegate_changes', 'tenants:' || NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_caches AFTER UPDATE OF is_active, plan, settings, slug ON tenants
    FOR EACH ROW EXECUTE FUNCTION notify_tenant();

INSERT INTO tenants (uuid, slug, name) VALUES (gen_random_uuid(), 'default', 'Default');

-- A store key carries its tenant's slug: the only thing that is read before a tenant is set.
CREATE FUNCTION tenant_by_slug(wanted text)
RETURNS TABLE (id int, uuid uuid, slug text, plan text, is_active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.uuid, t.slug, t.plan, t.is_active FROM public.tenants t WHERE t.slug = wanted
$$;
ALTER FUNCTION tenant_by_slug OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION tenant_by_slug FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_by_slug TO pulsegate_ingest, pulsegate_query;

CREATE FUNCTION tenant_by_uuid(wanted uuid)
RETURNS TABLE (id int, uuid uuid, slug text, plan text, is_active boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.uuid, t.slug, t.plan, t.is_active FROM public.tenants t WHERE t.uuid = wanted
$$;
ALTER FUNCTION tenant_by_uuid OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION tenant_by_uuid FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_by_uuid TO pulsegate_query;
