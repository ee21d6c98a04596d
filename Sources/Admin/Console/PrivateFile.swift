import Foundation

/// A file that holds secrets: readable by its owner alone from its first byte on, and replaced as a whole.
struct PrivateFile {
    let path: String

    func read() throws -> Data? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Refusal(.settings, "cannot read \(path)")
        }
    }

    func write(_ data: Data) throws {
        let temporary = path + ".new"
        try? FileManager.default.removeItem(atPath: temporary)
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard FileManager.default.createFile(atPath: temporary, contents: data, attributes: attributes),
            rename(temporary, path) == 0
        else { throw Refusal(.settings, "cannot write \(path)") }
    }
}
