-- no transaction
-- What ends with a session.
CREATE INDEX CONCURRENTLY IF NOT EXISTS refresh_tokens_of_session ON refresh_tokens (tenant_id, session_id);
