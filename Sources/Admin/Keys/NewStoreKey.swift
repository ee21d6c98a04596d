import Foundation
import Postgres
import Shared

/// A store key that is about to be kept: only its hash, and the prefix by which people know it.
struct NewStoreKey: Sendable {
    let id = UUID.v7()
    let siteID: UUID
    let name: String
    let key: StoreKey

    static func insert(_ keys: [NewStoreKey], tenant: TenantID) -> Command {
        """
        INSERT INTO api_keys (tenant_id, id, kind, site_id, name, prefix, sha256)
        SELECT \(tenant), w.id, 'store', w.site_id, w.name, w.prefix, w.sha256
          FROM unnest(\(keys.map(\.id)), \(keys.map(\.siteID)), \(keys.map(\.name)), \(keys.map(\.key.prefix)),
               \(keys.map(\.key.sha256))) AS w (id, site_id, name, prefix, sha256)
        """
    }
}
