import HTTPTypes
import Shared

/// Whether a password is right, slower and slower for those who guess.
struct PasswordCheck: Sendable {
    let database: Database
    let passwords: PasswordHasher
    let door: SignInGuard

    /// - Parameter address: where the attempt comes from.
    /// - Throws: `Problem` 401, which counts as a failure; 429 after too many of them; anything else does not count.
    func verify(_ signIn: SignIn, from address: String?) async throws -> VerifiedPerson {
        let attempt = try door.begin(email: signIn.email, address: address)
        do {
            let candidates = try await database.lookUp(SignInCandidate.all(of: signIn.email))
            let verified = try await VerifiedPerson(signIn, among: candidates, passwords)
            attempt.succeeded()
            return verified
        } catch {
            if (error as? Problem)?.status != .unauthorized { attempt.withdraw() }
            throw error
        }
    }
}
