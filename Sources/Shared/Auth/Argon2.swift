import CArgon2

/// Argon2id (RFC 9106) with OWASP's parameters, through the reference library.
enum Argon2 {
    struct Failed: Error {
        let code: Int32
    }

    /// KiB of memory for one hash.
    static let memory: UInt32 = 19_456
    static let iterations: UInt32 = 2
    static let lanes: UInt32 = 1
    private static let saltCount = 16
    private static let hashCount = 32

    /// What an encoded hash begins with when it was made as we make them now.
    static let currentPrefix = "$argon2id$v=19$m=\(memory),t=\(iterations),p=\(lanes)$"

    /// - Returns: a PHC string: algorithm, version, parameters, salt, hash.
    static func hash(_ password: [UInt8]) throws(Failed) -> String {
        var generator = SystemRandomNumberGenerator()
        return try hash(password, salt: (0..<saltCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    static func hash(_ password: [UInt8], salt: [UInt8]) throws(Failed) -> String {
        var encoded = [CChar](repeating: 0, count: 192) // ours have 97 characters
        let code = argon2id_hash_encoded(
            iterations, memory, lanes, password, password.count, salt, salt.count, hashCount, &encoded, encoded.count)
        guard code == ARGON2_OK.rawValue else { throw Failed(code: code) }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// False for a wrong password and for what is no Argon2id hash; parameters come from `encoded`.
    static func verify(_ password: [UInt8], _ encoded: String) throws(Failed) -> Bool {
        let code = argon2id_verify(encoded, password, password.count)
        switch code {
        case ARGON2_OK.rawValue: return true
        // Out of memory must not read as "wrong password".
        case ARGON2_MEMORY_ALLOCATION_ERROR.rawValue, ARGON2_THREAD_FAIL.rawValue: throw Failed(code: code)
        default: return false
        }
    }
}
