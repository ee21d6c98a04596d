import Foundation
import Shared

/// Someone whose password was right, and the tenants that they may enter.
struct VerifiedPerson: Sendable {
    let id: UUID
    let memberships: [SignInCandidate.Membership]

    /// An unknown user takes as long as a wrong password, and gets the same answer.
    ///
    /// - Throws: `Problem` 401, the same for everyone; 503 when too many sign in at once.
    init(_ signIn: SignIn, among candidates: [SignInCandidate], _ passwords: PasswordHasher) async throws {
        guard let user = candidates.first, let stored = user.passwordHash else {
            try await passwords.verifyAgainstNothing(signIn.password)
            throw Self.wrongCredentials
        }
        guard try await passwords.verify(signIn.password, against: stored) else { throw Self.wrongCredentials }
        id = user.userID
        memberships = candidates.compactMap(\.membership)
    }

    /// The tenant to enter: the one named, or the only one.
    ///
    /// - Throws: `Problem` 403 for a person who may not enter it, whether it exists or not; 409 when there are several.
    func membership(in named: String?) throws -> SignInCandidate.Membership {
        if let named {
            guard let membership = memberships.first(where: { $0.tenant.isNamed(named) }) else {
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

    private static var wrongCredentials: Problem {
        Problem.unauthorized(code: "invalid_credentials", detail: "Unknown e-mail or wrong password.")
    }
}

extension Problem {
    /// The same for a tenant that doesn't exist.
    static var noMembership: Problem {
        forbidden(code: "no_membership", detail: "You are no member of this tenant.")
    }
}
