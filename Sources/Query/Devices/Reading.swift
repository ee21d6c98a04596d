import Foundation
import Postgres

/// One uplink of a device, as it was kept.
struct Reading: Sendable {
    /// Where a reading stands among those of its device: by network time, then by life of the frame counter and
    /// counter.
    struct Position: Hashable, Sendable, Codable {
        /// Microseconds since the Unix epoch.
        let at: Int64
        let epoch: Int32
        let fcnt: Int64
    }

    let position: Position
    let port: Int16?
    let rssi: Double?
    let snr: Double?
    let gatewayID: String?
    let payload: JSONB?
    let data: [UInt8]?

    var receivedAt: Timestamp { Timestamp(microseconds: position.at) }
}

/// A row of the device's readings; nil stands for a device that has none there.
struct ReadingRow: RowDecodable {
    let reading: Reading?

    init(_ row: Row) throws {
        guard let receivedAt = try row["received_at"] as Timestamp? else {
            reading = nil
            return
        }
        let position = Reading.Position(at: receivedAt.microseconds, epoch: try row["epoch"], fcnt: try row["fcnt"])
        reading = Reading(
            position: position, port: try row["f_port"], rssi: try row["rssi"], snr: try row["snr"],
            gatewayID: try row["gateway_id"], payload: try row["payload"], data: try row["data"])
    }
}

extension Reading: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("received_at", receivedAt)
            object.field("fcnt", position.fcnt)
            object.field("f_port", port)
            object.field("rssi", rssi)
            object.field("snr", snr)
            object.field("gateway_id", gatewayID)
            object.field("payload", payload)
            object.field("data", data.map { Data($0).base64EncodedString() })
        }
    }
}
