import Foundation
import Postgres
import Shared

/// Nobody grants what they do not hold themselves.
extension Principal {
    /// - Throws: `Problem` 403 `scope_not_held`.
    func mayGrant(_ scopes: some Sequence<String>) throws {
        let missing = scopes.first { name in Scope(rawValue: name).map { !holds($0) } ?? true }
        guard let missing else { return }
        throw Problem.forbidden(code: "scope_not_held", detail: "You do not hold the scope \(missing) yourself.")
    }
}

extension TenantContext {
    /// What a member is, or is to become: whoever changes it must hold all of it.
    ///
    /// - Parameter sites: empty for all of them.
    /// - Throws: `Problem` 403.
    func mayGrant(_ scopes: Set<Scope>, sites: [UUID]) throws {
        try principal.mayGrant(scopes.map(\.rawValue).sorted())
        guard let mine = scope.siteIDs else { return }
        guard !sites.isEmpty, Set(sites).isSubset(of: mine) else {
            throw Problem.forbidden(
                code: "site_limited", detail: "You are limited to some sites, and this reaches more.")
        }
    }
}

extension TenantContext {
    /// - Throws: `Problem` 403 for a member limited to sites, who changes nothing that concerns all of them.
    func mayReachAllSites() throws {
        guard scope.siteIDs != nil else { return }
        throw Problem.forbidden(
            code: "site_limited", detail: "You are limited to some sites, and this reaches all of them.")
    }
}

extension JSONBody {
    /// Each once, sorted.
    mutating func scopes(_ name: String) -> [String]? {
        guard let texts = texts(name) else { return nil }
        for (index, text) in texts.enumerated() where Scope(rawValue: text) == nil {
            refuse("\(name)[\(index)]", "unknown_scope", "There is no such scope.")
        }
        return Set(texts).sorted()
    }
}
