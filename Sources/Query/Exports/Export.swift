import Foundation
import Postgres
import Shared

/// An archive of all that a tenant has: being made, made, or given up.
struct Export: Sendable {
    enum Status: String, Sendable {
        case running, finished, failed
    }

    /// Seconds that a finished archive can be fetched.
    static let lifetime: Int64 = 86_400
    /// Seconds without a sign of life after which nobody works on it any more.
    static let patience: Int32 = 60

    let id: UUID
    let status: Status
    /// Of the archive so far.
    let bytes: Int64
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let expiresAt: Timestamp?
}

extension Export: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        status = Status(rawValue: try row["status"]) ?? .failed
        bytes = try row["bytes"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
        expiresAt = try row["expires_at"]
    }
}

extension Export: JSONWritable {
    static let path = "/api/v1/tenants/current/exports/"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("status", status.rawValue)
            object.field("bytes", bytes)
            object.field("archive", status == .finished ? "\(Self.path)\(id.lowercaseString)/archive" : nil)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
            object.field("expires_at", expiresAt)
        }
    }
}
