-- no transaction
-- What can be forgotten.
CREATE INDEX CONCURRENTLY IF NOT EXISTS refresh_tokens_expiry ON refresh_tokens (tenant_id, expires_at);
