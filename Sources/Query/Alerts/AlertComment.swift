import Foundation
import Postgres
import Shared

/// What somebody said of an alert.
struct AlertComment: Sendable {
    /// Characters, as PostgreSQL counts them.
    static let longest = 2_000
    /// Of one alert.
    static let most = 200

    let id: UUID
    let alertID: UUID
    let actor: AuditEntry.Actor
    let text: String
    let createdAt: Timestamp
}

extension AlertComment: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        alertID = try row["alert_id"]
        actor = AuditEntry.Actor(kind: try row["actor_kind"], id: try row["actor_id"], name: try row["actor_name"])
        text = try row["text"]
        createdAt = try row["created_at"]
    }
}

extension AlertComment: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("alert_id", alertID)
            object.field("actor", actor)
            object.field("text", text)
            object.field("created_at", createdAt)
        }
    }
}

extension AlertComment {
    /// Oldest first.
    static func all(of alerts: [UUID], in tenant: TenantID) -> Statement<AlertComment> {
        """
        SELECT id, alert_id, actor_kind, actor_id, actor_name, text, created_at FROM alert_comments
         WHERE tenant_id = \(tenant) AND alert_id = ANY (\(alerts)) ORDER BY alert_id, id
        """
    }

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO alert_comments (tenant_id, id, alert_id, actor_kind, actor_id, actor_name, text, created_at)
        VALUES (\(tenant), \(id), \(alertID), \(actor.kind), \(actor.id), \(actor.name), \(text), \(createdAt))
        """
    }
}
