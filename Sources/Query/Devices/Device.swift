import Foundation
import Postgres

/// A LoRaWAN sensor.
struct Device: Sendable {
    /// SQL for the site of a row `d` of `devices`, with its space joined as `sp`; null when it stands nowhere yet.
    static let site: Fragment = "coalesce(d.site_id, sp.site_id)"

    let id: UUID
    let eui: String
    let name: String
    let profileID: UUID?
    let siteID: UUID?
    let spaceID: UUID?
    let metadata: JSONB
    /// Network time of the newest reading; what follows is that reading's.
    let lastSeenAt: Timestamp?
    let battery: Double?
    let rssi: Double?
    let snr: Double?
    let session: String?
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Device: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        eui = try row["device_eui"]
        name = try row["name"]
        profileID = try row["profile_id"]
        siteID = try row["site_id"]
        spaceID = try row["space_id"]
        metadata = try row["metadata"]
        lastSeenAt = try row["last_seen_at"]
        battery = try row["battery"]
        rssi = try row["rssi"]
        snr = try row["snr"]
        session = try row["session"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Device: PartlyLive, Audited {
    static let resourceType = "device"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        object.field("id", id)
        writeEdited(to: &object)
        object.field("last_seen_at", lastSeenAt)
        object.field("battery", battery)
        object.field("rssi", rssi)
        object.field("snr", snr)
        object.field("session", session)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { writeEdited(to: &$0) }
    }

    private func writeEdited(to object: inout JSONWriter) {
        object.field("device_eui", eui)
        object.field("name", name)
        object.field("profile_id", profileID)
        object.field("site_id", siteID)
        object.field("space_id", spaceID)
        object.field("metadata", metadata)
    }
}

/// A device that was an orphan a moment ago.
struct AdoptedDevice: PartlyLive {
    let device: Device
    /// Kept uplinks that became its readings.
    let adopted: Int

    func write(to json: inout JSONWriter) {
        json.object { object in
            device.write(fieldsOf: &object)
            object.field("adopted", adopted)
        }
    }

    func write(editedTo json: inout JSONWriter) { device.write(editedTo: &json) }
}
