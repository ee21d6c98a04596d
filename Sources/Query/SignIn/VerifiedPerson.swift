import Foundation
import Postgres
import Shared

/// Someone whose password was right.
struct VerifiedPerson: Sendable {
    let person: Person
    /// Which password it was: another may be set meanwhile.
    let passwordSetAt: Timestamp
    /// The stored hash is not as we make them today.
    let needsRehash: Bool

    /// An unknown user takes as long as a wrong password, and gets the same answer.
    ///
    /// - Throws: `Problem` 401, the same for everyone; 503 when too many sign in at once.
    init(_ signIn: SignIn, among candidates: [SignInCandidate], _ passwords: PasswordHasher) async throws {
        guard let user = candidates.first, let stored = user.passwordHash,
            let person = Person(email: signIn.email, candidates)
        else {
            try await passwords.verifyAgainstNothing(signIn.password)
            throw Self.wrongCredentials
        }
        guard try await passwords.verify(signIn.password, against: stored) else { throw Self.wrongCredentials }
        self.person = person
        passwordSetAt = user.passwordSetAt
        needsRehash = PasswordHasher.needsRehash(stored, of: signIn.password)
    }

    private static var wrongCredentials: Problem {
        Problem.unauthorized(code: "invalid_credentials", detail: "Unknown e-mail or wrong password.")
    }
}

extension VerifiedPerson {
    /// The same password in today's form, unless it was changed since it was checked.
    func keepRehashed(_ hash: String) -> Command {
        "UPDATE users SET password_hash = \(hash) WHERE id = \(person.id) AND password_set_at = \(passwordSetAt)"
    }

    /// No row where the password was changed since it was checked. Locks the person's row, so that whatever ends their sessions comes
    /// before or after all of a sign-in.
    func noteSignIn() -> Command {
        "UPDATE users SET last_login_at = now() WHERE id = \(person.id) AND password_set_at = \(passwordSetAt)"
    }

    /// Another password, and the end of all sessions; no row where it was changed since it was checked.
    func keepPassword(_ hash: String) -> Command {
        Person.replacePassword(of: person.id, setAt: passwordSetAt, by: hash)
    }
}
