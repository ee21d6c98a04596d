import Foundation
import Postgres

/// A shop, car park, office or warehouse.
struct Site: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case store, warehouse, parking, office, other
    }

    let id: UUID
    let code: String
    let name: String
    let kind: String
    let timezone: String
    let address: String?
    let latitude: Double?
    let longitude: Double?
    let expectedInterval: Int32
    let settings: JSONB
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Site: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        code = try row["code"]
        name = try row["name"]
        kind = try row["kind"]
        timezone = try row["timezone"]
        address = try row["address"]
        latitude = try row["latitude"]
        longitude = try row["longitude"]
        expectedInterval = try row["expected_interval_s"]
        settings = try row["settings"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Site: PartlyLive, Audited {
    static let resourceType = "site"
    var tiedSite: UUID? { id }

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
        object.field("code", code)
        object.field("name", name)
        object.field("kind", kind)
        object.field("timezone", timezone)
        object.field("address", address)
        object.field("latitude", latitude)
        object.field("longitude", longitude)
        object.field("expected_interval_s", expectedInterval)
        object.field("settings", settings)
    }
}
