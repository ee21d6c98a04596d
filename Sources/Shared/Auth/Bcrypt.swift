import CCrypt

/// bcrypt hashes that an earlier system made, checked by the C library's `crypt`; new ones are not made.
enum Bcrypt {
    /// Each step doubles the time; what somebody imported must not keep a thread for hours.
    private static let costs = 4...14

    /// Bytes of a password that it sees.
    static let visibleBytes = 72

    static func isHash(_ stored: String) -> Bool {
        cost(of: stored).map(costs.contains) ?? false
    }

    /// False for a wrong password, one with a NUL, which bcrypt does not see, and for what is no bcrypt hash.
    static func verify(_ password: [UInt8], _ stored: String) -> Bool {
        guard isHash(stored), !password.contains(0) else { return false }
        let computed = withUnsafeTemporaryAllocation(of: crypt_data.self, capacity: 1) { scratch -> [UInt8] in
            guard let data = scratch.baseAddress else { return [] }
            data.initialize(to: crypt_data())
            let text = (password + [0]).map { CChar(bitPattern: $0) }
            guard let hash = crypt_r(text, stored, data) else { return [] }
            return Array(String(cString: hash).utf8)
        }
        return constantTimeEquals(computed, Array(stored.utf8))
    }

    /// `$2b$12$` and 53 characters of salt and hash; `a` and `y` mark the same algorithm as made by others.
    private static func cost(of stored: String) -> Int? {
        guard stored.utf8.count == 60, ["$2a$", "$2b$", "$2y$"].contains(where: { stored.hasPrefix($0) }) else {
            return nil
        }
        return Int(stored.dropFirst(4).prefix(2))
    }
}
