import Foundation
import Postgres

/// Something that is taken or free: a parking bay, a desk, a room.
struct Space: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case room, desk, bay, zone, other
    }

    enum State: String, CaseIterable, Sendable {
        /// `unknown`: no device, no reading, or silence beyond the interval that its profile expects.
        case free, occupied, unknown
    }

    let id: UUID
    let siteID: UUID
    let code: String
    let name: String
    let kind: String
    let floor: String?
    let capacity: Int32
    let isBookable: Bool
    let openingHours: JSONB?
    let metadata: JSONB
    let state: String
    let stateSince: Timestamp?
    let deviceEUI: String?
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Space: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        siteID = try row["site_id"]
        code = try row["code"]
        name = try row["name"]
        kind = try row["kind"]
        floor = try row["floor"]
        capacity = try row["capacity"]
        isBookable = try row["is_bookable"]
        openingHours = try row["opening_hours"]
        metadata = try row["metadata"]
        state = try row["state"]
        stateSince = try row["state_since"]
        deviceEUI = try row["device_eui"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Space: PartlyLive, Audited {
    static let resourceType = "space"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            writeFields(to: &object)
            object.field("state", state)
            object.field("state_since", stateSince)
            object.field("device_eui", deviceEUI)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { writeFields(to: &$0) }
    }

    private func writeFields(to object: inout JSONWriter) {
        object.field("site_id", siteID)
        object.field("code", code)
        object.field("name", name)
        object.field("kind", kind)
        object.field("floor", floor)
        object.field("capacity", capacity)
        object.field("is_bookable", isBookable)
        object.field("opening_hours", openingHours)
        object.field("metadata", metadata)
    }
}
