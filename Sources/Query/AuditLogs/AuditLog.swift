import Foundation
import Postgres
import Shared

/// An entry of the audit log as it was written.
struct AuditLog: Sendable {
    /// Where an entry stands in the list, newest first.
    struct Position: Codable, Sendable {
        /// Microseconds since the Unix epoch.
        let at: Int64
        let id: UUID
    }

    let id: UUID
    let at: Timestamp
    let actor: AuditEntry.Actor
    let action: String
    let resourceType: String
    let resourceID: String?
    let before: JSONB?
    let after: JSONB?
    let address: String?
    let userAgent: String?
    let requestID: String?

    var position: Position { Position(at: at.microseconds, id: id) }
}

extension AuditLog: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        at = try row["at"]
        actor = AuditEntry.Actor(kind: try row["actor_kind"], id: try row["actor_id"], name: try row["actor_name"])
        action = try row["action"]
        resourceType = try row["resource_type"]
        resourceID = try row["resource_id"]
        before = try row["before"]
        after = try row["after"]
        address = try row["address"]
        userAgent = try row["user_agent"]
        requestID = try row["request_id"]
    }
}

extension AuditLog: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("at", at)
            object.field("actor", actor)
            object.field("action", action)
            object.field("resource_type", resourceType)
            object.field("resource_id", resourceID)
            object.field("before", before)
            object.field("after", after)
            object.field("address", address)
            object.field("user_agent", userAgent)
            object.field("request_id", requestID)
        }
    }
}
