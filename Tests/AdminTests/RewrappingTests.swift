import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct RewrappingTests {
    private static func box(_ keys: String) throws -> SecretBox {
        let named = keys.split(separator: ",").map { name in
            "\(name):" + Data(repeating: UInt8(name.utf8.last ?? 0) - 48 == 1 ? 7 : 9, count: 32).base64EncodedString()
        }
        return try SecretBox(masterKey: named.joined(separator: ","))
    }

    private static func opened(_ operated: OperatedDatabase, by box: SecretBox) async throws -> [String] {
        let rows = try await operated.all(
            "SELECT id::text || ' ' || master_key_id || ' ' || encode(sealed, 'base64') FROM integration_secrets"
                as Statement<String>)
        return try rows.map { row in
            let parts = row.split(whereSeparator: \.isWhitespace).map(String.init)
            let bytes = try #require(Data(base64Encoded: parts.dropFirst(2).joined()))
            let id = try #require(UUID(uuidString: parts[0]))
            let plain = try box.open(Array(bytes), keyID: parts[1], context: SecretTable.integrations.context(id))
            return String(decoding: plain, as: UTF8.self)
        }
    }

    @Test func secretsAreSealedWithTheNewKeyAndReadAsBefore() async throws {
        try await OperatedDatabase.with { operated in
            let before = try await Self.opened(operated, by: Self.box("k1"))
            #expect(before == [try #require(operated.report.integration?.secret)])
            let both = Rewrapping(database: operated.system.database, box: try Self.box("k2,k1"))
            let first = try await both.run()
            #expect(first.rewrapped == 1 && first.current == 0 && first.unopened == 0 && first.keyID == "k2")
            #expect(try await Self.opened(operated, by: Self.box("k2")) == before)
            let again = try await both.run()
            #expect(again.rewrapped == 0 && again.current == 1)
            let action: Statement<Int64> =
                "SELECT count(*) FROM audit_logs WHERE action = 'integration.secret_rewrapped'"
            #expect(try await operated.count(action) == 1)
        }
    }

    /// The secrets of every table that has some.
    @Test func secretsOfWebhooksAreSealedAnewToo() async throws {
        try await OperatedDatabase.with { operated in
            let id = try await operated.addWebhookSecret("whsec_b3Blbg==", sealedBy: Self.box("k1"))
            let report = try await Rewrapping(database: operated.system.database, box: Self.box("k2,k1")).run()
            #expect(report.rewrapped == 2 && report.unopened == 0)
            let row = try #require(
                try await operated.all(SecretTable.webhooks.all(of: operated.tenant.id)).first { $0.id == id })
            #expect(row.keyID == "k2")
            let plain = try row.open(of: .webhooks, with: Self.box("k2"))
            #expect(String(decoding: plain, as: UTF8.self) == "whsec_b3Blbg==")
            let action: Statement<Int64> =
                "SELECT count(*) FROM audit_logs WHERE action = 'webhook_endpoint.secret_rewrapped'"
            #expect(try await operated.count(action) == 1)
        }
    }

    @Test func whatCanNotBeOpenedStaysAsItIs() async throws {
        try await OperatedDatabase.with { operated in
            let report = try await Rewrapping(database: operated.system.database, box: Self.box("k2")).run()
            #expect(report.unopened == 1 && report.rewrapped == 0)
            #expect(try await Self.opened(operated, by: Self.box("k1")).count == 1)
        }
    }

    @Test func anOperatorChangesATenant() async throws {
        try await OperatedDatabase.with { operated in
            let change = TenantChange(plan: .premium, maxStores: 100, isActive: false)
            try await change.apply(to: operated.tenant, in: operated.system.database)
            let tenant = try await operated.system.tenant("acme")
            #expect(tenant.plan == .premium && !tenant.isActive)
            try await TenantChange(isActive: true).apply(to: tenant, in: operated.system.database)
            let after = try await operated.system.tenant("acme")
            #expect(after.plan == .premium && after.isActive)
        }
    }
}
