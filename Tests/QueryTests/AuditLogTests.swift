import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// Reading the audit log. That it can't be changed is held by RowLevelSecurityTests.
@Suite struct AuditLogTests {
    @Test func newestFirstPageByPage() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            var (seen, path) = ([String](), "/api/v1/audit-logs?limit=2&resource_type=site")
            while true {
                let page = try await bed.get(path, as: token)
                seen += page.data.texts("resource_id")
                guard let cursor = page.json["next_cursor"] as? String else { break }
                path = "/api/v1/audit-logs?limit=2&resource_type=site&cursor=\(cursor)"
            }
            // Of two at one moment, the greater id.
            #expect(seen == ["r5", "r4", "r3", "r2", "r1"])
        }
    }

    @Test(arguments: [
        ("action=site.created", ["r5", "r3", "r1"]),
        ("action=site.created,site.changed&resource_id=r2,r3", ["r3", "r2"]),
        ("from=2026-01-05T00:01:00Z&to=2026-01-05T00:02:00Z", ["r3", "r2"]),
        ("resource_type=device", []),
    ])
    func filters(query: String, expected: [String]) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let answered = try await bed.get("/api/v1/audit-logs?\(query)", as: token)
            #expect(answered.data.texts("resource_id") == expected, "\(answered.text)")
        }
    }

    @Test func oneEntryInFull() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let entry = try await bed.get("/api/v1/audit-logs/\(TwoTenants.auditLog)", as: token).json
            #expect((entry["actor"] as? [String: Any])?["name"] as? String == "owner@example.com")
            #expect((entry["before"] as? [String: Any])?["name"] as? String == "old")
            #expect((entry["after"] as? [String: Any])?["name"] as? String == "new")
            #expect(entry["at"] as? String == "2026-01-05T00:00:00Z")
        }
    }

    /// What was done to rows of other sites does not exist for them.
    @Test func membersOfSomeSitesSeeWhatTheyDid() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: "UPDATE memberships SET role = 'admin' WHERE site_ids <> '{}'")
            }
            let token = try await bed.token(TwoTenants.limited)
            let path = "/api/v1/audit-logs?resource_type=site"
            #expect(try await bed.get(path, as: token).data.texts("resource_id") == ["r5"])
            let other = try await bed.get("/api/v1/audit-logs/\(TwoTenants.auditLog)", as: token)
            #expect(other.status == .notFound)
        }
    }

    @Test func actorsAreNamedByTheirID() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let me = try #require(try await bed.get("/api/v1/users/me", as: token).json["id"] as? String)
            let own = try await bed.get("/api/v1/audit-logs?actor_id=\(me)&resource_type=site", as: token)
            #expect(own.data.texts("resource_id") == ["r4", "r3", "r2", "r1"])
            #expect(try await bed.get("/api/v1/audit-logs?actor_id=x", as: token).faults == ["actor_id: invalid_id"])
        }
    }
}
