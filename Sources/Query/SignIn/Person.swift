import Foundation
import Postgres
import Shared

/// Someone who has proved who they are, and the tenants that they may enter.
struct Person: Sendable {
    let id: UUID
    let email: String
    let memberships: [SignInCandidate.Membership]

    /// - Returns: nil where there is no such person.
    init?(email: String, _ candidates: [SignInCandidate]) {
        guard let first = candidates.first else { return nil }
        id = first.userID
        self.email = email
        memberships = candidates.compactMap(\.membership)
    }

    /// The tenant to enter: the one named, or the only one.
    ///
    /// - Parameter names: all of the same tenant.
    /// - Throws: `Problem` 403 for a person who may not enter it, whether it exists or not; 409 when there are several.
    func membership(in names: [String]) throws -> SignInCandidate.Membership {
        if !names.isEmpty {
            guard let membership = memberships.first(where: { $0.tenant.isNamed(names) }) else {
                throw Problem.noMembership
            }
            return membership
        }
        guard let first = memberships.first else {
            throw Problem.forbidden(code: "no_membership", detail: "You are a member of no tenant.")
        }
        guard memberships.count == 1 else { throw TenantRequired(memberships: memberships) }
        return first
    }
}

extension Person {
    /// Another password, chosen by the person, who is here; and the end of all sessions.
    ///
    /// - Parameter set: when the old one was; no row where it was changed since.
    static func replacePassword(of id: UUID, setAt set: Timestamp, by hash: String) -> Command {
        """
        UPDATE users
           SET password_hash = \(hash), password_set_at = clock_timestamp(), password_change_required = false,
               sessions_valid_from = clock_timestamp(), last_login_at = now(), updated_at = now()
         WHERE id = \(id) AND password_set_at = \(set)
        """
    }

    func noteArrival() -> Command {
        "UPDATE users SET last_login_at = now() WHERE id = \(id)"
    }

    /// No row where a session that began then has been ended with all others.
    func noteSwitch(fromSessionBegunAt begun: Timestamp) -> Command {
        "UPDATE users SET last_login_at = now() WHERE id = \(id) AND sessions_valid_from <= \(begun)"
    }
}

extension Problem {
    /// The same for a tenant that doesn't exist.
    static var noMembership: Problem {
        forbidden(code: "no_membership", detail: "You are no member of this tenant.")
    }
}
