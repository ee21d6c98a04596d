import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// Who gets what of every endpoint.
@Suite struct AccessTests {
    /// Ids and EUIs that only south has; no answer to north may hold one.
    private static let southern = [
        "0b000000-", TwoTenants.southernEUI, TwoTenants.southernOrphanEUI, "Harbour", "South",
    ]

    @Test func everyRouteHasARow() async throws {
        try await Testbed.run { bed in
            let registered = bed.access.all.map { "\($0.method) \($0.path)" }
            #expect(Set(registered) == Set(AccessRow.table.map { "\($0.method) \($0.route)" }))
            #expect(registered.count == AccessRow.table.count)
            #expect(
                bed.access.all.allSatisfy {
                    $0.scope != nil || ["/api/v1/users/me", "/api/v1/tenants"].contains($0.path)
                        || $0.path.hasPrefix("/api/v1/auth/")
                })
            let open: Set = [
                "GET /health-check", "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/auth/token",
                "POST /api/v1/auth/forgot", "POST /api/v1/auth/reset", "POST /api/v1/auth/register",
                "POST /api/v1/auth/bootstrap", "POST /api/v1/auth/invitations/accept",
                // The address is the key.
                "GET /api/v1/reservations.ics",
            ]
            let routes = buildRouter(bed.services).router.routes.filter { $0.method != .head }
            let served = routes.map { "\($0.method) \($0.path)" }.filter { !open.contains($0) }
            #expect(Set(served) == Set(registered.map { $0.replacing(/:(\w+)/) { "{\($0.1)}" } }))
        }
    }

    @Test func anonymousGetsNothing() async throws {
        try await Testbed.run { bed in
            for row in AccessRow.table {
                for token in [nil, "nonsense", "a.b.c"] {
                    let answered = try await bed.ask(row, as: token)
                    #expect(answered.status == .unauthorized, "\(row.route)")
                    #expect(answered.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                    #expect(answered.code == "unauthorized")
                }
            }
        }
    }

    @Test func membersSeeTheirTenantAndNothingElse() async throws {
        try await Testbed.run { bed in
            let tokens = [
                TwoTenants.viewer: try await bed.token(TwoTenants.viewer),
                TwoTenants.owner: try await bed.token(TwoTenants.owner),
            ]
            for row in AccessRow.table where row.route != "/api/v1/auth/logout-all" {
                let token = try #require(tokens[row.who])
                let own = try await bed.ask(row, as: row.method == .get ? token : bed.token(row.who))
                #expect(own.status == row.success, "\(row.route): \(own.text)")
                #expect(!Self.southern.contains { own.text.contains($0) }, "\(row.route): \(own.text)")
                guard let foreign = row.foreign else { continue }
                let headers: HTTPFields = [.requestID: "same"]
                let refused = try await bed.ask(row, for: foreign, as: token, headers: headers)
                let missing = try await bed.ask(row, for: Self.missing(like: foreign), as: token, headers: headers)
                #expect(refused.status == .notFound, "\(row.route)")
                #expect(refused.text == missing.text && refused.headers == missing.headers, "\(row.route)")
            }
        }
    }

    /// The foreign requests of the table do name something: its owner sees it.
    @Test func southSeesWhatIsSouths() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.southern)
            for foreign in AccessRow.table.filter({ $0.method == .get }).compactMap(\.foreign)
            where !foreign.contains("warehouses") {
                #expect(try await bed.get(foreign, as: token).status == .ok, "\(foreign)")
            }
        }
    }

    @Test func rolesWithoutTheScopeAreRefused() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.guest)
            for row in AccessRow.table where row.route != "/api/v1/auth/logout-all" {
                let entry = try #require(bed.access.all.first { $0.path == row.route && $0.method == "\(row.method)" })
                let answered = try await bed.ask(row, as: row.method == .get ? token : bed.fresh(TwoTenants.guest))
                #expect(answered.status == (entry.scope == nil ? row.success : .forbidden), "\(row.route)")
            }
        }
    }

    /// A program that holds every scope but the one: nothing else lets it in.
    @Test func theScopeThatIsNamedIsTheOneThatCounts() async throws {
        try await Testbed.run { bed in
            for scope in Set(bed.access.all.compactMap(\.scope)) {
                let key = ServiceKey.make(tenant: try #require(Slug("north")))
                let scopes = Scope.allCases.filter { $0 != scope }.map(\.rawValue)
                try await bed.database.asSuperuser { connection in
                    _ = try await connection.run(
                        """
                        INSERT INTO api_keys (tenant_id, id, kind, name, prefix, sha256, scopes)
                        SELECT id, \(UUID.v7()), 'service', 'All but one', 'svc_north', \(key.sha256), \(scopes)
                          FROM tenants WHERE slug = 'north'
                        """)
                }
                let entries = bed.access.all.filter { $0.scope == scope }
                for row in AccessRow.table
                where entries.contains(where: { $0.path == row.route && $0.method == "\(row.method)" }) {
                    let refused = try await bed.ask(row, as: key.secret)
                    #expect(refused.status == .forbidden && refused.code == "insufficient_scope", "\(row.route)")
                }
            }
        }
    }

    /// All scopes, and one site: what is of another does not exist, and what reaches all is not theirs to do.
    @Test func aMemberLimitedToASiteStaysThere() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.limited, to: "owner")
            let token = try await bed.token(TwoTenants.limited)
            let endsSessions: Set = [
                "/api/v1/auth/logout", "/api/v1/auth/logout-all", "/api/v1/auth/password", "/api/v1/auth/switch",
            ]
            for row in AccessRow.table where !endsSessions.contains(row.route) {
                let answered = try await bed.ask(row, as: token)
                let expected = row.limited ?? row.success
                #expect(answered.status == expected, "\(row.method) \(row.route): \(answered.text)")
                if row.limited == .forbidden { #expect(answered.code == "site_limited", "\(row.route)") }
            }
        }
    }

    /// Whatever changes something says so in the audit log.
    @Test func everyChangeIsAudited() async throws {
        try await Testbed.run { bed in
            for row in AccessRow.table where row.method != .get && row.success != .forbidden {
                let token = try await bed.token(row.who)
                let before = try await bed.entries()
                #expect(try await bed.ask(row, as: token).status == row.success, "\(row.method) \(row.route)")
                #expect(try await bed.entries() > before, "\(row.method) \(row.route)")
            }
        }
    }

    @Test func otherMethodsAreNotAllowed() async throws {
        try await Testbed.run { bed in
            let answered = try await bed.send(.delete, "/api/v1/sites")
            #expect(answered.status == .methodNotAllowed)
            #expect(answered.headers[.allow] == "GET, HEAD, POST")
            #expect(try await bed.get("/api/v1/auth/login").headers[.allow] == "POST")
            #expect(try await bed.get("/api/v1/nowhere").status == .notFound)
            #expect(try await bed.get("/health-check").json["status"] as? String == "ok")
        }
    }

    @Test func headerMustNameTheTokensTenant() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            for (named, status) in [
                ("north", HTTPResponse.Status.ok), (TwoTenants.north.uuidString, .ok), ("south", .forbidden),
                (TwoTenants.south.uuidString, .forbidden), ("nonsense", .forbidden),
            ] {
                let answered = try await bed.get("/api/v1/sites", as: token, headers: [.tenantID: named])
                #expect(answered.status == status, "\(named)")
            }
        }
    }

    @Test(arguments: [
        "UPDATE tenants SET is_active = false WHERE slug = 'north'",
        "UPDATE sessions SET ended_at = now()",
        "ALTER TABLE sessions DROP CONSTRAINT sessions_tenant_id_user_id_fkey; DELETE FROM memberships WHERE role <> 'owner'",
    ])
    func whatEndsASessionTakesEffect(change: String) async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let token = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.get("/api/v1/sites", as: token).status == .ok)
            try await bed.database.asSuperuser { try await $0.execute(script: change) }
            #expect(try await bed.get("/api/v1/sites", as: token).status == .unauthorized)
        }
    }

    @Test func aNewRoleCountsWithoutANewToken() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let token = try await bed.token(TwoTenants.viewer)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE memberships SET role = 'guest' WHERE role = 'viewer'")
            }
            #expect(try await bed.get("/api/v1/sites", as: token).status == .forbidden)
        }
    }

    @Test func membersOfSomeSitesSeeTheseAlone() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.limited)
            #expect(try await bed.get("/api/v1/sites", as: token).data.texts("code") == ["T02"])
            #expect(try await bed.get("/api/v1/sites/T01", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/stores/T01/status", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/stores/T02/status", as: token).status == .ok)
            #expect(try await bed.get("/api/v1/spaces", as: token).data.texts("code") == ["R1"])
            #expect(try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token).status == .notFound)
            let devices = try await bed.get("/api/v1/devices", as: token).data.texts("device_eui")
            #expect(devices == [TwoTenants.roomEUI, TwoTenants.looseEUI])
            #expect(try await bed.get("/api/v1/devices/\(TwoTenants.bayEUI)/readings", as: token).status == .notFound)
            let series = try await bed.get("/api/v1/series", as: token).data
            let owners = series.compactMap { $0["owner"] as? [String: Any] }
            #expect(owners.texts("code") == ["T02", TwoTenants.looseEUI])
            let span = "from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z"
            #expect(try await bed.get("/api/v1/series/query?store=T01&\(span)", as: token).data.isEmpty)
            #expect(try await bed.get("/api/v1/series/query?metric=pos.sales&\(span)", as: token).data.count == 1)
        }
    }

    /// The same path with an id that nobody has.
    private static func missing(like path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { part in
                if UUID(uuidString: String(part)) != nil { return UUID.v7().lowercaseString }
                return DeviceEUI(part) == nil ? String(part) : "0123456789abcdef"
            }
            .joined(separator: "/")
    }
}

extension Testbed {
    /// In the audit log.
    fileprivate func entries() async throws -> Int64 {
        try await database.asSuperuser { try await $0.first("SELECT count(*) FROM audit_logs") } ?? 0
    }

    /// Signs in, whether the password was changed by the table's row or not.
    fileprivate func fresh(_ user: String) async throws -> String {
        for password in [TwoTenants.password, AccessRow.otherPassword] {
            let answered = try await post(
                "/api/v1/auth/login", "{\"email\":\"\(TwoTenants.email(user))\",\"password\":\"\(password)\"}")
            if let token = answered.json["access_token"] as? String { return token }
        }
        throw Problem.unauthorized()
    }
}
