import Foundation
import Postgres

/// Where a tenant's events are sent, without its secrets.
struct WebhookEndpoint: Sendable {
    let id: UUID
    let url: String
    /// None: all.
    let eventTypes: [String]
    let isActive: Bool
    /// Why we switched it off ourselves.
    let disabledReason: String?
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension WebhookEndpoint: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        url = try row["url"]
        eventTypes = try row["event_types"]
        isActive = try row["is_active"]
        disabledReason = try row["disabled_reason"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension WebhookEndpoint: PartlyLive, Audited {
    static let resourceType = "webhook_endpoint"

    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        object.field("id", id)
        writeEdited(to: &object)
        object.field("disabled_reason", disabledReason)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { writeEdited(to: &$0) }
    }

    private func writeEdited(to object: inout JSONWriter) {
        object.field("url", url)
        object.field("event_types", eventTypes)
        object.field("is_active", isActive)
    }
}

/// An endpoint with a secret that is shown this once.
struct IssuedWebhookEndpoint: JSONWritable {
    let endpoint: WebhookEndpoint
    let secret: String

    func write(to json: inout JSONWriter) {
        json.object { object in
            endpoint.write(fieldsOf: &object)
            object.field("secret", secret)
        }
    }
}
