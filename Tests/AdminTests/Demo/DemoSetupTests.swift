import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct DemoSetupTests {
    private static func withDirectory(_ body: @Sendable (DemoDirectory) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(DemoDirectory(path: path))
    }

    private static func setUp(
        _ directory: DemoDirectory, _ database: Database, ingestURL: String = "http://127.0.0.1:8080"
    ) async throws -> Bool {
        try await DemoSetup(
            directory: directory, ingestURL: ingestURL, queryURL: "http://127.0.0.1:8081",
            secretBox: OperatedDatabase.secretBox.get()
        ).run(in: SystemDatabase(database: database))
    }

    @Test func aSecondRunFindsItsDataAgain() async throws {
        try await MigratedDatabase.withClone { migrated in
            try await migrated.withPool(as: .system) { database in
                try await Self.withDirectory { directory in
                    #expect(try await Self.setUp(directory, database))
                    let first = try directory.existing()
                    #expect(first.feed.stores.count == 30 && first.demo.deviceEUIs.count == DemoPlaces.spaces.count)
                    #expect(first.demo.storeAPIKey == first.feed.stores.first?.key)
                    #expect(try await !Self.setUp(directory, database, ingestURL: "http://127.0.0.1:9999"))
                    let second = try directory.existing()
                    #expect(second.demo.ingestURL == "http://127.0.0.1:9999")
                    #expect(second.demo.password == first.demo.password)
                    #expect(second.demo.integration.secret == first.demo.integration.secret)
                    #expect(second.feed.stores.map(\.key) == first.feed.stores.map(\.key))
                }
            }
        }
    }

    /// The database is there but the files are not: everything that can't be read again is issued anew, and works.
    @Test func lostFilesAreWrittenAnew() async throws {
        try await MigratedDatabase.withClone { migrated in
            try await migrated.withPool(as: .system) { database in
                try await Self.withDirectory { directory in _ = try await Self.setUp(directory, database) }
                try await Self.withDirectory { directory in
                    #expect(try await !Self.setUp(directory, database))
                    let (demo, feed) = try directory.existing()
                    let tenant = try await SystemDatabase(database: database).tenant("demo")
                    let working = try await StoreKeys(database: database, tenant: tenant).list()
                        .filter { $0.state(at: .now()) == "active" }
                    #expect(
                        Set(working.map(\.prefix)) == Set(feed.stores.compactMap { StoreKey(parsing: $0.key)?.prefix }))
                    let hash = try await migrated.asSuperuser {
                        try await $0.first(
                            "SELECT password_hash FROM users WHERE email = \(demo.email)" as Statement<String>)
                    }
                    #expect(try await PasswordHasher().verify(demo.password, against: try #require(hash)))
                }
            }
        }
    }

    @Test func theFilesMembersAreThoseThatOthersReadThem() throws {
        let demo = DemoFile(
            ingestURL: "i", queryURL: "q", tenant: "demo", email: "e", password: "p", store: "T01", storeAPIKey: "k",
            integration: .init(id: "id", secret: "s"), deviceEUIs: ["70b3d57ed0000001"])
        let written = String(decoding: try JSON.encoder.encode(demo), as: UTF8.self)
        for member in ["ingest_url", "query_url", "tenant", "store_api_key", "device_euis", "secret"] {
            #expect(written.contains("\"\(member)\""))
        }
    }
}
