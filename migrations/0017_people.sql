-- A tenant's own roles, invitations, memberships that end, forgotten passwords, and tenants that people found themselves.

LOCK TABLE sessions, memberships, users, tenants, sites IN ACCESS EXCLUSIVE MODE;

-- The roles of the house are in code; a tenant's own are a name for scopes beside them.
CREATE TABLE roles (
    tenant_id  int NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100
                                    AND lower(name) NOT IN ('viewer', 'operator', 'manager', 'admin', 'owner')),
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
CALL fence('roles');
GRANT SELECT, DELETE ON roles TO pulsegate_query;
GRANT INSERT (tenant_id, id, name, scopes), UPDATE (name, scopes, updated_at) ON roles TO pulsegate_query;
GRANT SELECT ON roles TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER UPDATE ON roles FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- Whoever had a role of no meaning had no right, and has none now.
UPDATE memberships SET role = 'none'
 WHERE role NOT IN ('viewer', 'operator', 'manager', 'admin', 'owner')
   AND (length(role) NOT BETWEEN 1 AND 100 OR lower(role) IN ('viewer', 'operator', 'manager', 'admin', 'owner'));
INSERT INTO roles (tenant_id, id, name, scopes)
SELECT tenant_id, gen_random_uuid(), role, '{}'::text[]
  FROM (SELECT DISTINCT tenant_id, role FROM memberships
         WHERE role NOT IN ('viewer', 'operator', 'manager', 'admin', 'owner')) AS unknown;

-- A role that somebody has is there: the key is null for roles of the house.
ALTER TABLE memberships
    ADD COLUMN own_role text GENERATED ALWAYS AS (
        CASE WHEN role IN ('viewer', 'operator', 'manager', 'admin', 'owner') THEN NULL ELSE role END) STORED,
    ADD CONSTRAINT memberships_own_role FOREIGN KEY (tenant_id, own_role) REFERENCES roles (tenant_id, name);
GRANT INSERT (tenant_id, user_id, role, site_ids), UPDATE (role, site_ids, updated_at), DELETE ON memberships
    TO pulsegate_query;
GRANT DELETE ON sessions, refresh_tokens TO pulsegate_query;
GRANT UPDATE (name) ON users TO pulsegate_query;

-- Somebody who may join. The row goes when they do.
CREATE TABLE invitations (
    tenant_id  int NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    email      text NOT NULL CHECK (email = lower(email) AND email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 254),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role       text NOT NULL,
    own_role   text GENERATED ALWAYS AS (
        CASE WHEN role IN ('viewer', 'operator', 'manager', 'admin', 'owner') THEN NULL ELSE role END) STORED,
    site_ids   uuid[] NOT NULL DEFAULT '{}', -- empty: every site
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    invited_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, sha256),
    CONSTRAINT invitations_own_role FOREIGN KEY (tenant_id, own_role) REFERENCES roles (tenant_id, name)
);
CALL fence('invitations');
GRANT SELECT, DELETE ON invitations TO pulsegate_query;
GRANT INSERT (tenant_id, id, email, name, role, site_ids, sha256, invited_by, expires_at),
      UPDATE (name, role, site_ids, sha256, invited_by, expires_at, updated_at) ON invitations TO pulsegate_query;
GRANT SELECT, DELETE ON invitations TO pulsegate_system;

-- In a tenant of the person's, so that the token can be looked for as that tenant. Any new password makes all of them void.
CREATE TABLE password_resets (
    tenant_id  int NOT NULL,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    user_id    uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, sha256),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships
);
CREATE INDEX password_resets_of_user ON password_resets (tenant_id, user_id);
CALL fence('password_resets');
GRANT SELECT, INSERT, DELETE ON password_resets TO pulsegate_query;
GRANT SELECT, DELETE ON password_resets TO pulsegate_system;

-- Tells too whether somebody else chose the password.
GRANT SELECT (password_change_required) ON users TO pulsegate_lookup;
DROP FUNCTION sign_in_by_email(text);
CREATE FUNCTION sign_in_by_email(wanted text)
RETURNS TABLE (user_id uuid, password_hash text, password_set_at timestamptz, password_change_required boolean,
               tenant_id int, tenant_uuid uuid, tenant_slug text, tenant_name text, plan text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.password_hash, u.password_set_at, u.password_change_required, t.id, t.uuid, t.slug, t.name, t.plan, m.role
      FROM public.users u
      LEFT JOIN (public.memberships m JOIN public.tenants t ON t.id = m.tenant_id AND t.is_active) ON m.user_id = u.id
     WHERE u.email = lower(wanted)
     ORDER BY t.slug
$$;
ALTER FUNCTION sign_in_by_email OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION sign_in_by_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_by_email TO pulsegate_query;

-- A person is nobody's row until a membership shows it, so making one takes a right that no tenant has.
CREATE FUNCTION add_user(new_id uuid, new_email text, new_name text, new_hash text, must_change boolean)
RETURNS boolean -- null for an address that is known
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.users (id, email, name, password_hash, password_change_required)
    VALUES (new_id, new_email, new_name, new_hash, must_change)
    ON CONFLICT (email) DO NOTHING
    RETURNING true
$$;
REVOKE ALL ON FUNCTION add_user FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_user TO pulsegate_query;

CREATE FUNCTION found_tenant(new_uuid uuid, new_slug text, new_name text, new_plan text, new_max_stores int)
RETURNS TABLE (id int, uuid uuid, slug text, plan text, is_active boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO public.tenants AS t (uuid, slug, name, plan, max_stores)
    VALUES (new_uuid, new_slug, new_name, new_plan, new_max_stores)
    RETURNING t.id, t.uuid, t.slug, t.plan, t.is_active
$$;
REVOKE ALL ON FUNCTION found_tenant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION found_tenant TO pulsegate_query;

GRANT UPDATE (name, settings, feature_flags, billing_email, admin_contact, whatsapp_numbers, is_active, updated_at)
    ON tenants TO pulsegate_query;

-- RFC 7396.
CREATE FUNCTION merge_patch(target jsonb, patch jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    member record;
BEGIN
    IF jsonb_typeof(patch) <> 'object' THEN
        RETURN patch;
    END IF;
    IF jsonb_typeof(target) IS DISTINCT FROM 'object' THEN
        target := '{}';
    END IF;
    FOR member IN SELECT key, value FROM jsonb_each(patch) LOOP
        IF jsonb_typeof(member.value) = 'null' THEN
            target := target - member.key;
        ELSE
            target := target || jsonb_build_object(member.key, merge_patch(target -> member.key, member.value));
        END IF;
    END LOOP;
    RETURN target;
END
$$;
ALTER TABLE tenants
    ADD CONSTRAINT tenants_settings_size CHECK (length(settings::text) <= 65536),
    ADD CONSTRAINT tenants_feature_flags_size CHECK (length(feature_flags::text) <= 65536);

-- The last owner stays. Two who go at once take turns by the tenant's row.
CREATE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM FROM tenants WHERE id = OLD.tenant_id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM memberships WHERE tenant_id = OLD.tenant_id AND role = 'owner') THEN
        RAISE EXCEPTION 'the last owner' USING ERRCODE = 'PG001';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_an_owner AFTER UPDATE OF role OR DELETE ON memberships
    FOR EACH ROW WHEN (OLD.role = 'owner') EXECUTE FUNCTION keep_an_owner();

-- No more stores than the tenant may have; those that come at once take turns by the tenant's row. Who has too many already, since
-- the plan shrank, may still change them.
CREATE FUNCTION check_store_quota(tenant int) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    allowed int;
BEGIN
    SELECT max_stores INTO allowed FROM tenants WHERE id = tenant FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM sites WHERE tenant_id = tenant AND kind = 'store' AND deleted_at IS NULL) > allowed THEN
        RAISE EXCEPTION 'more than % stores', allowed USING ERRCODE = 'PG002';
    END IF;
END
$$;
CREATE FUNCTION keep_quota_of_new_stores() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_store_quota(s.tenant_id)
       FROM (SELECT DISTINCT tenant_id FROM added WHERE kind = 'store' AND deleted_at IS NULL ORDER BY 1) AS s;
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_quota_of_changed_store() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM check_store_quota(NEW.tenant_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_quota_of_new_stores AFTER INSERT ON sites
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_quota_of_new_stores();
CREATE TRIGGER keep_quota_of_changed_store AFTER UPDATE OF kind, deleted_at ON sites
    FOR EACH ROW WHEN (NEW.kind = 'store' AND NEW.deleted_at IS NULL
                       AND (OLD.kind <> 'store' OR OLD.deleted_at IS NOT NULL))
    EXECUTE FUNCTION keep_quota_of_changed_store();
