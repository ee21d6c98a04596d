-- Sessions end one by one, or all of a person's at once, in whatever tenants they are; caches are told of either.

-- In the order in which a sign-in takes them.
LOCK TABLE sessions, memberships, users IN ACCESS EXCLUSIVE MODE;

ALTER TABLE users
    -- Sessions that began earlier are over: one row ends those of all tenants.
    ADD COLUMN sessions_valid_from timestamptz NOT NULL DEFAULT '-infinity',
    -- Nothing else may be done before.
    ADD COLUMN password_change_required boolean NOT NULL DEFAULT false,
    -- Tells whether a password is still the one that was checked; its hash is not for the query process to compare.
    ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT now();
GRANT SELECT (password_set_at) ON users TO pulsegate_lookup;
GRANT SELECT (sessions_valid_from, password_change_required, password_set_at) ON users TO pulsegate_query;
GRANT UPDATE (sessions_valid_from, password_change_required, password_set_at, updated_at) ON users TO pulsegate_query;

DROP FUNCTION sign_in_by_email(text);
CREATE FUNCTION sign_in_by_email(wanted text)
RETURNS TABLE (user_id uuid, password_hash text, password_set_at timestamptz, tenant_id int, tenant_uuid uuid,
               tenant_slug text, tenant_name text, plan text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.password_hash, u.password_set_at, t.id, t.uuid, t.slug, t.name, t.plan, m.role
      FROM public.users u
      LEFT JOIN (public.memberships m JOIN public.tenants t ON t.id = m.tenant_id AND t.is_active) ON m.user_id = u.id
     WHERE u.email = lower(wanted)
     ORDER BY t.slug
$$;
ALTER FUNCTION sign_in_by_email OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION sign_in_by_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sign_in_by_email TO pulsegate_query;

CREATE TRIGGER tell_caches AFTER UPDATE OF ended_at ON sessions
    FOR EACH ROW WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at) EXECUTE FUNCTION notify_change();
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OR DELETE ON memberships
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- A person's row has no tenant: all of theirs are told, also those that whoever changed it can't see.
CREATE FUNCTION notify_tenants_of_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_notify('pulsegate_changes', 'users:' || m.tenant_id)
       FROM public.memberships m WHERE m.user_id = NEW.id;
    RETURN NULL;
END
$$;
ALTER FUNCTION notify_tenants_of_user OWNER TO pulsegate_lookup;
REVOKE ALL ON FUNCTION notify_tenants_of_user FROM PUBLIC;
CREATE TRIGGER tell_caches AFTER UPDATE OF sessions_valid_from, password_change_required ON users
    FOR EACH ROW EXECUTE FUNCTION notify_tenants_of_user();
