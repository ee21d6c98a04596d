import Foundation
import Postgres

/// How uplinks of a kind of device are read.
struct DeviceProfile: Sendable {
    enum Decoder: String, CaseIterable, Sendable {
        case none
        case cayenneLPP = "cayenne_lpp"
        case fields
    }

    let id: UUID
    let name: String
    let decoder: String
    let decoderFields: JSONB?
    let occupiedField: String
    let expectedInterval: Int32
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension DeviceProfile {
    /// Whether the same uplinks tell something else of a space.
    func readsOtherwise(than other: DeviceProfile) -> Bool {
        occupiedField != other.occupiedField || expectedInterval != other.expectedInterval
    }
}

extension DeviceProfile: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        decoder = try row["decoder"]
        decoderFields = try row["decoder_fields"]
        occupiedField = try row["occupied_field"]
        expectedInterval = try row["expected_interval_s"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension DeviceProfile: PartlyLive, Audited {
    static let resourceType = "device_profile"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            writeFields(to: &object)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { writeFields(to: &$0) }
    }

    private func writeFields(to object: inout JSONWriter) {
        object.field("name", name)
        object.field("decoder", decoder)
        object.field("decoder_fields", decoderFields)
        object.field("occupied_field", occupiedField)
        object.field("expected_interval_s", expectedInterval)
    }
}
