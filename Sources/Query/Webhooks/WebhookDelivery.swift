import Foundation
import Postgres

/// One event on its way to one endpoint.
struct WebhookDelivery: Sendable {
    enum Status: String, CaseIterable, Sendable {
        case pending, delivered, dead
    }

    let id: UUID
    let endpointID: UUID
    let eventID: UUID
    let eventType: String
    let status: String
    let attempts: Int32
    let nextAttemptAt: Timestamp
    let lastAttemptAt: Timestamp?
    /// Of HTTP.
    let lastStatus: Int32?
    let lastError: String?
    let deliveredAt: Timestamp?
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension WebhookDelivery: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        endpointID = try row["endpoint_id"]
        eventID = try row["event_id"]
        eventType = try row["event_type"]
        status = try row["status"]
        attempts = try row["attempts"]
        nextAttemptAt = try row["next_attempt_at"]
        lastAttemptAt = try row["last_attempt_at"]
        lastStatus = try row["last_status"]
        lastError = try row["last_error"]
        deliveredAt = try row["delivered_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension WebhookDelivery: Audited {
    static let resourceType = "webhook_delivery"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("endpoint_id", endpointID)
            object.field("event_id", eventID)
            object.field("event_type", eventType)
            object.field("status", status)
            object.field("attempts", attempts)
            object.field("next_attempt_at", status == Status.pending.rawValue ? nextAttemptAt : nil)
            object.field("last_attempt_at", lastAttemptAt)
            object.field("last_status", lastStatus)
            object.field("last_error", lastError)
            object.field("delivered_at", deliveredAt)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }
}
