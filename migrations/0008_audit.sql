-- Who changed what. Append-only for every role that can log in: nobody is granted UPDATE or DELETE.
CREATE TABLE audit_logs (
    tenant_id     int NOT NULL,
    id            uuid NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    actor_kind    text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'system')),
    actor_id      uuid,
    actor_name    text NOT NULL,
    action        text NOT NULL,
    resource_type text NOT NULL,
    resource_id   text,
    before        jsonb,
    after         jsonb,
    address       text,
    user_agent    text,
    request_id    text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_logs_at ON audit_logs (tenant_id, at, id);
CALL fence('audit_logs');
GRANT SELECT, INSERT ON audit_logs TO pulsegate_query, pulsegate_system;
