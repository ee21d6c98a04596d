import Logging

/// The settings that more than one process has.
package enum SharedSettings {
    package static let logLevel = SettingKey<Logger.Level>.choice(
        "LOG_LEVEL", default: .info, meaning: "Least severe level that is logged.")

    package static let masterKey = SettingKey<MasterKeys>(
        "MASTER_KEY", default: nil, defaultText: nil,
        meaning: "Keys that seal secrets at rest, `id:base64 of 32 bytes`, separated by commas; the first one seals.",
        isSecret: true
    ) { text throws(SettingValueFault) in
        do {
            return try MasterKeys(text)
        } catch {
            throw SettingValueFault("id:base64(32 bytes), separated by commas: \(error)")
        }
    }

    package static let tokenSecret = tokenSecret(
        "JWT_SECRET", meaning: "Signs access tokens (HS256), unless JWT_KEY does. At least \(TokenKey.minBytes) bytes.")
    package static let previousTokenSecret = tokenSecret(
        "JWT_PREVIOUS_SECRET", meaning: "Tokens signed with this one still count: the JWT_SECRET before a change.")
    package static let tokenKey = tokenKey(
        "JWT_KEY", meaning: "Signs access tokens: a private key in PEM, of P-256 (ES256) or Ed25519 (EdDSA).")
    package static let previousTokenKey = tokenKey(
        "JWT_PREVIOUS_KEY",
        meaning: "Tokens signed with this one still count: the JWT_KEY before a change, or its public part.")

    private static func tokenSecret(_ name: String, meaning: String) -> SettingKey<TokenKey?> {
        SettingKey(name, default: .some(nil), defaultText: "", meaning: meaning, isSecret: true) {
            text throws(SettingValueFault) in
            guard let key = TokenKey(secret: text) else {
                throw SettingValueFault("at least \(TokenKey.minBytes) bytes long")
            }
            return key
        }
    }

    private static func tokenKey(_ name: String, meaning: String) -> SettingKey<TokenKey?> {
        SettingKey(name, default: .some(nil), defaultText: "", meaning: meaning, isSecret: true) {
            text throws(SettingValueFault) in
            guard let key = TokenKey(pem: text) else { throw SettingValueFault("a key of P-256 or Ed25519 in PEM") }
            return key
        }
    }

    package static let redis = SettingKey<RedisAddress?>(
        "REDIS_URL", default: .some(nil), defaultText: "",
        meaning: "redis://[user:password@]host[:port][/database]: rate limits are shared by all processes there.",
        isSecret: true
    ) { text throws(SettingValueFault) in
        guard let address = RedisAddress(text) else {
            throw SettingValueFault("of the form redis://[user:password@]host[:port][/database]")
        }
        return address
    }

    package static let trustedProxies = SettingKey<TrustedProxies>(
        "TRUSTED_PROXIES", default: TrustedProxies(), defaultText: "",
        meaning:
            "Proxies whose X-Forwarded-For is believed: addresses and networks, separated by commas, such as 10.0.0.0/8."
    ) { text throws(SettingValueFault) in TrustedProxies(try networks(text)) }

    /// Addresses and networks, separated by commas.
    package static func networks(_ text: String) throws(SettingValueFault) -> [IPNetwork] {
        let parts = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
        let networks = parts.compactMap { IPNetwork($0) }
        guard networks.count == parts.count else {
            throw SettingValueFault("addresses and networks such as 10.0.0.0/8")
        }
        return networks
    }

    package static let headTimeout = SettingKey<Duration>.seconds(
        "REQUEST_HEAD_TIMEOUT", default: 10, in: 0.1...600,
        meaning: "Time for a request's head, from its first byte; then 408.")

    package static let bodyTimeout = SettingKey<Duration>.seconds(
        "REQUEST_BODY_TIMEOUT", default: 60, in: 0.1...3_600,
        meaning: "Time for a request's body, from the end of its head; then 408.")

    package static let answerTimeout = SettingKey<Duration>.seconds(
        "ANSWER_TIMEOUT", default: 60, in: 0.1...3_600,
        meaning: "Time in which a client must take each 64 KiB of an answer; then the connection is closed.")

    package static let shutdownGrace = SettingKey<Duration>.seconds(
        "SHUTDOWN_GRACE", default: 6, in: 0...10,
        meaning:
            "How long new connections are still accepted after SIGTERM, while /ready says 503: longer than the balancer takes to notice."
    )

    /// - Parameter name: of the setting, each process having its own.
    package static func maxConnections(_ name: String) -> SettingKey<Int> {
        .integer(
            name, default: 10_000, in: 1...1_000_000, unit: "connections",
            meaning:
                "Connections to the public port at once; fewer where the hard limit on open files is too low. Beyond that: 503."
        )
    }

    package static let deadlines: [any SettingDeclaration] = [headTimeout, bodyTimeout, answerTimeout]
}

extension RequestDeadlines.Limits {
    package init(_ reader: SettingsReader) {
        self.init(
            head: reader[SharedSettings.headTimeout], body: reader[SharedSettings.bodyTimeout],
            answer: reader[SharedSettings.answerTimeout])
    }
}
