import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct DoctorTests {
    private static func levels(_ check: any DoctorCheck, _ operated: OperatedDatabase) async -> [Finding.Level] {
        await check.run(on: operated.system.database).map(\.level)
    }

    /// The check is content before the fault is planted, and fails after.
    private static func finds(
        _ check: any DoctorCheck, level: Finding.Level = .fail, after fault: Command, _ operated: OperatedDatabase
    ) async throws {
        #expect(await levels(check, operated) == [.ok])
        try await operated.migrated.asSuperuser { connection in try await connection.run(fault) }
        #expect(await levels(check, operated) == [level])
    }

    @Test func aGrantOnAPartition() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                PartitionGrantCheck(), after: "GRANT SELECT ON uplinks_rest TO pulsegate_query", operated)
        }
    }

    @Test func aGrantOnAColumnOfAPartition() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                PartitionGrantCheck(), after: "GRANT SELECT (payload) ON uplinks_rest TO pulsegate_query", operated)
        }
    }

    @Test func aTableWithoutItsFence() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(FenceCheck(), after: "ALTER TABLE sites NO FORCE ROW LEVEL SECURITY", operated)
        }
    }

    @Test func aPartitionThatForgotRowLevelSecurity() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                FenceCheck(), after: "ALTER TABLE batch_keys_1 DISABLE ROW LEVEL SECURITY", operated)
        }
    }

    @Test func aMissingPartition() async throws {
        try await OperatedDatabase.with { operated in
            let next = Timestamp.now().seconds / (30 * 86_400) + 1
            try await Self.finds(
                PartitionCheck(), after: "DROP TABLE \(.identifier("uplinks_p\(next)"))", operated)
        }
    }

    @Test func aRingThatStandsStill() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                RingCheck(), level: .warn, after: "UPDATE batch_key_ring SET turned_at = now() - interval '5 hours'",
                operated)
        }
    }

    @Test func aLogThatNobodyCompacts() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                BacklogCheck(),
                after: """
                    INSERT INTO sample_log (tenant_id, owner_id, received_at, series, ts, value)
                    VALUES (\(operated.tenant.id), 1, now() - interval '1 day', '{1}', '{1}', '{1}')
                    """, operated)
        }
    }

    @Test func reservationsThatNobodyLooksAfter() async throws {
        try await OperatedDatabase.with { operated in
            let overdue: Command = """
                WITH place AS (
                    INSERT INTO spaces (tenant_id, id, site_id, code, name)
                    SELECT tenant_id, gen_random_uuid(), id, 'R1', 'R1' FROM sites WHERE code = 'T01' RETURNING tenant_id, id
                )
                INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_name, expires_at)
                SELECT tenant_id, gen_random_uuid(), id, now(), now() + interval '1 hour', 'pending', 'Ana', now() - interval '2 hours'
                  FROM place
                """
            try await Self.finds(ReservationCheck(), level: .warn, after: overdue, operated)
        }
    }

    @Test(
        arguments: [
            "UPDATE stock_levels SET quantity = quantity + 1",
            "INSERT INTO stock_levels (tenant_id, product_id, site_id, quantity) SELECT l.tenant_id, l.product_id, s.id, 1 FROM stock_levels l JOIN sites s ON s.tenant_id = l.tenant_id AND s.code = 'T02'",
            "UPDATE vales SET number = number + 1",
            "UPDATE vale_numbers SET last = last + 1",
            "DELETE FROM vale_lines",
            "INSERT INTO stock_transfers (tenant_id, id, product_id, from_site_id, to_site_id, quantity) SELECT l.tenant_id, gen_random_uuid(), l.product_id, l.site_id, s.id, 1 FROM stock_levels l JOIN sites s ON s.tenant_id = l.tenant_id AND s.code = 'T02'",
        ] as [Command])
    func aLawOfTheLedgerThatIsBroken(fault: Command) async throws {
        try await OperatedDatabase.with { operated in
            try await operated.migrated.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency)
                        SELECT tenant_id, gen_random_uuid(), 'A', 'A', 'kg', 1, 'EUR' FROM sites WHERE code = 'T01';
                        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
                        SELECT s.tenant_id, gen_random_uuid(), p.id, s.id, 5, 'receipt', 'system', 'tests'
                          FROM sites s JOIN products p ON p.tenant_id = s.tenant_id WHERE s.code = 'T01';
                        INSERT INTO vales (tenant_id, id, site_id) SELECT tenant_id, gen_random_uuid(), id FROM sites WHERE code = 'T01';
                        INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
                        SELECT v.tenant_id, v.id, p.id, 0, 2, 1, 'EUR' FROM vales v JOIN products p ON p.tenant_id = v.tenant_id;
                        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, vale_id, actor_kind, actor_name)
                        SELECT v.tenant_id, gen_random_uuid(), p.id, v.site_id, -2, 'vale', v.id, 'system', 'tests'
                          FROM vales v JOIN products p ON p.tenant_id = v.tenant_id;
                        """)
            }
            try await Self.finds(LedgerCheck(), after: fault, operated)
        }
    }

    @Test func whatNobodySends() async throws {
        try await OperatedDatabase.with { operated in
            let tenant = operated.tenant.id
            try await Self.finds(
                OutboxCheck(), level: .warn,
                after: """
                    INSERT INTO notifications (tenant_id, id, channel, recipient, subject, body, next_attempt_at)
                    VALUES (\(tenant), \(UUID()), 'email', 'a@example.com', 'S', '', now() - interval '1 hour')
                    """, operated)
        }
    }

    @Test func jobsThatFailOrDoNotRun() async throws {
        try await OperatedDatabase.with { operated in
            #expect(await Self.levels(JobCheck(), operated) == [.warn], "none ran yet")
            let run = { @Sendable (status: String) -> Command in
                """
                INSERT INTO job_runs (id, job, due_at, started_at, finished_at, status, runner)
                VALUES (\(UUID()), 'cleanup', now(), clock_timestamp(), clock_timestamp(), \(status), 'tests')
                """
            }
            try await operated.migrated.asSuperuser { try await $0.run(run("succeeded")) }
            try await Self.finds(JobCheck(), after: run("failed"), operated)
        }
    }

    @Test func aSchemaThatIsBehind() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.finds(
                SchemaCheck(), after: "DELETE FROM schema_migrations WHERE version = \(SchemaVersion.required)",
                operated)
        }
    }

    @Test func aSecretUnderAnotherMasterKey() async throws {
        try await OperatedDatabase.with { operated in
            let right = SecretCheck(secretBox: try OperatedDatabase.secretBox.get())
            #expect(await Self.levels(right, operated) == [.ok])
            let other = try SecretBox(masterKey: "k1:" + Data(repeating: 8, count: 32).base64EncodedString())
            #expect(await Self.levels(SecretCheck(secretBox: other), operated) == [.fail])
            #expect(await Self.levels(SecretCheck(secretBox: nil), operated) == [.warn])
            // Of a webhook, beside one of an integration that opens.
            _ = try await operated.addWebhookSecret("whsec_b3Blbg==", sealedBy: other)
            #expect(await Self.levels(right, operated) == [.fail])
        }
    }

    @Test func acknowledgementsThatAreNotDurable() async throws {
        try await MigratedDatabase.withClone { migrated in
            try await migrated.asSuperuser { connection in
                try await connection.run(
                    "ALTER DATABASE \(.identifier(migrated.name)) SET synchronous_commit = off")
            }
            let findings = try await migrated.withPool(as: .system) { await DurabilityCheck().run(on: $0) }
            #expect(findings.map(\.level) == [.fail])
            #expect(findings.first?.detail.contains("synchronous_commit = off") == true)
        }
    }

    @Test func vacuumThatComesTooRarely() async throws {
        let check = VacuumCheck()
        #expect(check.judge(isOn: true, naptime: 1).level == .ok)
        #expect(check.judge(isOn: true, naptime: 60).level == .warn)
        #expect(check.judge(isOn: false, naptime: 1).level == .fail)
        try await MigratedDatabase.withClone { migrated in
            let findings = try await migrated.withPool(as: .system) { await check.run(on: $0) }
            let naptime: [String] = try await migrated.asSuperuser { try await $0.all("SHOW autovacuum_naptime") }
            #expect(
                findings.map(\.detail) == ["autovacuum looks every 10 s"] && naptime == ["10s"],
                "as with-postgres sets it")
        }
    }

    /// A URL that signs in as somebody too powerful, one that signs in nowhere, one that is not set.
    @Test func loginsThatAreNotWhatTheyShouldBe() async throws {
        try await MigratedDatabase.withClone { migrated in
            let findings = await Doctor(
                urls: [
                    .init(setting: "A", role: "pulsegate_ingest", url: try migrated.url(as: .ingest)),
                    .init(setting: "B", role: "pulsegate_query", url: try TestPostgres.url(database: migrated.name)),
                    .init(setting: "C", role: "pulsegate_query", url: "postgresql://u:p@127.0.0.1:1/none"),
                    .init(setting: "D", role: "pulsegate_query", url: nil),
                ], secretBox: nil
            ).examine()
            #expect(findings.map(\.level) == [.ok, .fail, .fail, .warn])
        }
    }
}
