-- What the house does by itself, and when it did; a tenant's weekly reports.

-- Of the whole installation: it holds nothing of any tenant.
CREATE TABLE job_runs (
    id          uuid PRIMARY KEY,
    job         text NOT NULL CHECK (job ~ '^[a-z][a-z-]{0,49}$'),
    due_at      timestamptz NOT NULL, -- what it was done for
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'succeeded', 'failed')),
    by_hand     boolean NOT NULL DEFAULT false,
    runner      text NOT NULL CHECK (length(runner) <= 200), -- the machine and process
    changed     bigint, -- rows, over all tenants
    error       text CHECK (length(error) <= 2000),
    CHECK ((status = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_runs_of_job ON job_runs (job, started_at);
CREATE INDEX job_runs_started ON job_runs (started_at, id);
GRANT SELECT, INSERT, DELETE, UPDATE (finished_at, status, changed, error) ON job_runs TO pulsegate_system;
-- Not what it says of all tenants together.
GRANT SELECT (id, job, due_at, started_at, finished_at, status, by_hand) ON job_runs TO pulsegate_query;

CREATE TABLE weekly_reports (
    tenant_id  int NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    week       date NOT NULL, -- its first day, a Sunday, in UTC
    report     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, week)
);
CALL fence('weekly_reports');
GRANT SELECT ON weekly_reports TO pulsegate_query;
GRANT SELECT, INSERT ON weekly_reports TO pulsegate_system;
