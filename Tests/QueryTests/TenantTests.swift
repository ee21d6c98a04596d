import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct TenantTests {
    @Test func settingsAreMerged() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let first = #"{"settings":{"a":{"b":1,"c":2},"d":[1]},"feature_flags":{"beta":true},"name":"North SL"}"#
            #expect(try await bed.change(first, as: token).status == .ok)
            let second = #"{"settings":{"a":{"b":null,"e":1.50},"d":[2]},"whatsapp_numbers":["+34600000000"]}"#
            let changed = try await bed.change(second, as: token)
            #expect(changed.text.contains(#""settings":{"a": {"c": 2, "e": 1.50}, "d": [2]}"#), "\(changed.text)")
            #expect(changed.json["name"] as? String == "North SL")
            #expect(changed.json["whatsapp_numbers"] as? [String] == ["+34600000000"])
            #expect(try await bed.change(#"{"billing_email":"b@example.com"}"#, as: token).status == .ok)
            #expect(try await bed.change(#"{"billing_email":null}"#, as: token).json["billing_email"] is NSNull)
            #expect(try await bed.audited("tenant.changed") == 4)
        }
    }

    @Test func faultsAreNamed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let wrong = #"{"name":null,"settings":[],"billing_email":"x","whatsapp_numbers":["1"],"plan":"enterprise"}"#
            #expect(
                try await bed.change(wrong, as: token).faults == [
                    "name: required", "settings: wrong_type", "billing_email: invalid_email",
                    "whatsapp_numbers[0]: invalid_number", "plan: unknown_field",
                ])
            let huge = String(repeating: "x", count: 60_000)
            #expect(try await bed.change(#"{"settings":{"a":"\#(huge)"}}"#, as: token).status == .ok)
            let beyond = try await bed.change(#"{"settings":{"b":"\#(huge)"}}"#, as: token)
            #expect(beyond.status == .unprocessableContent)
            #expect(try await bed.change(#"{"settings":null}"#, as: token).text.contains(#""settings":{}"#))
            let tag = try #require(try await bed.get("/api/v1/tenants/current", as: token).headers[.eTag])
            // Ingest makes a series: the answer is another, what people edit is not.
            try await bed.database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO series_counts (tenant_id, count) SELECT id, 7 FROM tenants WHERE slug = 'north'
                        ON CONFLICT (tenant_id) DO UPDATE SET count = series_counts.count + 7
                        """)
            }
            let other = try #require(try await bed.get("/api/v1/tenants/current", as: token).headers[.eTag])
            #expect(other != tag && other.prefix { $0 != "." } == tag.prefix { $0 != "." })
            let name = #"{"name":"North"}"#
            #expect(try await bed.change(name, as: token, headers: [.ifMatch: tag]).status == .ok)
            #expect(try await bed.change(name, as: token, headers: [.ifMatch: tag]).status == .preconditionFailed)
        }
    }

    /// Its keys and tokens stop, its data stays.
    @Test func aDeactivatedTenantIsClosedAtOnce() async throws {
        try await Testbed.run { bed in
            let (owner, viewer) = (try await bed.token(TwoTenants.owner), try await bed.token(TwoTenants.viewer))
            let both = try await bed.signIn(TwoTenants.both, tenant: "north")
            #expect(try await bed.send(.delete, "/api/v1/tenants/current", nil, as: viewer).status == .forbidden)
            #expect(try await bed.get("/api/v1/sites", as: viewer).status == .ok)
            #expect(try await bed.send(.delete, "/api/v1/tenants/current", nil, as: owner).status == .noContent)
            for token in [owner, viewer] {
                #expect(try await bed.get("/api/v1/sites", as: token).status == .unauthorized)
            }
            #expect(try await bed.refresh(#require(both.json["refresh_token"] as? String)).status == .unauthorized)
            #expect(try await bed.logIn(TwoTenants.viewer, TwoTenants.password).code == "no_membership")
            #expect(try await bed.logIn(TwoTenants.both, TwoTenants.password).status == .ok, "in the other tenant")
            let rows: Int64? = try await bed.database.asSuperuser { connection in
                try await connection.first(
                    "SELECT count(*) FROM sites s JOIN tenants t ON t.id = s.tenant_id WHERE t.slug = 'north'")
            }
            #expect(rows == 5)
        }
    }

    /// Whoever adds them: the database holds the bound, also when many come at once.
    @Test func storesBeyondTheQuotaAreRefused() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { connection in
                try await connection.execute(script: "UPDATE tenants SET max_stores = 5 WHERE slug = 'north'")
            }
            let outcomes = await withTaskGroup(of: String?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        do {
                            try await bed.database.asSuperuser { connection in
                                _ = try await connection.run(
                                    """
                                    INSERT INTO sites (tenant_id, id, code, name)
                                    SELECT id, \(UUID.v7()), \("Q\(number)"), 'Q' FROM tenants WHERE slug = 'north'
                                    """)
                            }
                            return nil
                        } catch { return (error as? PostgresError)?.sqlState ?? "\(error)" }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 3 && outcomes.filter { $0 == "PG002" }.count == 5)
            let problem = Problem(postgres: PostgresError(kind: .server, sqlState: "PG002", message: ""))
            #expect(problem.status == .tooManyRequests && problem.code == "quota_exceeded")
        }
    }
}

extension Testbed {
    fileprivate func change(_ body: String, as token: String, headers: HTTPFields = [:]) async throws -> Answered {
        try await send(.patch, "/api/v1/tenants/current", body, as: token, headers: headers)
    }
}

@Suite struct SiteCreationTests {
    /// A number of a few characters must not become one of a hundred thousand digits.
    @Test func whatWouldGrowWhenItIsKeptIsRefused() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let numbers = Array(repeating: "1e131000", count: 100).joined(separator: ",")
            let body = "{\"code\":\"A1\",\"name\":\"s\",\"timezone\":\"UTC\",\"settings\":{\"a\":[\(numbers)]}}"
            #expect(try await bed.post("/api/v1/stores", body, as: token).faults == ["settings: number_out_of_range"])
            let digits = Array(repeating: "1e308", count: 300).joined(separator: ",")
            let beyond = "{\"code\":\"A1\",\"name\":\"s\",\"timezone\":\"UTC\",\"settings\":{\"a\":[\(digits)]}}"
            #expect(try await bed.post("/api/v1/stores", beyond, as: token).status == .unprocessableContent)
            let invisible = #"{"code":"A1","name":"\u202eevil","timezone":"UTC\u0000"}"#
            #expect(
                try await bed.post("/api/v1/stores", invisible, as: token).faults == [
                    "name: invalid_length", "timezone: invalid_character",
                ])
        }
    }

    @Test func aStoreIsMadeAndThePlanSaysHowMany() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser { connection in
                try await connection.execute(script: "UPDATE tenants SET max_stores = 3 WHERE slug = 'north'")
            }
            let body = #"{"code":"N1","name":"New","timezone":"Europe/Madrid","latitude":40.4,"settings":{"a":1.50}}"#
            let made = try await bed.post("/api/v1/stores", body, as: token)
            #expect(made.status == .created && made.json["kind"] as? String == "store", "\(made.text)")
            let path = try #require(made.headers[.location])
            #expect(try await bed.get(path, as: token).text == made.text)
            let beyond = try await bed.post(
                "/api/v1/stores", #"{"code":"N2","name":"New","timezone":"UTC"}"#, as: token)
            #expect(beyond.status == .tooManyRequests && beyond.code == "quota_exceeded", "\(beyond.text)")
            let warehouse = #"{"code":"N3","name":"New","timezone":"UTC"}"#
            #expect(try await bed.post("/api/v1/warehouses", warehouse, as: token).status == .created)
            #expect(try await bed.post("/api/v1/warehouses", warehouse, as: token).status == .conflict)
            #expect(try await bed.audited("site.created") == 2 + 3, "and those of the fixture")
        }
    }

    @Test func faultsAreNamed() async throws {
        try await Testbed.run { bed in
            let wrong =
                #"{"code":"-","name":"","kind":"office","timezone":"Mars","latitude":91,"expected_interval_s":0}"#
            let answered = try await bed.post("/api/v1/stores", wrong, as: bed.token(TwoTenants.owner))
            #expect(
                answered.faults == [
                    "code: invalid_code", "name: invalid_length", "kind: conflict", "timezone: unknown_timezone",
                    "latitude: out_of_range", "expected_interval_s: out_of_range",
                ])
        }
    }
}
