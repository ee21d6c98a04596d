-- Integrations, their secrets and sites are made and withdrawn over the API too. A secret goes in sealed and is not read back.

GRANT INSERT (tenant_id, id, name, dialect, auth, header_name, username, is_active),
      UPDATE (name, header_name, username, is_active, updated_at, deleted_at) ON integrations TO pulsegate_query;
GRANT INSERT (tenant_id, id, integration_id, master_key_id, sealed), UPDATE (expires_at, revoked_at)
    ON integration_secrets TO pulsegate_query;
CREATE POLICY pulsegate_query_own_tenant ON integration_routes TO pulsegate_query
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::int));
GRANT INSERT ON integration_routes TO pulsegate_query;
ALTER TABLE sites ADD CONSTRAINT sites_settings_size CHECK (length(settings::text) <= 65536) NOT VALID;
GRANT INSERT (tenant_id, id, code, name, kind, timezone, address, latitude, longitude, expected_interval_s, settings) ON sites
    TO pulsegate_query;
