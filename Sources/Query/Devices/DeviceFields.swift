import Foundation
import Postgres
import Shared

/// What a client says of a device besides its EUI.
struct DeviceFields: Sendable {
    let name: String
    let profileID, siteID, spaceID: UUID?
    let metadata: JSONB

    /// - Parameter eui: of the device, where there is one already: it stays what it is.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, of eui: DeviceEUI?) throws {
        body.skip("id", "last_seen_at", "battery", "rssi", "snr", "session", "adopted", "created_at", "updated_at")
        if let eui, let given = body.deviceEUI("device_eui"), given != eui {
            body.refuse("device_eui", "immutable", "Another EUI is another device.")
        }
        name = body.required("name") { $0.name($1) } ?? ""
        profileID = body.id("profile_id")
        siteID = body.id("site_id")
        spaceID = body.id("space_id")
        metadata = body.object("metadata") ?? JSONB("{}")
        try body.check()
    }
}

extension DeviceFields {
    /// Whether both name the same places and profile.
    func names(_ other: DeviceFields) -> Bool {
        (profileID, siteID, spaceID) == (other.profileID, other.siteID, other.spaceID)
    }
}

extension JSONBody {
    /// 16 hex digits.
    mutating func deviceEUI(_ name: String) -> DeviceEUI? {
        guard let text = text(name) else { return nil }
        let eui = DeviceEUI(text)
        if eui == nil { refuse(name, "invalid_eui", "Must be 16 hex digits.") }
        return eui
    }
}

/// Where a device stands and what reads it, all of which stays while the transaction goes on.
struct DevicePlacement: Sendable {
    let profileID, siteID, spaceID: UUID?

    /// The site of a space is its device's.
    /// - Throws: `Problem` 422 for what isn't there, or a space that lies elsewhere.
    init(_ fields: DeviceFields, _ context: TenantContext, in tx: TenantTransaction) async throws {
        (profileID, spaceID) = (fields.profileID, fields.spaceID)
        if let profileID, try await tx.first(DeviceProfile.hold(profileID, in: tx.tenantID)) == nil {
            throw Problem.unknown("profile_id", "device profile")
        }
        if let named = fields.siteID, try await tx.first(Site.hold(named, in: context.scope)) == nil {
            throw Problem.unknown("site_id", "site")
        }
        guard let spaceID else {
            siteID = fields.siteID
            return
        }
        guard let site = try await tx.first(Space.hold(spaceID, in: context.scope)) else {
            throw Problem.unknown("space_id", "space")
        }
        guard fields.siteID == nil || fields.siteID == site else {
            throw Problem.unprocessable([
                .init(field: "space_id", code: "elsewhere", detail: "The space lies in another site.")
            ])
        }
        siteID = site
    }
}
