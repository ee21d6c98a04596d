import Crypto
import Foundation

/// One numbered file of `migrations/`: `0001_roles.sql`.
package struct Migration: Sendable, Hashable {
    package let version: Int32
    package let name: String
    package let sql: String

    package init(version: Int32, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    /// SHA-256 of the file, in hex: a file that was changed after it was applied is refused.
    package var checksum: String {
        SHA256.hash(data: Data(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// A first line `-- no transaction` lets a file run outside of one (CREATE INDEX CONCURRENTLY).
    package var runsInTransaction: Bool {
        !sql.hasPrefix("-- no transaction")
    }

    /// Reads a directory's `NNNN_name.sql` files in order.
    /// - Throws: `MigrationError` when numbers repeat or leave gaps.
    package static func load(from directory: URL) throws -> [Migration] {
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw MigrationError.unreadable(directory.path)
        }
        let migrations = try files.filter { $0.hasSuffix(".sql") }.sorted().map { file in
            guard let separator = file.firstIndex(of: "_"), let version = Int32(file[..<separator]) else {
                throw MigrationError.misnamed(file)
            }
            let sql = try String(contentsOf: directory.appendingPathComponent(file), encoding: .utf8)
            return Migration(
                version: version, name: String(file[file.index(after: separator)...].dropLast(4)), sql: sql)
        }
        for (position, migration) in migrations.enumerated() where migration.version != Int32(position + 1) {
            throw MigrationError.gap(expected: Int32(position + 1), found: migration.version)
        }
        return migrations
    }
}

package enum MigrationError: Error, CustomStringConvertible {
    case unreadable(String)
    case misnamed(String)
    case gap(expected: Int32, found: Int32)
    case changed(version: Int32, name: String)
    case unknown(version: Int32)
    case failed(version: Int32, name: String, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let path): "no migrations to read in \(path)"
        case .misnamed(let file): "\(file) is not named like 0001_name.sql"
        case .gap(let expected, let found): "migration \(expected) is missing or there twice: found \(found)"
        case .changed(let version, let name):
            "migration \(version) (\(name)) was changed after it had been applied: write a new one instead"
        case .unknown(let version):
            "the database has migration \(version), which this version of pulsegate does not know: install the newer one"
        case .failed(let version, let name, let reason): "migration \(version) (\(name)) failed: \(reason)"
        }
    }
}
