-- no transaction
-- What became of something, in the order of time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_of_resource ON audit_logs (tenant_id, resource_type, resource_id, at, id);
