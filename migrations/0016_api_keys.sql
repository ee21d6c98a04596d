-- Keys are made and withdrawn over the API too.

GRANT INSERT (tenant_id, id, kind, site_id, name, prefix, sha256, scopes, created_by, expires_at) ON api_keys
    TO pulsegate_query;
GRANT UPDATE (name, scopes, expires_at, revoked_at, last_used_at, updated_at) ON api_keys TO pulsegate_query;

-- A gateway may write to its store, and nothing else.
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_of_services CHECK (kind = 'service' OR scopes = '{}');

DROP TRIGGER tell_caches ON api_keys;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OF scopes, expires_at, revoked_at, site_id ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
