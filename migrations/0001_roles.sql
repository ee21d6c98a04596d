-- The roles of the house. None has BYPASSRLS, none but the owner owns anything.
-- Roles belong to the whole cluster, so each is made only where it is missing; passwords are set by `pulsegate roles`.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('pulsegate_owner', false),   -- migrations; owns every object
            ('pulsegate_ingest', true),   -- the ingest process
            ('pulsegate_query', true),    -- the query process
            ('pulsegate_system', true),   -- jobs, compaction, onboarding
            ('pulsegate_lookup', false)   -- finds the tenant of a credential, by functions alone
        ) AS roles (name, can_login)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
                               wanted.name, CASE WHEN wanted.can_login THEN 'LOGIN' ELSE 'NOLOGIN' END);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this cluster is being migrated at this moment
            END;
        END IF;
    END LOOP;
    -- From PostgreSQL 16 on, who made a role administers it, and so counts as a member, but may not yet SET ROLE to it.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT pulsegate_owner TO %I', current_user);
    END IF;
    IF NOT pg_has_role('pulsegate_owner', 'pulsegate_lookup', 'MEMBER') THEN
        GRANT pulsegate_lookup TO pulsegate_owner; -- so that migrations can hand functions to it
    END IF;
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO pulsegate_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO pulsegate_ingest, pulsegate_query, pulsegate_system',
                   current_database());
END
$$;

GRANT USAGE, CREATE ON SCHEMA public TO pulsegate_owner;
-- An object's new owner needs CREATE on its schema; pulsegate_lookup cannot log in and runs only what migrations gave it.
GRANT USAGE, CREATE ON SCHEMA public TO pulsegate_lookup;
GRANT USAGE ON SCHEMA public TO pulsegate_ingest, pulsegate_query, pulsegate_system;
