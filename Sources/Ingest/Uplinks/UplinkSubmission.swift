import Foundation
import Postgres
import Shared

/// An uplink whose device is known by its owner id, ready to be decided and written.
struct ResolvedUplink: Sendable {
    let uplink: Uplink
    let owner: UplinkOwner
    /// Numeric and boolean leaves of the payload with their series; empty for an orphan, whose device may never be ours.
    let samples: [(series: Int32, value: Double)]
    let fingerprint: UplinkFingerprint

    init(uplink: Uplink, owner: UplinkOwner, samples: [(series: Int32, value: Double)]) {
        self.uplink = uplink
        self.owner = owner
        self.samples = samples
        fingerprint = uplink.fingerprint
    }
}

/// Whose uplinks an EUI's are.
struct UplinkOwner: Hashable, Sendable {
    /// How a device's uplinks are read, by its profile.
    struct Reading: Hashable, Sendable {
        /// The payload's field that says whether the device's space is taken.
        let occupiedField: String
        /// Seconds within which the next uplink is expected.
        let expectedInterval: Int32
    }

    enum Kind: Hashable, Sendable {
        /// One of the tenant's.
        case device(Reading)
        case orphan(isIgnored: Bool)
    }

    let id: Int32
    let kind: Kind
}

/// What one request brought: stored together or not at all, and answered together.
struct UplinkSubmission: Groupable {
    let tenant: Tenant
    let integrationID: UUID
    /// Hash of the Standard Webhooks message id, recorded with the uplinks so that a retry adds nothing.
    let messageHash: UUID?
    let arrivedAt: Timestamp
    let uplinks: [ResolvedUplink]

    var tenantID: TenantID { tenant.id }
    var cost: Int { uplinks.count }
    /// The states of its devices.
    var locks: [Int64] { uplinks.map { OwnerOrder.number($0.owner.id, of: tenant.id) } }

    func with(_ uplinks: [ResolvedUplink]) -> UplinkSubmission {
        UplinkSubmission(
            tenant: tenant, integrationID: integrationID, messageHash: messageHash, arrivedAt: arrivedAt,
            uplinks: uplinks)
    }
}

enum UplinkOutcome: Hashable, Sendable {
    case stored
    case duplicate
    case orphan
    /// PostgreSQL refused the row itself.
    case refused
}

/// An owner changed between look-up and lock (claimed, registered, forgotten): look it up anew and submit again.
struct StaleOwner: Error {}
