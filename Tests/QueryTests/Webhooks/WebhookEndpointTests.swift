import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct WebhookEndpointTests {
    private static let path = "/api/v1/webhook-endpoints"
    private static let north = "\(path)/\(TwoTenants.endpoint)"

    @Test func aSecretIsShownOnceAndLiesSealed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post(
                Self.path,
                #"{"url":"https://1.1.1.1/hook","event_types":["vale.created","alert.raised","vale.created"]}"#,
                as: token)
            #expect(made.status == .created && made.headers[.cacheControl] == "no-store", "\(made.text)")
            let (id, secret) = (try #require(made.json["id"] as? String), try #require(made.json["secret"] as? String))
            #expect(made.headers[.location] == "\(Self.path)/\(id)")
            #expect(Data(base64Encoded: String(secret.dropFirst(6)))?.count == 32 && secret.hasPrefix("whsec_"))
            #expect(made.json["event_types"] as? [String] == ["vale.created", "alert.raised"])
            #expect(made.json["is_active"] as? Bool == true && made.json["disabled_reason"] is NSNull)
            let shown = try await bed.get("\(Self.path)/\(id)", as: token)
            #expect(shown.json["url"] as? String == "https://1.1.1.1/hook" && shown.headers[.eTag] != nil)
            let listed = try await bed.get(Self.path, as: token)
            #expect(listed.data.texts("id").contains(id))
            for answer in [shown, listed] { #expect(!answer.text.contains(secret) && !answer.text.contains("secret")) }
            let endpoint = try #require(UUID(uuidString: id))
            let row: SealedSecret? = try await bed.database.asSuperuser {
                try await $0.first(
                    "SELECT id, master_key_id, sealed FROM webhook_secrets WHERE endpoint_id = \(endpoint)")
            }
            let opened = try #require(row).open(of: .webhooks, with: bed.services.secretBox)
            #expect(String(decoding: opened, as: UTF8.self) == secret)
            let audited: String? = try await bed.database.asSuperuser {
                try await $0.first("SELECT after::text FROM audit_logs WHERE action = 'webhook_endpoint.created'")
            }
            #expect(audited?.contains("1.1.1.1") == true && audited?.contains(secret) == false)
        }
    }

    @Test func whatIsNoEndpointIsRefused() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for (body, faults) in [
                (#"{}"#, ["url: required"]),
                (#"{"url":"ftp://1.1.1.1"}"#, ["url: invalid_url"]),
                (#"{"url":"https://a:b@1.1.1.1"}"#, ["url: credentials_in_url"]),
                (#"{"url":"https://127.0.0.1/"}"#, ["url: address_refused"]),
                (#"{"url":"http://2130706433/"}"#, ["url: address_refused"]),
                (#"{"url":"http://0x7f.1/"}"#, ["url: address_refused"]),
                (#"{"url":"http://localhost:8080/"}"#, ["url: address_refused"]),
                (#"{"url":"http://[::1]/"}"#, ["url: address_refused"]),
                (#"{"url":"http://[::ffff:127.0.0.1]/"}"#, ["url: address_refused"]),
                (#"{"url":"http://169.254.169.254/latest/meta-data"}"#, ["url: address_refused"]),
                (
                    #"{"url":"https://1.1.1.1","event_types":["vale.created","user.created","vale","vale.*",""],"colour":1}"#,
                    [1, 2, 3, 4].map { "event_types[\($0)]: unknown_event_type" } + ["colour: unknown_field"]
                ),
            ] {
                let refused = try await bed.post(Self.path, body, as: token)
                #expect(refused.status == .unprocessableContent && refused.faults == faults, "\(body) \(refused.text)")
            }
            // A name may get its address later.
            let made = try await bed.post(Self.path, #"{"url":"https://nobody.invalid/"}"#, as: token)
            #expect(made.status == .created, "\(made.text)")
            for method in [HTTPRequest.Method.patch, .put] {
                let refused = try await bed.send(method, Self.north, #"{"url":"http://10.0.0.1/"}"#, as: token)
                #expect(refused.faults == ["url: address_refused"], "\(refused.text)")
            }
        }
    }

    @Test func privateNetworksMayBeAllowed() async throws {
        let networks = ["10.1.0.0/16"].compactMap { IPNetwork($0) }
        try await Testbed.run(options: .init(privateNetworks: networks)) { bed in
            let token = try await bed.token(TwoTenants.owner)
            #expect(try await bed.post(Self.path, #"{"url":"http://10.1.2.3/"}"#, as: token).status == .created)
            let refused = try await bed.post(Self.path, #"{"url":"http://10.2.2.3/"}"#, as: token)
            #expect(refused.faults == ["url: address_refused"])
        }
    }

    @Test func changesMergeAndReplace() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let before = try await bed.get(Self.north, as: token)
            let tag: HTTPFields = [.ifMatch: try #require(before.headers[.eTag])]
            let merged = try await bed.send(
                .patch, Self.north, #"{"event_types":["vale.created"]}"#, as: token, headers: tag)
            #expect(merged.status == .ok && merged.json["url"] as? String == "https://hooks.example.com/north")
            #expect(merged.json["event_types"] as? [String] == ["vale.created"])
            let stale = try await bed.send(.patch, Self.north, #"{"is_active":false}"#, as: token, headers: tag)
            #expect(stale.status == .preconditionFailed)
            let replaced = try await bed.send(.put, Self.north, #"{"url":"https://1.1.1.1/x"}"#, as: token)
            #expect(replaced.status == .ok && replaced.json["event_types"] as? [String] == [], "\(replaced.text)")
            // What was answered may be sent back.
            let again = try await bed.send(.put, Self.north, replaced.text, as: token)
            #expect(again.status == .ok, "\(again.text)")
        }
    }

    @Test func switchingOnForgetsWhyItWasOff() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser {
                _ = try await $0.run("UPDATE webhook_endpoints SET is_active = false, disabled_reason = '410 Gone'")
            }
            let other = try await bed.send(.patch, Self.north, #"{"event_types":[]}"#, as: token)
            #expect(other.json["disabled_reason"] as? String == "410 Gone" && other.json["is_active"] as? Bool == false)
            let on = try await bed.send(.patch, Self.north, #"{"is_active":true}"#, as: token)
            #expect(on.json["disabled_reason"] is NSNull && on.json["is_active"] as? Bool == true, "\(on.text)")
        }
    }

    @Test func rotationOverlapsAndIsBounded() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let counting: Statement<Int64> = """
                SELECT count(*) FROM webhook_secrets
                 WHERE endpoint_id = \(TwoTenants.endpoint) AND (expires_at IS NULL OR expires_at > now())
                """
            let rotated = try await bed.post("\(Self.north)/rotate", #"{"overlap_seconds":3600}"#, as: token)
            #expect(rotated.status == .ok && rotated.headers[.cacheControl] == "no-store", "\(rotated.text)")
            #expect((rotated.json["secret"] as? String)?.hasPrefix("whsec_") == true)
            #expect(rotated.json["id"] as? String == "\(TwoTenants.endpoint)".lowercased())
            #expect(try await bed.database.asSuperuser { try await $0.first(counting) } == 2)
            for _ in 0..<6 { #expect(try await bed.post("\(Self.north)/rotate", "", as: token).status == .ok) }
            let refused = try await bed.post("\(Self.north)/rotate", "", as: token)
            #expect(refused.status == .conflict && refused.code == "too_many_secrets")
            try await bed.database.asSuperuser {
                _ = try await $0.run("UPDATE webhook_secrets SET expires_at = now() WHERE expires_at IS NOT NULL")
            }
            #expect(try await bed.post("\(Self.north)/rotate", #"{"overlap_seconds":0}"#, as: token).status == .ok)
            #expect(try await bed.database.asSuperuser { try await $0.first(counting) } == 1)
        }
    }

    @Test func deletingGivesUpWhatIsOnItsWay() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let resend = "/api/v1/deliveries/\(TwoTenants.delivery)/resend"
            #expect(try await bed.post(resend, "", as: token).json["status"] as? String == "pending")
            #expect(try await bed.send(.delete, Self.north, nil, as: token).status == .noContent)
            #expect(try await bed.send(.delete, Self.north, nil, as: token).status == .notFound)
            for path in [Self.north, "\(Self.north)/deliveries"] {
                #expect(try await bed.get(path, as: token).status == .notFound)
            }
            #expect(try await bed.post(resend, "", as: token).status == .notFound)
            let left: String? = try await bed.database.asSuperuser {
                try await $0.first(
                    """
                    SELECT concat_ws(' ', status, last_error, (SELECT count(*) FROM webhook_secrets WHERE endpoint_id = d.endpoint_id))
                      FROM webhook_deliveries d WHERE id = \(TwoTenants.delivery)
                    """)
            }
            #expect(left == "dead endpoint deleted 0")
        }
    }

    @Test func deliveriesAreListedNewestFirstAndSentAgain() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser {
                _ = try await $0.run(
                    """
                    WITH made AS (
                        INSERT INTO events (tenant_id, id, type, data)
                        SELECT tenant_id, uuid_v7(), 'vale.created', '{}' FROM webhook_endpoints, generate_series(1, 3)
                         WHERE id = \(TwoTenants.endpoint)
                        RETURNING tenant_id, id
                    )
                    INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id)
                    SELECT tenant_id, uuid_v7(), \(TwoTenants.endpoint), id FROM made
                    """)
            }
            let list = "\(Self.north)/deliveries"
            let all = try await bed.get(list, as: token).data
            #expect(all.count == 4 && all.texts("id") == all.texts("id").sorted(by: >))
            let first = try await bed.get("\(list)?limit=3", as: token)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let second = try await bed.get("\(list)?limit=3&cursor=\(cursor)", as: token)
            #expect(first.data.texts("id") + second.data.texts("id") == all.texts("id"))
            let dead = try #require(try await bed.get("\(list)?status=dead", as: token).data.first)
            #expect(dead["event_type"] as? String == "site.changed" && dead["attempts"] as? Int == 14)
            #expect(dead["next_attempt_at"] is NSNull && dead["last_error"] as? String == "time-out")
            #expect(try await bed.get("\(list)?status=lost", as: token).faults == ["status: unknown_value"])
            let id = "\(TwoTenants.delivery)"
            for path in [
                "\(list)/\(id)/resend", "\(Self.path)/deliveries/\(id)/resend", "/api/v1/deliveries/\(id)/resend",
            ] {
                let sent = try await bed.post(path, "", as: token)
                #expect(sent.status == .ok && sent.json["status"] as? String == "pending", "\(path) \(sent.text)")
                #expect(sent.json["attempts"] as? Int == 0 && sent.json["next_attempt_at"] is String)
            }
            let wrong = "\(Self.path)/\(TwoTenants.southernEndpoint)/deliveries/\(id)/resend"
            #expect(try await bed.post(wrong, "", as: token).status == .notFound)
        }
    }
}
