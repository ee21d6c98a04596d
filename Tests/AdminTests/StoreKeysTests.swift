import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct StoreKeysTests {
    @Test func aRotatedKeyWorksUntilTheOverlapIsOver() async throws {
        try await OperatedDatabase.with { operated in
            let keys = StoreKeys(database: operated.system.database, tenant: operated.tenant)
            let issued = try await keys.rotate(store: "T01", overlapSeconds: 600)
            let now = Timestamp.now()
            let ofStore = try await keys.list().filter { $0.store == "T01" }
            #expect(ofStore.count == 2)
            let old = try #require(ofStore.first { $0.expiresAt != nil })
            let left = try #require(old.expiresAt).microseconds(since: now)
            #expect((540_000_000...600_000_000).contains(left))
            #expect(try #require(ofStore.first { $0.expiresAt == nil }).id == issued.id)
            let other = try await keys.list().filter { $0.store == "T02" }
            #expect(other.allSatisfy { $0.expiresAt == nil })
        }
    }

    /// A shorter remaining life is not prolonged by the next rotation.
    @Test func rotationNeverProlongs() async throws {
        try await OperatedDatabase.with { operated in
            let keys = StoreKeys(database: operated.system.database, tenant: operated.tenant)
            _ = try await keys.rotate(store: "T01", overlapSeconds: 60)
            _ = try await keys.rotate(store: "T01", overlapSeconds: 86_400)
            let soonest = try await keys.list().compactMap(\.expiresAt).min()
            #expect(try #require(soonest) < Timestamp.now().adding(seconds: 61))
        }
    }

    @Test func aRevokedKeyIsGoneAtOnceAndOnce() async throws {
        try await OperatedDatabase.with { operated in
            let keys = StoreKeys(database: operated.system.database, tenant: operated.tenant)
            let made = try await keys.create(store: "T01", name: "Second gateway")
            let id = try #require(UUID(uuidString: made.id))
            #expect(try await keys.revoke(.id(id)).count == 1)
            await #expect(throws: Refusal.self) { _ = try await keys.revoke(.id(id)) }
            #expect(try await keys.revoke(.store("T01")).count == 1)
            let working = try await keys.list().filter { $0.revokedAt == nil }
            #expect(working.map(\.store) == ["T02"])
            #expect(
                try await operated.count("SELECT count(*) FROM audit_logs WHERE action = 'api_key.revoked'") == 2)
        }
    }

    @Test func anotherTenantsStoreIsNotThere() async throws {
        try await OperatedDatabase.with { operated in
            let other = try OperatedDatabase.onboarding(slug: "other", stores: 0, integration: nil)
            _ = try await other.run(in: operated.system, secretBox: nil)
            let keys = StoreKeys(
                database: operated.system.database, tenant: try await operated.system.tenant("other"))
            await #expect(throws: Refusal(.conflict, "other has no store T01")) {
                _ = try await keys.create(store: "T01", name: "x")
            }
            #expect(try await keys.list().isEmpty)
        }
    }
}
