import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct OnboardingTests {
    @Test func everythingIsThereAndSecretsAreKeptHashedOrSealed() async throws {
        try await OperatedDatabase.with(stores: 3) { operated in
            let report = operated.report
            #expect(report.stores.map(\.code) == ["T01", "T02", "T03"])
            for store in report.stores {
                let key = try #require(StoreKey(parsing: store.key))
                #expect(key.tenantSlug == "acme" && key.storeCode == store.code)
                #expect(
                    try await operated.count("SELECT count(*) FROM api_keys WHERE sha256 = \(key.sha256)") == 1)
            }
            #expect(
                try await operated.all(
                    "SELECT name || ' ' || timezone FROM sites WHERE code = 'T02'" as Statement<String>)
                    == ["Store T02 Europe/Madrid"])
            let hash = try await operated.all(
                """
                SELECT u.password_hash FROM users u JOIN memberships m ON m.user_id = u.id
                 WHERE u.email = 'ann@acme.example' AND m.role = 'owner'
                """ as Statement<String>)
            let password = try #require(report.user.password)
            #expect(try await PasswordHasher().verify(password, against: try #require(hash.first)))
            #expect(
                try await operated.count("SELECT count(*) FROM audit_logs WHERE action = 'tenant.onboarded'") == 1)
        }
    }

    @Test func theIntegrationIsRoutedAndItsSecretOpens() async throws {
        try await OperatedDatabase.with { operated in
            let issued = try #require(operated.report.integration)
            let id = try #require(UUID(uuidString: issued.id))
            let routed = try await operated.migrated.withPool(as: .ingest) { database in
                try await database.lookUp(Tenant.byIntegration(id))
            }
            #expect(routed.map(\.slug) == ["acme"])
            let secrets = try await operated.all(
                "SELECT id, master_key_id, sealed FROM integration_secrets WHERE integration_id = \(id)"
                    as Statement<SealedRow>)
            let row = try #require(secrets.first)
            let box = try OperatedDatabase.secretBox.get()
            let opened = try box.open(row.sealed, keyID: row.keyID, context: SecretTable.integrations.context(row.id))
            #expect(String(decoding: opened, as: UTF8.self) == issued.secret)
        }
    }

    @Test func aTakenSlugLeavesNothingBehind() async throws {
        try await OperatedDatabase.with { operated in
            let again = try OperatedDatabase.onboarding(email: "someone@else.example")
            await #expect(throws: Refusal(.conflict, "there is a tenant with this slug already")) {
                _ = try await again.run(in: operated.system, secretBox: OperatedDatabase.secretBox.get())
            }
            #expect(try await operated.count("SELECT count(*) FROM users WHERE email LIKE 'someone%'") == 0)
        }
    }

    @Test func whatFailsLastUndoesWhatCameFirst() async throws {
        try await OperatedDatabase.with { operated in
            let broken = NewIntegration(name: "n", dialect: .generic, auth: .header, headerName: "no spaces allowed")
            let other = try OperatedDatabase.onboarding(slug: "other", email: "b@other.example", integration: broken)
            await #expect(throws: Refusal.self) {
                _ = try await other.run(in: operated.system, secretBox: OperatedDatabase.secretBox.get())
            }
            #expect(try await operated.count("SELECT count(*) FROM tenants WHERE slug = 'other'") == 0)
            #expect(try await operated.count("SELECT count(*) FROM users WHERE email = 'b@other.example'") == 0)
        }
    }

    @Test func aKnownPersonJustBecomesAMember() async throws {
        try await OperatedDatabase.with { operated in
            let before = try await operated.all("SELECT password_hash FROM users" as Statement<String>)
            let second = try OperatedDatabase.onboarding(slug: "second", email: "ANN@ACME.example")
            let report = try await second.run(in: operated.system, secretBox: OperatedDatabase.secretBox.get())
            #expect(report.user.password == nil)
            #expect(try await operated.all("SELECT password_hash FROM users" as Statement<String>) == before)
            #expect(try await operated.count("SELECT count(*) FROM memberships") == 2)
        }
    }

    @Test(arguments: [("Upper", 1, "a@b.c"), ("a", 1, "a@b.c"), ("fine", 31, "a@b.c")])
    func whatIsPlainlyWrongIsRefusedBeforeTheDatabaseIsAsked(slug: String, stores: Int, email: String) {
        #expect(throws: Refusal.self) {
            _ = try OperatedDatabase.onboarding(slug: slug, stores: stores, email: email)
        }
    }

    @Test func storeCodesHaveOneWidth() {
        #expect(Onboarding.codes(2).map(\.rawValue) == ["T01", "T02"])
        let many = Onboarding.codes(100).map(\.rawValue)
        #expect(many.first == "T001" && many.last == "T100")
        #expect(Onboarding.codes(0).isEmpty)
    }
}

private struct SealedRow: RowDecodable {
    let id: UUID
    let keyID: String
    let sealed: [UInt8]

    init(_ row: Row) throws {
        id = try row["id"]
        keyID = try row["master_key_id"]
        sealed = try row["sealed"]
    }
}
