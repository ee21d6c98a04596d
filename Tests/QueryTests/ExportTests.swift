import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct ExportTests {
    private static let path = "/api/v1/tenants/current/export"

    /// Unpacked by the system's own tar: its files by name, lines by line.
    private static func unpacked(_ archive: [UInt8]) throws -> [String: [String]] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "export-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "archive.tar.gz")
        try Data(archive).write(to: file)
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/bin/tar")
        tar.arguments = ["-xzf", file.path, "-C", folder.path]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        var files: [String: [String]] = [:]
        let names = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
        for name in names where name.hasSuffix(".ndjson") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            files[name] = text.split(separator: "\n").map(String.init)
        }
        return files
    }

    private static func finished(_ location: String, _ bed: Testbed, as token: String) async throws -> Answered {
        while true {
            let shown = try await bed.get(location, as: token)
            try #require(shown.status == .ok, "\(shown.text)")
            if shown.json["status"] as? String != "running" { return shown }
            await Task.yield()
        }
    }

    @Test func anArchiveHoldsWhatTheTenantHas() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let begun = try await bed.post(Self.path, "", as: token)
            #expect(begun.status == .accepted && begun.json["status"] as? String == "running", "\(begun.text)")
            let location = try #require(begun.headers[.location])
            let shown = try await Self.finished(location, bed, as: token)
            #expect(shown.json["status"] as? String == "finished" && shown.json["expires_at"] is String)
            let path = try #require(shown.json["archive"] as? String)
            let (headers, bytes) = try await bed.client.execute(
                uri: path, method: .get, headers: [.authorization: "Bearer \(token)"]
            ) { ($0.headers, Array(buffer: $0.body)) }
            #expect(headers[.contentType] == "application/gzip")
            #expect(headers[.contentDisposition]?.contains("pulsegate-north-") == true)
            #expect(bytes.count == shown.json["bytes"] as? Int)
            let files = try Self.unpacked(bytes)
            #expect(files["sites/000001.ndjson"]?.count == 5 && files["users/000001.ndjson"]?.count == 5)
            #expect(files["uplinks/000001.ndjson"]?.count == 5 && files["tenant/000001.ndjson"]?.count == 1)
            let folders = Set(files.keys.map { String($0.prefix { $0 != "/" }) })
            #expect(
                folders.isSuperset(of: [
                    "spaces", "devices", "roles", "api-keys", "integrations", "audit-logs", "orphan-devices",
                ]))
            let everything = files.values.joined().joined(separator: "\n")
            for foreign in ["0b000000", "Harbour", "South", "tenant_id", "sha256", "password"] {
                #expect(!everything.contains(foreign), "\(foreign)")
            }
            #expect(try await bed.audited("tenant.export_requested") == 1)
        }
    }

    /// What the API answers of each series, in however many lines.
    @Test func samplesAreThoseOfTheAPI() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser { connection in
                // The fixture's samples are of a fixed day; these are of now.
                try await connection.execute(
                    script: """
                        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
                        SELECT t.id, 101, array_agg(2), array_agg((extract(epoch FROM now())::bigint - i) * 1000000),
                               array_agg(i::float8)
                          FROM tenants t, generate_series(1, 250) AS i WHERE t.slug = 'north' GROUP BY t.id
                        """)
            }
            let location = try #require(try await bed.post(Self.path, "", as: token).headers[.location])
            let shown = try await Self.finished(location, bed, as: token)
            let bytes = try await bed.client.execute(
                uri: try #require(shown.json["archive"] as? String), method: .get,
                headers: [.authorization: "Bearer \(token)"]
            ) { Array(buffer: $0.body) }
            let lines = try Self.unpacked(bytes)["samples/000001.ndjson"] ?? []
            let second = try #require(lines.first { $0.contains("\"till\": \"2\"") || $0.contains("\"till\":\"2\"") })
            let json = try #require(try JSONSerialization.jsonObject(with: Data(second.utf8)) as? [String: Any])
            #expect(
                (json["samples"] as? [[Double]])?.suffix(250).map { $0[1] } == (1...250).reversed().map(Double.init))
        }
    }

    @Test func oneIsMadeAtATimeAndADeadOneIsGivenUp() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let dead = UUID.v7()
            try await bed.database.asSuperuser { connection in
                _ = try await connection.run(
                    "INSERT INTO exports (tenant_id, id) SELECT id, \(dead) FROM tenants WHERE slug = 'north'")
            }
            let refused = try await bed.post(Self.path, "", as: token)
            #expect(refused.status == .conflict && refused.code == "export_running")
            try await bed.database.asSuperuser { connection in
                _ = try await connection.run(
                    "UPDATE exports SET updated_at = now() - interval '1 hour' WHERE id = \(dead)")
            }
            #expect(try await bed.get("\(Self.path)s/\(dead)", as: token).json["status"] as? String == "failed")
            let begun = try await bed.post(Self.path, "", as: token)
            #expect(begun.status == .accepted)
            _ = try await Self.finished(try #require(begun.headers[.location]), bed, as: token)
            let list = try await bed.get("\(Self.path)s", as: token)
            #expect(Set(list.data.texts("status")) == ["finished", "failed"] && list.data.count == 3)
            #expect(try await bed.get("\(Self.path)s/\(dead)/archive", as: token).code == "not_finished")
        }
    }

    @Test func anExpiredArchiveIsGone() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "\(Self.path)s/\(TwoTenants.export)/archive"
            #expect(try await bed.get(path, as: token).text == "abc")
            try await bed.database.asSuperuser { try await $0.execute(script: "UPDATE exports SET expires_at = now()") }
            #expect(try await bed.get(path, as: token).status == .notFound)
        }
    }

    @Test func whoIsLimitedToSitesGetsNone() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.limited, to: "admin")
            let token = try await bed.token(TwoTenants.limited)
            #expect(try await bed.post(Self.path, "", as: token).code == "site_limited")
            #expect(try await bed.get("\(Self.path)s/\(TwoTenants.export)/archive", as: token).code == "site_limited")
        }
    }

    /// An archive tells nothing to whom its parts are not shown.
    @Test func whoMayNotReadAllGetsNone() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let role = #"{"name":"Billing","scopes":["tenant:read","tenant:write"]}"#
            #expect(try await bed.post("/api/v1/roles", role, as: owner).status == .created)
            try await bed.promote(TwoTenants.viewer, to: "Billing")
            let token = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.post(Self.path, "", as: token).code == "scope_not_held")
            #expect(try await bed.get("\(Self.path)s/\(TwoTenants.export)/archive", as: token).code == "scope_not_held")
        }
    }
}
