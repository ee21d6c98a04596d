import Foundation

/// A setting of this tool, from the environment; `NAME_FILE` names a file that holds it (a mounted secret).
enum EnvironmentSetting: String {
    case databaseURL = "DATABASE_URL"
    case ingestDatabaseURL = "INGEST_DATABASE_URL"
    case queryDatabaseURL = "QUERY_DATABASE_URL"
    case systemDatabaseURL = "SYSTEM_DATABASE_URL"
    case masterKey = "MASTER_KEY"
    case migrations = "PULSEGATE_MIGRATIONS"

    /// - Throws: `Refusal` when the named file can't be read.
    func optional(in environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String? {
        if let value = environment[rawValue], !value.isEmpty { return value }
        guard let path = environment[rawValue + "_FILE"], !path.isEmpty else { return nil }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Refusal(.settings, "\(rawValue)_FILE names \(path), which cannot be read")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func required(in environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        guard let value = try optional(in: environment) else {
            throw Refusal(.settings, "\(rawValue) is not set")
        }
        return value
    }
}
