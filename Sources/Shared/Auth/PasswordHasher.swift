import Foundation

/// Hashes and checks passwords on a few threads of its own: one hash takes tens of milliseconds and 19 MiB, which
/// must neither hold up other requests nor add up without bound.
package final class PasswordHasher: Sendable {
    private let threads: BlockingThreads

    /// - Parameters:
    ///   - threads: hashes at once, 19 MiB each.
    ///   - maxWaiting: callers that may wait; the next is refused.
    package init(threads: Int = 2, maxWaiting: Int = 64) {
        self.threads = BlockingThreads(name: "passwords", count: threads, maxWaiting: maxWaiting, niceness: 10)
    }

    /// - Returns: a PHC string (`$argon2id$…`) to store.
    /// - Throws: `Problem` 503 when too many wait already.
    package func hash(_ password: String) async throws -> String {
        let password = Self.bytes(password)
        return try await run { try Argon2.hash(password) }
    }

    /// - Parameter stored: the PHC string, or the bcrypt hash of an earlier system; what is neither fits no password, at the cost of a
    ///   check.
    /// - Throws: `Problem` 503 when too many wait already.
    package func verify(_ password: String, against stored: String) async throws -> Bool {
        if Bcrypt.isHash(stored) {
            // As typed: whoever made the hash knew nothing of normal forms.
            let password = Array(password.utf8)
            return try await run { Bcrypt.verify(password, stored) }
        }
        guard stored.hasPrefix("$argon2id$") else {
            try await verifyAgainstNothing(password)
            return false
        }
        let password = Self.bytes(password)
        return try await run { try Argon2.verify(password, stored) }
    }

    /// The work of ``verify(_:against:)`` where there is no user to verify, so that the time of an answer does not
    /// tell.
    /// - Throws: `Problem` 503 when too many wait already.
    package func verifyAgainstNothing(_ password: String) async throws {
        let password = Self.bytes(password)
        _ = try await run { try Argon2.hash(password, salt: [UInt8](repeating: 0, count: 16)) }
    }

    /// Whether a hash was made with other parameters than today's: after a successful check, store a new one.
    /// Not so for a password of which the old hash saw the beginning alone: what follows may have been mistyped.
    package static func needsRehash(_ stored: String, of password: String) -> Bool {
        if Bcrypt.isHash(stored), password.utf8.count > Bcrypt.visibleBytes { return false }
        return !stored.hasPrefix(Argon2.currentPrefix)
    }

    /// One text typed on two keyboards may come as different code points; NFC makes them the same bytes.
    private static func bytes(_ password: String) -> [UInt8] {
        Array(password.precomposedStringWithCanonicalMapping.utf8)
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await threads.run(work)
        } catch is BlockingThreads.Full {
            throw Problem.unavailable(retryAfter: 1, detail: "Too many sign-ins at this moment.")
        }
    }
}
