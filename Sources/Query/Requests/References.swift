import Foundation
import Postgres
import Shared

/// Things named in a request, each by its id or by its code. A code has at most 32 characters and an id 36, so no text
/// is both.
struct References: Hashable, Sendable {
    private(set) var ids: [UUID] = []
    private(set) var codes: [String] = []

    init() {}

    init(_ texts: [String]) {
        for text in texts {
            if let id = UUID(uuidString: text) { ids.append(id) } else { codes.append(text) }
        }
    }

    var isEmpty: Bool { ids.isEmpty && codes.isEmpty }
    var isOne: Bool { ids.count + codes.count == 1 }

    /// A condition on a column with ids and one with codes.
    func match(id: Fragment, code: Fragment) -> Fragment {
        switch (ids.isEmpty, codes.isEmpty) {
        case (false, false): "(\(id) = ANY (\(ids)) OR \(code) = ANY (\(codes)))"
        case (false, true): "\(id) = ANY (\(ids))"
        default: "\(code) = ANY (\(codes))"
        }
    }

    /// The condition for a row whose `site` is one of these. A single one is compared with `=`, which keeps the order of an index that begins
    /// with it.
    func includes(site: Fragment, of tenant: TenantID) -> Fragment {
        if isOne { return "\(site) = (SELECT id FROM sites WHERE \(matchSite(of: tenant)) LIMIT 1)" }
        return "\(site) = ANY (ARRAY(SELECT id FROM sites WHERE \(matchSite(of: tenant))))"
    }

    /// The condition for rows of `sites`.
    func matchSite(of tenant: TenantID) -> Fragment {
        "tenant_id = \(tenant) AND deleted_at IS NULL AND \(match(id: "id", code: "code"))"
    }
}
