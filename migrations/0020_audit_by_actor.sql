-- no transaction
-- What somebody did, in the order of time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_of_actor ON audit_logs (tenant_id, actor_id, at, id);
