import Foundation

/// Who asks: a user's session or an API key, and what they may do.
package struct Principal: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case user
        case apiKey = "api_key"
    }

    package let kind: Kind
    /// The user's or the key's id.
    package let id: UUID
    /// As people know them: an e-mail, or what a key is called.
    package let name: String
    /// The session of a signed-in user.
    package let sessionID: UUID?
    /// A built-in role or one of the tenant's own; nil for API keys.
    package let role: String?
    package let scopes: Set<Scope>
    /// The sites a member is limited to; nil means all of them.
    package let siteIDs: Set<UUID>?

    package init(
        kind: Kind, id: UUID, name: String, sessionID: UUID? = nil, role: String? = nil, scopes: Set<Scope>,
        siteIDs: Set<UUID>? = nil
    ) {
        self.kind = kind
        self.id = id
        self.name = name
        self.sessionID = sessionID
        self.role = role
        self.scopes = scopes
        self.siteIDs = siteIDs
    }

    /// Nil for a program: what a person made is kept with their id.
    package var personID: UUID? { kind == .user ? id : nil }

    package func holds(_ scope: Scope) -> Bool {
        scopes.contains(scope)
    }

    /// - Throws: 403 `insufficient_scope`.
    package func require(_ scope: Scope) throws(Problem) {
        guard holds(scope) else {
            throw Problem.forbidden(code: "insufficient_scope", detail: "This needs the scope \(scope.rawValue).")
        }
    }
}
