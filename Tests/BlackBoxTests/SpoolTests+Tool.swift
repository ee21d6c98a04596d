import Foundation
import Postgres
import Support
import Testing

/// `pulsegate spool` on what ingest left behind.
extension SpoolTests {
    private struct Part: Decodable {
        struct Record: Decodable {
            let tenant: String
            let sender: String
        }
        let segment: String
        let offset: Int
        let bytes: Int
        let record: Record?
    }

    private func parts(_ installation: Installation, _ more: [String] = []) async throws -> [Part] {
        let output = try await installation.pulsegate(
            ["spool", "salvage", installation.spoolFolder.path, "--json"] + more)
        return try JSONDecoder().decode(
            [Part].self, from: Data(output[(output.firstIndex(of: "[") ?? output.startIndex)...].utf8))
    }

    /// The disk of a machine that is gone: the tool stores what is on it, once.
    @Test func theToolStoresWhatAProcessLeft() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            proxy.cut()
            try await senders.sendAll(100..<120, expecting: [202])
            await #expect(throws: Installation.Failed.self, "the process is using it") {
                try await installation.pulsegate(["spool", "drain", installation.spoolFolder.path])
            }
            await ingest.killAndWait()
            let output = try await installation.pulsegate(["spool", "drain", installation.spoolFolder.path])
            #expect(output.contains("uplinks_stored"))
            let left = try FileManager.default.contentsOfDirectory(atPath: installation.spoolFolder.path)
            #expect(Set(left) == ["damaged", "lock"])
            try await senders.ledger.check(installation)
            return try await installation.startIngest()
        }
    }

    /// A tenant was renamed while its records waited: nobody knows where they belong, until somebody says so and puts them back.
    @Test func whatWasSetAsideCanBePutBack() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            proxy.cut()
            try await senders.sendAll(100..<104, expecting: [202])
            await ingest.killAndWait()
            let _: [Int32] = try await installation.rows(
                "UPDATE tenants SET slug = 'renamed' WHERE slug = 'acme' RETURNING id")
            await #expect(throws: Installation.Failed.self, "it says that not all of it is stored") {
                try await installation.pulsegate(["spool", "drain", installation.spoolFolder.path])
            }
            let set = try await parts(installation)
            #expect(set.count == 4 * senders.count && set.allSatisfy { $0.record?.tenant == "acme" })
            #expect(Set(set.compactMap(\.record?.sender)) == ["store", "webhook"])
            let copies = installation.spoolFolder.appendingPathComponent("copies")
            _ = try await parts(installation, ["--to", copies.path])
            let bodies = try FileManager.default.contentsOfDirectory(at: copies, includingPropertiesForKeys: nil)
            #expect(bodies.count == set.count)
            for body in bodies { _ = try JSONSerialization.jsonObject(with: Data(contentsOf: body)) }

            let _: [Int32] = try await installation.rows(
                "UPDATE tenants SET slug = 'acme' WHERE slug = 'renamed' RETURNING id")
            _ = try await parts(installation, ["--put-back"])
            #expect(try await parts(installation).isEmpty, "they are marked as salvaged")
            try await installation.pulsegate(["spool", "drain", installation.spoolFolder.path])
            try await senders.ledger.check(installation)
            return try await installation.startIngest()
        }
    }

    /// Copies of a spool are stored once, too: what comes between a commit and the removal of its segment is no more than that.
    @Test func aCopyOfASpoolAddsNothing() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            proxy.cut()
            try await senders.sendAll(100..<120, expecting: [202])
            await ingest.killAndWait()
            let copy = installation.spoolFolder.path + "-copy"
            try FileManager.default.copyItem(atPath: installation.spoolFolder.path, toPath: copy)
            defer { try? FileManager.default.removeItem(atPath: copy) }
            try await installation.pulsegate(["spool", "drain", installation.spoolFolder.path])
            let output = try await installation.pulsegate(["spool", "drain", copy])
            #expect(output.contains("uplinks_duplicate") && !output.contains("stored\":"))
            try await senders.ledger.check(installation)
            return try await installation.startIngest()
        }
    }
}
