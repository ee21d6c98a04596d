import Foundation
import Testing

/// Who may import whom, read from the sources.
struct LayersTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources")

    /// Each Swift file below a target with the modules it imports.
    private static func imports(of target: String) throws -> [(file: String, modules: Set<String>)] {
        let folder = sources.appendingPathComponent(target)
        let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
        return try files.filter { $0.hasSuffix(".swift") }.map { file in
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            let modules = text.split(separator: "\n").compactMap { line -> String? in
                let words = line.split(separator: " ")
                guard let keyword = words.firstIndex(of: "import"), keyword <= 2, words.count > keyword + 1,
                    words[..<keyword].allSatisfy({
                        $0.hasPrefix("@") || ["package", "public", "internal"].contains($0)
                    })
                else { return nil }
                return String(words[words.count - 1].prefix { $0 != "." })
            }
            return (target + "/" + file, Set(modules))
        }
    }

    @Test(arguments: ["Ingest", "Query", "Admin"])
    func processesDoNotImportEachOther(_ target: String) throws {
        for (file, modules) in try Self.imports(of: target) {
            #expect(modules.isDisjoint(with: ["Ingest", "Query", "Admin", "CLibpq"]), "\(file)")
        }
    }

    @Test func postgresKnowsNothingAboveIt() throws {
        for (file, modules) in try Self.imports(of: "Postgres") {
            let allowed: Set = [
                "CLibpq", "Foundation", "FoundationEssentials", "Glibc", "Logging", "DequeModule", "Synchronization",
                "Dispatch",
            ]
            #expect(modules.isSubset(of: allowed), "\(file): \(modules.subtracting(allowed))")
        }
    }

    @Test func onlyPostgresImportsLibpq() throws {
        let files = try ["Shared", "Ingest", "Query", "Admin"].flatMap(Self.imports)
        #expect(!files.isEmpty)
        for (file, modules) in files { #expect(!modules.contains("CLibpq"), "\(file)") }
    }

    @Test func hummingbirdStaysInRoutesAndSharedHTTP() throws {
        for (file, modules) in try Self.imports(of: "Shared") where !file.hasPrefix("Shared/HTTP/") {
            #expect(!modules.contains("Hummingbird"), "\(file)")
        }
        for (file, modules) in try Self.imports(of: "Ingest") where modules.contains("Hummingbird") {
            let name = file.split(separator: "/").last.map(String.init) ?? ""
            #expect(["Route", "App", "Answer"].contains { name.contains($0) }, "\(file)")
        }
    }
}
