import Foundation
import Postgres
import Shared

/// What a client says of a device profile.
struct DeviceProfileFields: Sendable {
    let name: String
    let decoder: DeviceProfile.Decoder
    let decoderFields: JSONB?
    let occupiedField: String
    let expectedInterval: Int32

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "created_at", "updated_at")
        name = body.required("name") { $0.name($1) } ?? ""
        decoder = body.word("decoder") ?? .none
        decoderFields = body.object("decoder_fields")
        occupiedField = body.leafName("occupied_field") ?? "occupied"
        expectedInterval = Int32(body.integer("expected_interval_s", in: 1...31_536_000) ?? 3_600)
        try body.check()
    }
}

extension JSONBody {
    /// A leaf of a payload as its series is called: `parking.occupied`.
    fileprivate mutating func leafName(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard text.utf8.count <= 128, text.contains(/^[A-Za-z_][A-Za-z0-9_.:\/-]*$/) else {
            refuse(
                name, "invalid_name", "Must be the name of a leaf, such as parking.occupied, of at most 128 characters."
            )
            return nil
        }
        return text
    }
}
