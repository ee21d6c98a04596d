import Foundation
import Postgres
import Shared

/// Something that is wrong and should be looked at.
struct Alert: Sendable {
    enum Status: String, CaseIterable, PostgresDecodable, Sendable {
        case firing, acknowledged, resolved
    }

    enum Severity: String, CaseIterable, PostgresDecodable, Sendable {
        case info, warning, critical
    }

    /// What it is about, as it was called then.
    struct Subject: Sendable {
        let type: String
        let id: UUID
        let name: String
    }

    let id: UUID
    let kind: String
    let severity: Severity
    let subject: Subject
    /// Nil: of all of the tenant.
    let siteID: UUID?
    let detail: JSONB
    var status: Status
    let raisedAt: Timestamp
    var acknowledgedAt: Timestamp?
    var acknowledgedBy: String?
    var resolvedAt: Timestamp?
    /// Nil where it was over by itself.
    var resolvedBy: String?
    /// When what it tells of was over, whoever said before that it was resolved.
    var recoveredAt: Timestamp?
    var comments: [AlertComment] = []
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

/// Something that is to be raised.
struct NewAlert: Sendable {
    let kind: String
    let severity: Alert.Severity
    let subject: Alert.Subject
    var siteID: UUID?
    let detail: JSONB
}

extension Alert: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        kind = try row["kind"]
        severity = try row["severity"]
        subject = Subject(
            type: try row["subject_type"], id: try row["subject_id"], name: try row["subject_name"])
        siteID = try row["site_id"]
        detail = try row["detail"]
        status = try row["status"]
        raisedAt = try row["raised_at"]
        acknowledgedAt = try row["acknowledged_at"]
        acknowledgedBy = try row["acknowledged_by"]
        resolvedAt = try row["resolved_at"]
        resolvedBy = try row["resolved_by"]
        recoveredAt = try row["recovered_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Alert: Audited {
    static let resourceType = "alert"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("kind", kind)
            object.field("severity", severity.rawValue)
            object.field("subject", subject)
            object.field("site_id", siteID)
            object.field("detail", detail)
            object.field("status", status.rawValue)
            object.field("raised_at", raisedAt)
            object.field("acknowledged_at", acknowledgedAt)
            object.field("acknowledged_by", acknowledgedBy)
            object.field("resolved_at", resolvedAt)
            object.field("resolved_by", resolvedBy)
            object.field("recovered_at", recoveredAt)
            object.field("comments", comments)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }
}

extension Alert.Subject: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("type", type)
            object.field("id", id)
            object.field("name", name)
        }
    }
}
