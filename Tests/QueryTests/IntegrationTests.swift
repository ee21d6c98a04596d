import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct IntegrationTests {
    private static let path = "/api/v1/integrations"

    @Test func aSecretIsShownOnceAndLiesSealed() async throws {
        try await Testbed.run(options: .init(ingestURL: "https://in.example.com")) { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post(
                Self.path, #"{"name":"ChirpStack","dialect":"chirpstack","auth":"standard-webhooks"}"#, as: token)
            #expect(made.status == .created && made.headers[.cacheControl] == "no-store", "\(made.text)")
            let (id, secret) = (try #require(made.json["id"] as? String), try #require(made.json["secret"] as? String))
            #expect(secret.hasPrefix("whsec_"))
            #expect(made.json["url"] as? String == "https://in.example.com/v1/webhooks/\(id)")
            #expect((made.json["setup"] as? [String: Any])?["headers"] is [[String: String]])
            let shown = try await bed.get("\(Self.path)/\(id)", as: token)
            #expect(shown.json["secret"] == nil && shown.json["name"] as? String == "ChirpStack")
            #expect(!shown.text.contains(secret))
            let secretID = try #require(
                try await bed.get("\(Self.path)/\(id)/secrets", as: token).data.texts("id").first.flatMap(UUID.init))
            let sealed: [UInt8]? = try await bed.database.asSuperuser { connection in
                try await connection.first("SELECT sealed FROM integration_secrets WHERE id = \(secretID)")
            }
            let opened = try bed.services.secretBox.open(
                try #require(sealed), keyID: "k1", context: SecretTable.integrations.context(secretID))
            #expect(String(decoding: opened, as: UTF8.self) == secret)
            let audited: String? = try await bed.database.asSuperuser { connection in
                try await connection.first(
                    "SELECT after::text FROM audit_logs WHERE action = 'integration.created' LIMIT 1")
            }
            #expect(audited?.contains("ChirpStack") == true && audited?.contains(secret) == false)
        }
    }

    @Test func secretsRotateWithOverlapAndAreWithdrawn() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "\(Self.path)/\(TwoTenants.integration)/secrets"
            let made = try await bed.post(path, #"{"overlap_seconds":3600}"#, as: token)
            #expect(made.status == .created && made.json["secret"] is String, "\(made.text)")
            let both = try await bed.get(path, as: token).data
            #expect(both.count == 2 && both.filter { $0["expires_at"] is String }.count == 1)
            #expect(both.allSatisfy { $0["secret"] == nil })
            let id = try #require(made.json["id"] as? String)
            #expect(made.headers[.location]?.hasSuffix(id) == true)
            #expect(try await bed.send(.delete, "\(path)/\(id)", nil, as: token).status == .noContent)
            #expect(try await bed.send(.delete, "\(path)/\(id)", nil, as: token).status == .notFound)
            #expect(try await bed.post(path, #"{"overlap_seconds":0}"#, as: token).status == .created)
            #expect(try await bed.get(path, as: token).data.count == 1)
            for action in ["integration.secret_rotated", "integration.secret_revoked"] {
                #expect((try await bed.audited(action) ?? 0) >= 1)
            }
        }
    }

    @Test(arguments: [
        (#"{"name":"N","dialect":"smoke","auth":"none"}"#, ["dialect: unknown_value", "auth: unknown_value"]),
        (#"{"name":"N","dialect":"tts","auth":"header"}"#, ["header_name: required"]),
        (#"{"name":"N","dialect":"tts","auth":"header","header_name":"X Y"}"#, ["header_name: invalid"]),
        (#"{"name":"N","dialect":"tts","auth":"basic","username":"a:b"}"#, ["username: invalid"]),
        (
            #"{"name":"N","dialect":"tts","auth":"hmac","username":"a","secret":"mine"}"#,
            ["username: not_allowed", "secret: unknown_field"]
        ),
    ])
    func faultsAreNamed(body: String, faults: [String]) async throws {
        try await Testbed.run { bed in
            let answered = try await bed.post(Self.path, body, as: bed.token(TwoTenants.owner))
            #expect(answered.status == .unprocessableContent && answered.faults == faults, "\(answered.text)")
        }
    }

    @Test func changesAreMergedAndDeletedOnesAreGone() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "\(Self.path)/\(TwoTenants.integration)"
            let tag = try #require(try await bed.get(path, as: token).headers[.eTag])
            let changed = try await bed.send(
                .patch, path, #"{"is_active":false,"header_name":"X-Other"}"#, as: token, headers: [.ifMatch: tag])
            #expect(changed.json["is_active"] as? Bool == false && changed.json["name"] as? String == "Network server")
            #expect(changed.json["header_name"] as? String == "X-Other")
            let stale = try await bed.send(.delete, path, nil, as: token, headers: [.ifMatch: tag])
            #expect(stale.status == .preconditionFailed)
            #expect(try await bed.send(.patch, path, #"{"auth":"hmac"}"#, as: token).faults == ["auth: unknown_field"])
            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            #expect(try await bed.get(path, as: token).status == .notFound)
            #expect(try await bed.post("\(path)/secrets", "{}", as: token).status == .notFound)
        }
    }

    @Test func whoIsLimitedToSitesChangesNone() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.limited, to: "admin")
            let token = try await bed.token(TwoTenants.limited)
            let refused = try await bed.post(Self.path, #"{"name":"N","dialect":"tts","auth":"hmac"}"#, as: token)
            #expect(refused.code == "site_limited")
            #expect(try await bed.get(Self.path, as: token).status == .ok)
        }
    }

    @Test func fewSecretsCountAtOnce() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "\(Self.path)/\(TwoTenants.integration)/secrets"
            for _ in 1..<8 { #expect(try await bed.post(path, "{}", as: token).status == .created) }
            #expect(try await bed.post(path, "{}", as: token).code == "too_many_secrets")
            let last = try #require(try await bed.get(path, as: token).data.last?["id"] as? String)
            #expect(try await bed.get("\(path)/\(last)", as: token).status == .ok)
        }
    }
}
