import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct CleanupTests {
    /// An old and a young one of everything, of both tenants; `old` and `young` are in their names.
    private static let planted = """
        TRUNCATE events, webhook_endpoints, purchase_requests CASCADE;
        INSERT INTO purchase_requests (tenant_id, id, site_id, currency, requester_id, note, status, updated_at)
        SELECT s.tenant_id, gen_random_uuid(), s.id, 'EUR', gen_random_uuid(), w.note, w.status, now() - w.age
          FROM sites s, (VALUES ('old draft', 'draft', interval '31 days'), ('young draft', 'draft', '29 days'),
                                ('old submitted', 'submitted', '31 days')) AS w (note, status, age)
         WHERE s.code = 'T01';
        INSERT INTO webhook_endpoints (tenant_id, id, url) SELECT id, gen_random_uuid(), 'https://example.com' FROM tenants WHERE slug IN ('north', 'south');
        INSERT INTO events (tenant_id, id, type, at, data, position)
        SELECT t.id, gen_random_uuid(), w.type, now() - w.age, '{}', w.position
          FROM (SELECT * FROM tenants WHERE slug IN ('north', 'south')) t, (VALUES ('x.old', interval '31 days', 1), ('x.old_pending', '31 days', 2), ('x.young', '29 days', 3),
                                  ('x.old_delivered', '31 days', 4), ('x.old_unplaced', '31 days', NULL)) AS w (type, age, position);
        INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id, status, delivered_at)
        SELECT e.tenant_id, gen_random_uuid(), w.id, e.id, CASE e.type WHEN 'x.old_pending' THEN 'pending' ELSE 'delivered' END,
               CASE e.type WHEN 'x.old_pending' THEN NULL ELSE now() END
          FROM events e JOIN webhook_endpoints w ON w.tenant_id = e.tenant_id WHERE e.type <> 'x.old';
        INSERT INTO notifications (tenant_id, id, channel, recipient, subject, body, status, delivered_at, created_at)
        SELECT t.id, gen_random_uuid(), 'email', 'a@example.com', w.subject, '', w.status,
               CASE w.status WHEN 'delivered' THEN now() END, now() - w.age
          FROM (SELECT * FROM tenants WHERE slug IN ('north', 'south')) t, (VALUES ('old', 'delivered', interval '31 days'), ('old dead', 'dead', '31 days'),
                                  ('old pending', 'pending', '31 days'), ('young', 'delivered', '29 days')) AS w (subject, status, age);
        INSERT INTO quarantine (tenant_id, id, integration_id, received_at, reason, body)
        SELECT t.id, gen_random_uuid(), gen_random_uuid(), now() - w.age, w.reason, ''
          FROM (SELECT * FROM tenants WHERE slug IN ('north', 'south')) t, (VALUES ('old', interval '8 days'), ('young', '6 days')) AS w (reason, age);
        INSERT INTO idempotency_keys (tenant_id, operation, key, payload, created_at)
        SELECT t.id, 'x', w.key, sha256(''), now() - w.age
          FROM (SELECT * FROM tenants WHERE slug IN ('north', 'south')) t, (VALUES ('old', interval '31 days'), ('young', '29 days')) AS w (key, age);
        INSERT INTO sessions (tenant_id, id, user_id)
        SELECT m.tenant_id, md5(m.tenant_id || w.name)::uuid, m.user_id
          FROM memberships m, (VALUES ('gone'), ('stays')) AS w (name) WHERE m.role = 'owner';
        INSERT INTO refresh_tokens (tenant_id, sha256, session_id, expires_at)
        SELECT m.tenant_id, sha256((w.name || w.age)::bytea), md5(m.tenant_id || w.name)::uuid, now() - w.age
          FROM memberships m, (VALUES ('gone', interval '31 days'), ('stays', '31 days'), ('stays', '29 days')) AS w (name, age)
         WHERE m.role = 'owner';
        INSERT INTO webhook_messages (tenant_id, integration_id, id_hash, received_at)
        SELECT t.id, gen_random_uuid(), md5(w.age::text)::uuid, now() - w.age
          FROM tenants t, (VALUES (interval '31 days'), ('29 days')) AS w (age) WHERE t.slug IN ('north', 'south');
        INSERT INTO orphan_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, integration_id)
        SELECT t.id, 3, now(), 0, 1, now() - w.age, false, gen_random_uuid()
          FROM tenants t, (VALUES (interval '8 days'), ('6 days')) AS w (age) WHERE t.slug IN ('north', 'south');
        INSERT INTO job_runs (id, job, due_at, started_at, finished_at, status, runner)
        SELECT gen_random_uuid(), 'partitions', now() - w.age, now() - w.age, now(), 'succeeded', w.runner
          FROM (VALUES ('old', interval '91 days'), ('young', '89 days')) AS w (runner, age);
        """

    private static let left: Statement<String> = """
        SELECT line FROM (
            SELECT DISTINCT 'draft ' || note AS line FROM purchase_requests WHERE deleted_at IS NULL
            UNION SELECT 'event ' || type FROM events WHERE type LIKE 'x.%'
            UNION SELECT 'notification ' || subject FROM notifications
            UNION SELECT 'quarantine ' || reason FROM quarantine
            UNION SELECT 'key ' || key FROM idempotency_keys
            UNION SELECT 'sessions ' || count(*) FROM sessions
            UNION SELECT 'tokens ' || count(*) FROM refresh_tokens
            UNION SELECT 'messages ' || count(*) FROM webhook_messages
            UNION SELECT 'orphans'' uplinks ' || count(*) FROM orphan_uplinks WHERE owner_id = 3
            UNION SELECT 'run ' || runner FROM job_runs) AS lines
         ORDER BY line
        """

    private static func clean(_ database: MigratedDatabase) async throws -> Int {
        try await database.withPool(as: .system) { pool in
            try await Cleanup(database: pool, logger: .silent).run(at: .now())
        }
    }

    @Test func whatIsOldGoesAndWhatIsYoungerStays() async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { try await $0.execute(script: Self.planted) }
            #expect(try await Self.clean(database) == 2 * 10 + 1)
            #expect(try await Self.clean(database) == 0)
            #expect(
                try await database.asSuperuser { try await $0.all(Self.left) } == [
                    "draft old submitted", "draft young draft", "event x.old_delivered", "event x.old_pending",
                    "event x.old_unplaced",
                    "event x.young",
                    "key young", "messages 2", "notification old pending", "notification young", "orphans' uplinks 2",
                    "quarantine young", "run young", "sessions 2", "tokens 2",
                ])
            let told: [Int64] = try await database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT count(*) FROM audit_logs WHERE action = 'purchase_request.deleted' AND actor_name = 'cleanup' UNION ALL
                    SELECT count(*) FROM events WHERE type = 'purchase_request.deleted' AND site_id IS NOT NULL
                    """)
            }
            #expect(told == [2, 2])
        }
    }

    @Test func itGoesOnUntilNothingIsLeft() async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        TRUNCATE events CASCADE;
                        INSERT INTO events (tenant_id, id, type, at, data, position)
                        SELECT t.id, gen_random_uuid(), 'x.old', now() - interval '31 days', '{}', i FROM tenants t, generate_series(1, 2500) AS i
                         WHERE t.slug IN ('north', 'south');
                        INSERT INTO job_runs (id, job, due_at, started_at, finished_at, status, runner)
                        SELECT gen_random_uuid(), 'no-shows', now(), now() - i * interval '1 second', now(), 'succeeded', 'x'
                          FROM generate_series(1, 11500) AS i;
                        """)
            }
            #expect(try await Self.clean(database) == 5_000 + 1_500)
            let left: [Int64] = try await database.asSuperuser { connection in
                try await connection.all(
                    "SELECT count(*) FROM events WHERE type = 'x.old' UNION ALL SELECT count(*) FROM job_runs")
            }
            #expect(left == [0, 10_000])
        }
    }
}
