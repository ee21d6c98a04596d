import Foundation
import Postgres

/// A device that no one has entered yet, known by its uplinks.
struct OrphanDevice: Sendable {
    let id: UUID
    let eui: String
    let firstSeenAt: Timestamp
    let lastSeenAt: Timestamp
    let uplinkCount: Int64
    let lastPayload: JSONB?
    let lastRSSI: Double?
    let lastSNR: Double?
    let integrationID: UUID
}

extension OrphanDevice: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        eui = try row["device_eui"]
        firstSeenAt = try row["first_seen_at"]
        lastSeenAt = try row["last_seen_at"]
        uplinkCount = try row["uplink_count"]
        lastPayload = try row["last_payload"]
        lastRSSI = try row["last_rssi"]
        lastSNR = try row["last_snr"]
        integrationID = try row["integration_id"]
    }
}

extension OrphanDevice: Audited {
    static let resourceType = "orphan_device"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("device_eui", eui)
            object.field("first_seen_at", firstSeenAt)
            object.field("last_seen_at", lastSeenAt)
            object.field("uplink_count", uplinkCount)
            object.field("last_payload", lastPayload)
            object.field("last_rssi", lastRSSI)
            object.field("last_snr", lastSNR)
            object.field("integration_id", integrationID)
            // An orphan is made by its first uplink and changed by its latest.
            object.field("created_at", firstSeenAt)
            object.field("updated_at", lastSeenAt)
        }
    }
}
