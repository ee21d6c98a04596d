import Foundation
import Postgres

/// A device that is about to be registered.
package struct NewDevice: Sendable {
    package let id: UUID
    package let deviceEUI: DeviceEUI
    package let name: String
    package let profileID: UUID?
    package let siteID: UUID?
    package let spaceID: UUID?
    /// A JSON object.
    package let metadata: JSONB

    package init(
        id: UUID = .v7(), deviceEUI: DeviceEUI, name: String, profileID: UUID? = nil, siteID: UUID? = nil,
        spaceID: UUID? = nil, metadata: JSONB = JSONB("{}")
    ) {
        self.id = id
        self.deviceEUI = deviceEUI
        self.name = name
        self.profileID = profileID
        self.siteID = siteID
        self.spaceID = spaceID
        self.metadata = metadata
    }
}
