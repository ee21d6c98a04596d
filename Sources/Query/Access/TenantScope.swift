import Foundation
import Postgres
import Shared

/// Whose rows a principal may see: those of one tenant and, for a member limited to sites, of these sites and of no
/// site.
struct TenantScope: TenantScoped {
    let tenantID: TenantID
    /// Nil: every site.
    let siteIDs: [UUID]?

    init(_ tenant: TenantID, sites: Set<UUID>? = nil) {
        tenantID = tenant
        siteIDs = sites?.sorted()
    }

    /// The condition for a row whose `site` is never null. One site is compared with `=`, which keeps the order of an index that begins with it.
    func covers(site: Fragment) -> Fragment {
        guard let siteIDs else { return "true" }
        if let only = siteIDs.first, siteIDs.count == 1 { return "\(site) = \(only)" }
        return "\(site) = ANY (\(siteIDs))"
    }

    /// The condition for a row that is tied to `site`, an SQL expression that may be null. To stand in WHERE or ON.
    func sees(site: Fragment) -> Fragment {
        guard let siteIDs else { return "true" }
        return "(\(site) IS NULL OR \(site) = ANY (\(siteIDs)))"
    }
}
