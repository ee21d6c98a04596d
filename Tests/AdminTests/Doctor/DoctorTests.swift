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
